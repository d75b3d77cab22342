"""Exporters that a run makes itself: they do something after an evaluation, or change other exporters.

They are exporters because these are what the Estimator API calls after an evaluation with the
checkpoint that was evaluated, in one process as in the evaluator of a cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hub_estimator import compat

# The prefix of a checkpoint, the metrics of its evaluation, whether the export is the final one.
Call = tuple[str, Mapping[str, Any], bool]


class AfterEvaluation(compat.estimator_module().Exporter):  # type: ignore[misc]
    """Exports nothing: calls a function after each evaluation.

    Args:
      name: of the exporter, one that no other can have.
      function: takes the prefix of the checkpoint and the metrics.
    """

    def __init__(self, name: str, function: Callable[[str, Mapping[str, Any]], Any]) -> None:
        self._name, self._function = name, function

    @property
    def name(self) -> str:
        """Its name; nothing is exported under it."""
        return self._name

    def export(
        self,
        estimator: Any,
        export_path: str,
        checkpoint_path: str,
        eval_result: Mapping[str, Any],
        is_the_final_export: bool,
    ) -> None:
        """Calls the function; see `tf.estimator.Exporter`."""
        del estimator, export_path, is_the_final_export
        self._function(checkpoint_path, eval_result)


class ChangedExporter(compat.estimator_module().Exporter):  # type: ignore[misc]
    """An exporter that is called with other arguments.

    Args:
      exporter: the exporter, of this package or of somebody else.
      change: returns what it is called with in the place of what it would be.
    """

    def __init__(self, exporter: Any, change: Callable[[Call], Call]) -> None:
        self._exporter, self._change = exporter, change

    @property
    def name(self) -> str:
        """The exporter's."""
        return str(self._exporter.name)

    def export(
        self,
        estimator: Any,
        export_path: str,
        checkpoint_path: str,
        eval_result: Mapping[str, Any],
        is_the_final_export: bool,
    ) -> Any:
        """Exports; see `tf.estimator.Exporter`."""
        call = self._change((checkpoint_path, eval_result, is_the_final_export))
        return self._exporter.export(estimator, export_path, *call)
