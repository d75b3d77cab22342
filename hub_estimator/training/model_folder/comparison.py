"""Runs side by side: the best evaluation of each, the last one, and the settings that differ."""

from __future__ import annotations

import csv
import dataclasses
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

from hub_estimator import errors, texts
from hub_estimator.training.model_folder import history
from hub_estimator.training.model_folder.history import Evaluation
from hub_estimator.training.model_folder.run_texts import RunTexts
from hub_estimator.training.objective import NOT_METRICS, Objective

_NOTHING = "-"
_BEST = "*"
_NO_EVALUATION: Evaluation = {}


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Runs, the best first.

    Attributes:
      runs: the runs; those without the metric are the last.
      best: the best evaluation of each; empty where there is none.
      objective: what is better.
    """

    runs: Sequence[RunTexts]
    best: Sequence[Evaluation]
    objective: Objective

    @classmethod
    def of(cls, runs: Sequence[RunTexts], objective: Objective) -> Comparison:
        """Returns the comparison of runs.

        Raises:
          errors.MetricNotFoundError: evaluations have other metrics.
        """
        if any(run.evaluations for run in runs):
            history.best([each for run in runs for each in run.evaluations], objective)
        found = [(run, _best(run, objective)) for run in runs]

        def badness(pair: tuple[RunTexts, Evaluation]) -> tuple[bool, float]:
            value = objective.value(pair[1])
            return value is None, (-value if objective.maximizes else value) if value else 0.0

        ordered = sorted(found, key=badness)
        return cls([run for run, _ in ordered], [best for _, best in ordered], objective)

    def text(self) -> str:
        """Returns the tables for people."""
        way = "higher" if self.objective.maximizes else "lower"
        metric = texts.one_line(self.objective.metric)
        parts = [
            f"Best evaluation of each, by {metric} ({way} is better; {_BEST} is the best of all):",
            _evaluations(self.runs, self.best, self._marks(), self.objective.metric),
            "Last evaluation of each:",
            _evaluations(self.runs, self._last(), None, self.objective.metric),
            *self._differences(),
        ]
        others = [run for run in self.runs if run.objective != self.objective]
        parts += [
            f"{texts.one_line(run.path)} has another objective: {texts.one_line(run.objective.metric)}."
            for run in others
        ]
        return "\n".join(parts) + "\n"

    def csv(self) -> bytes:
        """Returns a CSV file: a row for each run, with its evaluations and the settings that differ."""
        names = _metrics(self.best, self.objective.metric)
        settings = self._differing()
        header = ["folder", "is_best", "best_step", *(f"best_{name}" for name in names)]
        header += ["last_step", *(f"last_{name}" for name in names), *settings]
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow(header)
        for run, mark, best, last in zip(
            self.runs, self._marks(), self.best, self._last(), strict=True
        ):
            values: list[Any] = [run.path, int(mark == _BEST)]
            for evaluation in (best, last):
                values += [evaluation.get(name) for name in ("step", *names)]
            writer.writerow([*values, *(self._shown(name).get(run.path) for name in settings)])
        return buffer.getvalue().encode("utf-8", "backslashreplace")

    def _marks(self) -> list[str]:
        """Returns what marks the best run, and those that are as good."""
        values = [self.objective.value(best) for best in self.best]
        return [_BEST if value is not None and value == values[0] else "" for value in values]

    def _last(self) -> list[Evaluation]:
        return [run.evaluations[-1] if run.evaluations else _NO_EVALUATION for run in self.runs]

    def _differing(self) -> list[str]:
        """Returns the names of the settings that are not the same in all runs."""
        names = sorted({name for run in self.runs for name in run.settings})
        return [name for name in names if len({run.settings.get(name) for run in self.runs}) > 1]

    def _shown(self, name: str) -> dict[str, str]:
        """Returns a setting of the runs that have it, by folder, such that others look otherwise.

        Paths are as they were given, but where one path led to several places.
        """
        found = {run.path: run.settings[name] for run in self.runs if name in run.settings}
        is_clear = len({setting.text for setting in found.values()}) == len(set(found.values()))
        return {
            path: setting.text if is_clear else setting.meaning for path, setting in found.items()
        }

    def _differences(self) -> list[str]:
        names = self._differing()
        if not names:
            return ["The settings are the same."]
        shown = {name: self._shown(name) for name in names}
        rows = [
            [name, *(shown[name].get(run.path, _NOTHING) for run in self.runs)] for name in names
        ]
        header = ["", *(str(number) for number in range(1, len(self.runs) + 1))]
        return ["Settings that differ:", texts.aligned([header, *rows])]


def _best(run: RunTexts, objective: Objective) -> Evaluation:
    try:
        return history.best(run.evaluations, objective)
    except errors.MetricNotFoundError:
        return _NO_EVALUATION


def _metrics(evaluations: Sequence[Evaluation], first: str) -> list[str]:
    """Returns the names of the metrics of evaluations, the one that counts before the others."""
    names = {name for evaluation in evaluations for name in evaluation} - NOT_METRICS
    return sorted(names, key=lambda name: (name != first, name))


def _evaluations(
    runs: Sequence[RunTexts],
    evaluations: Sequence[Evaluation],
    marks: Sequence[str] | None,
    first: str,
) -> str:
    names = _metrics(evaluations, first)
    rows = [["", *([""] if marks else []), "folder", "step", *names]]
    for number, (run, evaluation) in enumerate(zip(runs, evaluations, strict=True), 1):
        marked = [marks[number - 1]] if marks else []
        step = evaluation.get("step", _NOTHING)
        values = [_number(evaluation, name) for name in names]
        rows.append([str(number), *marked, run.path, str(step), *values])
    return texts.aligned(rows)


def _number(evaluation: Mapping[str, Any], name: str) -> str:
    value = evaluation.get(name)
    return f"{value:.4f}" if isinstance(value, float) and math.isfinite(value) else _NOTHING
