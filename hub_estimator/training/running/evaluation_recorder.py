"""Keeps what each evaluation of a training gave, wherever it runs."""

from __future__ import annotations

from typing import Any

from hub_estimator import compat
from hub_estimator.training.model_folder.history import History


class Recorder(compat.estimator_module().Exporter):  # type: ignore[misc]
    """Adds each evaluation to a history.

    It is an exporter because these are what the Estimator API calls after an evaluation with the
    checkpoint that was evaluated, in one process as in the evaluator of a cluster.

    Args:
      history: where to add them.
    """

    def __init__(self, history: History) -> None:
        self._history = history

    @property
    def name(self) -> str:
        """The name of the exporter, one that no other can have; nothing is exported under it."""
        return ".metrics"

    def export(
        self,
        estimator: Any,
        export_path: str | bytes,
        checkpoint_path: Any,
        eval_result: Any,
        is_the_final_export: bool,
    ) -> None:
        """Adds an evaluation; see `tf.estimator.Exporter`."""
        del estimator, export_path, is_the_final_export
        self._history.record(checkpoint_path, eval_result)
