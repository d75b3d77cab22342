"""A trained model in a graph and a session of its own, to be fed examples."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from hub_estimator import compat
from hub_estimator.format.nodes import reached
from hub_estimator.graph.importing.reading import READING
from hub_estimator.training.running.preflight import Built

# Stateful by their definition, but two of them at once do what one after the other does.
_HARMLESS = READING | {"Assert"}
# Texts and numbers, unlike images, leave most of a second processor idle, and take little memory.
_OF_ROWS_AT_ONCE = 2


class LoadedModel:
    """A model that predicts, loaded once.

    Args:
      built: the model, built for prediction as a served model is; its graph can be used for nothing
        else from now on.
      keys: which of its predictions are wanted; None is all that there are.
      checkpoint: the prefix of the one with its values; needed no longer than this call.
      config: the `RunConfig` of the Estimator that would run it.
    """

    def __init__(
        self, built: Built, keys: Collection[Any] | None, checkpoint: str, config: Any
    ) -> None:
        self._features = built.features
        there = built.spec.predictions
        self._fetches = there if keys is None else {key: there[key] for key in keys}
        with built.graph.as_default():
            creator = tf.compat.v1.train.ChiefSessionCreator(
                built.spec.scaffold,
                config=config.session_config,
                checkpoint_filename_with_path=checkpoint,
            )
            self._hooks = list(built.spec.prediction_hooks or [])
            self._session = (
                tf.compat.v1.train.MonitoredSession(creator, self._hooks)
                if self._hooks
                else creator.create_session()
            )

    @property
    def calls_at_once(self) -> int:
        """How many calls are best under way; they give what they give one after the other."""
        are_rows = all(tensor.shape.rank in (1, 2) for tensor in self._features.values())
        return _OF_ROWS_AT_ONCE if are_rows and not self._hooks and self._is_pure() else 1

    def _is_pure(self) -> bool:
        """Whether predictions follow from the batch alone: nothing is random, no state changes."""
        fetched = {tensor.op for tensor in self._fetches.values()}
        graph = next(iter(fetched)).graph

        def sources(name: str) -> list[str]:
            operation = graph.get_operation_by_name(name)
            inputs = [tensor.op for tensor in operation.inputs]
            return [found.name for found in (*inputs, *operation.control_inputs)]

        needed = reached([operation.name for operation in fetched], sources)
        return all(_is_pure_op(graph.get_operation_by_name(name).type) for name in needed)

    def predictions(self, values: Mapping[str, np.ndarray]) -> Any:
        """Returns the predictions for a batch, those of each key.

        Args:
          values: of each feature, `[B, ...]`.
        """
        feeds = {tensor: values[name] for name, tensor in self._features.items()}
        return self._session.run(self._fetches, feeds)

    def close(self) -> None:
        """Frees the session."""
        self._session.close()


def _is_pure_op(op_type: str) -> bool:
    if not compat.knows_op(op_type):  # a call that does not say what is in it
        return False
    return not compat.is_stateful(op_type) or compat.makes_state(op_type) or op_type in _HARMLESS
