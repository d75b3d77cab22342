"""What is stored of an encoder follows from: where all of it is equal, that is."""

from __future__ import annotations

import tensorflow as tf

from hub_estimator.digests import Digest
from hub_estimator.training.example_spec import ExampleSpec
from hub_estimator.training.inputs.memory import InMemory
from hub_estimator.training.model.encoders import Encoder

_VERSION = 2
"""To be raised with any change of what is stored, or of how it is computed."""


def entry_key(encoder: Encoder, mode: str, source: InMemory, spec: ExampleSpec) -> str | None:
    """Returns the name under which is stored what an encoder computes of some data.

    These are its outputs where it is frozen, and the border of what is trained where it is not.

    Args:
      encoder: an encoder with one use.
      mode: the Estimator's mode.
      source: the data.
      spec: what the model takes.

    Returns:
      Letters and digits. None where no two computations need be equal.
    """
    tags = encoder.tags_for(mode)
    module = encoder.module.digest(tags)
    if module is None:
        return None
    features = encoder.feature_specs()
    digest = Digest()
    digest.add(_VERSION, tf.__version__, module, sorted(tags))
    digest.add(
        encoder.signature,
        encoder.output,
        encoder.pool,
        encoder.pool_mask,
        encoder.feature_by_input(tags),
    )
    if not encoder.is_frozen:
        digest.add("inside", encoder.trainable, sorted(encoder.tags_for("train")))
    for name in sorted(features):
        # As the model takes them: the spec of the whole model may be narrower than the encoder's.
        digest.add(name, spec.features[name].dtype.name, spec.features[name].shape)
    digest.add(source.digest(spec, features))
    return digest.hexadecimal()[:32]
