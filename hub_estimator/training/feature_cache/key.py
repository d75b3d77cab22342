"""What the outputs of a frozen encoder follow from: where all of it is equal, they are."""

from __future__ import annotations

import tensorflow as tf

from hub_estimator.digests import Digest
from hub_estimator.training.example_spec import ExampleSpec
from hub_estimator.training.inputs.memory import InMemory
from hub_estimator.training.model.encoders import Encoder

_VERSION = 2
"""To be raised with any change of what is stored, or of how it is computed."""


def entry_key(encoder: Encoder, mode: str, source: InMemory, spec: ExampleSpec) -> str | None:
    """Returns the name under which the outputs of an encoder for some data are stored.

    Args:
      encoder: a frozen encoder with one use.
      mode: the Estimator's mode.
      source: the data.
      spec: what the model takes.

    Returns:
      Letters and digits. None where no two computations of the outputs need be equal.
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
    for name in sorted(features):
        # As the model takes them: the spec of the whole model may be narrower than the encoder's.
        digest.add(name, spec.features[name].dtype.name, spec.features[name].shape)
    digest.add(source.digest(spec, features))
    return digest.hexadecimal()[:32]
