"""Exporters whose last export is of the best checkpoint and not of the last one."""

from __future__ import annotations

from typing import Any

from hub_estimator.training.model_folder.history import metrics_of
from hub_estimator.training.model_folder.model_folder import ModelFolder
from hub_estimator.training.objective import Objective
from hub_estimator.training.running.exporter_calls import Call, ChangedExporter


def best_at_end(exporter: Any, folder: ModelFolder, objective: Objective) -> ChangedExporter:
    """Returns an exporter that gets the best checkpoint where the export is the final one.

    Args:
      exporter: the exporter, of this package or of somebody else.
      folder: the model folder; the last evaluation is in its history already.
      objective: by what the best one is the best.
    """

    def change(call: Call) -> Call:
        _, metrics, is_final = call
        best = folder.best_evaluation(objective) if is_final else None
        if best is None or best["step"] == metrics["global_step"]:
            return call
        return folder.at(best["step"]).path, metrics_of(best), is_final

    return ChangedExporter(exporter, change)
