"""Where a loss that is not a number comes from, as far as it is the data or a module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from hub_estimator import texts
from hub_estimator.format.checkpoint import open_checkpoint
from hub_estimator.training.inputs import batches
from hub_estimator.training.inputs.base import InputFn
from hub_estimator.training.model.contract import TrainableModel, capabilities_of
from hub_estimator.training.model.encoders import Encoder

_MOST_BATCHES = 100
_NOT_FINITE = "values that are not finite (NaN or infinite)"


def reason(model: TrainableModel, input_fn: InputFn, checkpoint: str) -> str | None:
    """Returns what gives values that are not finite, before anything that is trained on top of it.

    Args:
      model: the model.
      input_fn: gives the batches that were trained on since the checkpoint.
      checkpoint: the last checkpoint before.

    Returns:
      Sentences; None where it is neither the data nor a module, or not known: only the encoders that
      the model shows are looked at, for the first batches.
    """
    encoders = capabilities_of(model).encoders
    with tf.Graph().as_default() as graph:
        tf.compat.v1.train.create_global_step()
        examples = batches.of(input_fn)
        features = examples.next[0]
        messages = _messages(encoders, features)
        with tf.compat.v1.Session(graph=graph) as session:
            session.run(
                [
                    tf.compat.v1.global_variables_initializer(),
                    tf.compat.v1.local_variables_initializer(),
                    tf.compat.v1.tables_initializer(),
                ]
            )
            examples.begin(session)
            _restore(session, checkpoint)
            return _first(session, messages)


def _messages(encoders: Sequence[Encoder], features: Mapping[str, Any]) -> dict[str, tf.Tensor]:
    """Returns whether values are finite, by what to say where they are not; the data first."""
    messages = {
        f"The feature {name!r} of the training data has {_NOT_FINITE}. Correct the data.": (
            _are_finite([values])
        )
        for name, values in features.items()
        if isinstance(values, tf.Tensor) and values.dtype.is_floating
    }
    for encoder in encoders:
        messages[_of_encoder(encoder)] = _are_finite(encoder(features, "train").outputs)
    return messages


def _of_encoder(encoder: Encoder) -> str:
    return (
        f"Encoder {encoder.name!r} gives {_NOT_FINITE}: the module {texts.shown(encoder.handle)} "
        "does so with the values that training goes on from. Choose another module, signature or "
        "output."
    )


def _are_finite(values: list[tf.Tensor]) -> tf.Tensor:
    return tf.reduce_all([tf.reduce_all(tf.math.is_finite(value)) for value in values])


def _restore(session: tf.compat.v1.Session, checkpoint: str) -> None:
    """Gives the variables of the default graph the values that a checkpoint has of them."""
    saved = open_checkpoint(checkpoint)
    there = [
        variable
        for variable in tf.compat.v1.global_variables()
        if saved.has_tensor(variable.op.name) or "/part_" in variable.op.name
    ]
    if there:
        tf.compat.v1.train.Saver(there).restore(session, checkpoint)


def _first(session: tf.compat.v1.Session, messages: Mapping[str, tf.Tensor]) -> str | None:
    for _ in range(_MOST_BATCHES):
        try:
            found = session.run(dict(messages))
        except tf.errors.OutOfRangeError:
            return None
        for message, is_finite in found.items():
            if not is_finite:
                return message
    return None
