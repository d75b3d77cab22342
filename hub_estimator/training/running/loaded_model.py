"""A trained model in a graph and a session of its own, to be fed examples."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from hub_estimator import compat
from hub_estimator.format.nodes import reached
from hub_estimator.graph.importing.reading import HARMLESS
from hub_estimator.training.running.preflight import Built

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
      hooks: session run hooks, which see each call: then one call at a time.
    """

    def __init__(
        self,
        built: Built,
        keys: Collection[Any] | None,
        checkpoint: str,
        config: Any,
        hooks: Sequence[Any] = (),
    ) -> None:
        self._graph, self._features, self._hooks = built.graph, built.features, hooks
        there = built.spec.predictions
        self._fetches = there if keys is None else {key: there[key] for key in keys}
        with built.graph.as_default():
            creator = tf.compat.v1.train.ChiefSessionCreator(
                built.spec.scaffold,
                config=config.session_config,
                checkpoint_filename_with_path=checkpoint,
            )
            self._session = (
                tf.compat.v1.train.MonitoredSession(creator, hooks)
                if hooks
                else creator.create_session()
            )

    def __enter__(self) -> LoadedModel:  # noqa: PYI034 - `Self` is not in every Python here
        return self

    def __exit__(self, *error: object) -> None:
        """Frees the session; hooks are told of the end where there is no error."""
        if not self._hooks:
            self._session.close()
            return
        with self._graph.as_default():
            self._session.__exit__(*error)

    def close(self) -> None:
        """Frees the session."""
        self.__exit__(None, None, None)

    def should_stop(self) -> bool:
        """Whether a hook asked to end."""
        return bool(self._hooks) and self._session.should_stop()

    @property
    def calls_at_once(self) -> int:
        """How many calls are best under way; they give what they give one after the other."""
        are_rows = all(tensor.shape.rank in (1, 2) for tensor in self._features.values())
        return _OF_ROWS_AT_ONCE if are_rows and not self._hooks and self._is_pure() else 1

    def _is_pure(self) -> bool:
        """Whether predictions follow from the batch alone: nothing is random, no state changes."""
        fetched = {tensor.op for tensor in self._fetches.values()}

        def sources(name: str) -> list[str]:
            operation = self._graph.get_operation_by_name(name)
            inputs = [tensor.op for tensor in operation.inputs]
            return [found.name for found in (*inputs, *operation.control_inputs)]

        needed = reached([operation.name for operation in fetched], sources)
        return all(_is_pure_op(self._graph.get_operation_by_name(name).type) for name in needed)

    def predictions(self, values: Mapping[str, np.ndarray]) -> Any:
        """Returns the predictions for a batch, those of each key.

        Args:
          values: of each feature, `[B, ...]`.
        """
        feeds = {tensor: values[name] for name, tensor in self._features.items()}
        if not self._hooks:
            return self._session.run(self._fetches, feeds)
        with self._graph.as_default():  # as hooks know it from Estimators, in whichever thread
            return self._session.run(self._fetches, feeds)


def _is_pure_op(op_type: str) -> bool:
    if not compat.knows_op(op_type):  # a call that does not say what is in it
        return False
    return not compat.is_stateful(op_type) or compat.makes_state(op_type) or op_type in HARMLESS
