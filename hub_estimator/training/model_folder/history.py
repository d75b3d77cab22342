"""What the evaluations of a model folder gave: one JSON object a line, one line a step.

`metrics.jsonl` is what early stopping, the choice of the best checkpoint, and reports go by. An
evaluation of a step that was evaluated before takes the place of the old one, and training that
goes on from a step forgets what came after it: the file tells one story. Evaluations of other data,
made under a name, are kept in `metrics_<name>.jsonl`.
"""

from __future__ import annotations

import contextlib
import json
import math
import numbers
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hub_estimator import errors, files, json_text
from hub_estimator.files import locks
from hub_estimator.training.objective import NOT_METRICS, Objective

# One evaluation: `{"step": 500, "checkpoint": "model.ckpt-500", "accuracy": 0.8, ...}`. A metric
# that is not finite is None.
Evaluation = Mapping[str, Any]

METRICS = "metrics"
"""What the file of a model folder's evaluations is called, but for a name and `.jsonl`."""

_GLOBAL_STEP = "global_step"


class History:
    """The evaluations of a model folder.

    Args:
      path: the file; it need not be there yet.
    """

    def __init__(self, path: str) -> None:
        self.path = path

    def evaluations(self) -> list[Evaluation]:
        """Returns the evaluations, those of the smallest steps first.

        Raises:
          errors.DataFileError: a line is not one.
        """
        if not files.exists(self.path):
            return []
        text = files.read_bytes(self.path).decode("utf-8", "replace")
        lines = text.removesuffix("\n").split("\n") if text else []
        return [self._parsed(number, line) for number, line in enumerate(lines, 1)]

    def record(self, checkpoint: str, metrics: Mapping[str, Any]) -> Evaluation:
        """Adds an evaluation, in place of an earlier one of the same step.

        Args:
          checkpoint: the prefix of the checkpoint; its name alone is kept, so that folders can move.
          metrics: what `Estimator.evaluate` returned, its `global_step` included.

        Returns:
          The evaluation as it is kept.
        """
        new = {"step": int(metrics[_GLOBAL_STEP]), "checkpoint": os.path.basename(checkpoint)}
        new |= kept(metrics)
        with self._locked():
            others = [
                evaluation for evaluation in self.evaluations() if evaluation["step"] != new["step"]
            ]
            self._write([*others, new])
        return new

    def forget_after(self, step: int) -> None:
        """Forgets the evaluations of greater steps, which training is about to do again."""
        with self._locked():
            kept = [evaluation for evaluation in self.evaluations() if evaluation["step"] <= step]
            if len(kept) < len(self.evaluations()):
                self._write(kept)

    def _write(self, evaluations: Sequence[Evaluation]) -> None:
        in_order = sorted(evaluations, key=lambda evaluation: evaluation["step"])
        lines = [
            json.dumps(evaluation, ensure_ascii=False, allow_nan=False) for evaluation in in_order
        ]
        files.write_text(self.path, "".join(f"{line}\n" for line in lines))

    def _parsed(self, number: int, line: str) -> Evaluation:
        try:
            content = json_text.parse(line)
            content["step"] = int(content["step"])
            files.check_name("The checkpoint", content["checkpoint"])
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            raise errors.DataFileError(
                f"Line {number} of {self.path!r} is not an evaluation: {line[:60]!r}. Remove the "
                "line, or the file."
            ) from error
        return content

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Keeps other processes out: training and an evaluation beside it write the same file.

        Where the filesystem has no locks, a line of another process can be lost.
        """
        if files.is_remote(self.path):
            yield
            return
        folder, name = os.path.split(self.path)
        files.make_folder(folder)
        with locks.where_possible(locks.held, os.path.join(folder, f".{name}.lock")):
            yield


def best(evaluations: Sequence[Evaluation], objective: Objective) -> Evaluation:
    """Returns the best of some evaluations, the earliest of equal ones.

    Args:
      evaluations: what `History.evaluations` returned.
      objective: what is better.

    Raises:
      errors.MetricNotFoundError: none of them has this metric, or none a number.
    """
    found = best_if_any(evaluations, objective)
    if found is None:
        raise _no_metric(evaluations, objective.metric)
    return found


def check_metric(evaluations: Sequence[Evaluation], metric: str) -> None:
    """Checks that some evaluation has a metric, where there are evaluations.

    Raises:
      errors.MetricNotFoundError: none has.
    """
    if evaluations and not any(metric in evaluation for evaluation in evaluations):
        raise _no_metric(evaluations, metric)


def _no_metric(evaluations: Sequence[Evaluation], metric: str) -> errors.MetricNotFoundError:
    there = sorted({name for evaluation in evaluations for name in evaluation} - NOT_METRICS)
    has = f"They have: {', '.join(there)}." if there else "There is none."
    return errors.MetricNotFoundError(
        f"No evaluation in the model folder has the metric {metric!r}. {has}"
    )


def best_if_any(evaluations: Sequence[Evaluation], objective: Objective) -> Evaluation | None:
    """Returns the best of some evaluations; None where none has a number for the metric.

    Args:
      evaluations: see `best`.
      objective: what is better.
    """
    found: tuple[float, Evaluation] | None = None
    for evaluation in sorted(evaluations, key=lambda evaluation: evaluation["step"]):
        value = objective.value(evaluation)
        if value is not None and (found is None or objective.is_better(value, found[0])):
            found = value, evaluation
    return found[1] if found is not None else None


def metrics_of(evaluation: Evaluation) -> dict[str, Any]:
    """Returns the metrics of an evaluation as `Estimator.evaluate` returns them, with the step."""
    metrics = {
        name: math.nan if value is None else value
        for name, value in evaluation.items()
        if name not in NOT_METRICS
    }
    return {**metrics, _GLOBAL_STEP: evaluation["step"]}


def is_metric(name: str, metrics: Mapping[str, Any]) -> bool:
    """Whether an entry of what `Estimator.evaluate` returns is a number to keep."""
    return name != _GLOBAL_STEP and isinstance(metrics[name], numbers.Real)


def kept(metrics: Mapping[str, Any]) -> dict[str, float | None]:
    """Returns the metrics of an evaluation as they are kept, by name: None for what is not finite.

    Args:
      metrics: what `Estimator.evaluate` returned.
    """
    from hub_estimator.training.exporters.export_records import as_plain  # brings TensorFlow

    found = {name: as_plain(metrics[name]) for name in sorted(metrics) if is_metric(name, metrics)}
    return {name: None if value is None else float(value) for name, value in found.items()}
