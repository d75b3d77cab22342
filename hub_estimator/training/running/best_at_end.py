"""Exporters whose last export is of the best checkpoint and not of the last one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub_estimator import compat
from hub_estimator.training.model_folder.history import metrics_of
from hub_estimator.training.model_folder.model_folder import ModelFolder
from hub_estimator.training.objective import Objective


class BestAtEnd(compat.estimator_module().Exporter):  # type: ignore[misc]
    """An exporter that gets the best checkpoint where the export is the final one.

    Args:
      exporter: the exporter, of this package or of somebody else.
      folder: the model folder; the last evaluation is in its history already.
      objective: by what the best one is the best.
    """

    def __init__(self, exporter: Any, folder: ModelFolder, objective: Objective) -> None:
        self._exporter, self._folder, self._objective = exporter, folder, objective

    @property
    def name(self) -> str:
        """The exporter's."""
        return self._exporter.name

    def export(
        self,
        estimator: Any,
        export_path: str,
        checkpoint_path: str,
        eval_result: Mapping[str, Any],
        is_the_final_export: bool,
    ) -> Any:
        """Exports; see `tf.estimator.Exporter`."""
        best = self._folder.best_evaluation(self._objective) if is_the_final_export else None
        if best is not None and best["step"] != eval_result["global_step"]:
            checkpoint_path = self._folder.at(best["step"]).path
            eval_result = metrics_of(best)
        return self._exporter.export(
            estimator, export_path, checkpoint_path, eval_result, is_the_final_export
        )
