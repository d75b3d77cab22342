"""The leaderboard: a row for each trial, the best first, as a table for people and as a file."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

from hub_estimator import texts
from hub_estimator.sweep.results import ranking
from hub_estimator.sweep.results.final_results import FinalResult
from hub_estimator.sweep.trials import Study, Trial
from hub_estimator.training.charts.report_table import ReportTable

FILE = "leaderboard.csv"
_NOTHING = "-"
_BEST = "*"
_MOST_SHOWN = 20
_NOT_A_RESULT = "These values chose the best trials, and flatter them: they are no result."


@dataclasses.dataclass(frozen=True)
class Leaderboard:
    """The trials of a study, the best first.

    Attributes:
      study: the study.
      final: what the final check found of the best ones; empty without one.
    """

    study: Study
    final: Sequence[FinalResult] = ()

    @property
    def trials(self) -> list[Trial]:
        """The trials, the best first."""
        return ranking.ranked(self.study)

    @property
    def metrics(self) -> list[str]:
        """The names of the metrics: those that the sweep goes by, then the others."""
        names = {name for trial in self.study.trials for name in trial.metrics}
        return [*self.goals, *sorted(names - set(self.goals))]

    @property
    def goals(self) -> list[str]:
        """The metrics that the sweep goes by."""
        return [objective.metric for objective in self.study.objectives]

    @property
    def checked(self) -> list[str]:
        """The names of the metrics of the final check: those that the sweep goes by, then the others."""
        names = {name for result in self.final for name in result.metrics}
        first = [name for name in self.goals if name in names]
        return [*first, *sorted(names - set(first))]

    @property
    def settings(self) -> list[str]:
        """The names of the settings."""
        names = {name for trial in self.study.trials for name in trial.settings}
        return [*self.study.settings, *sorted(names - set(self.study.settings))]

    def table(self) -> ReportTable:
        """Returns the table with all that there is; what the final check found is at its end."""
        checked = self.checked
        header = ["number", "state", *self.settings, *self.metrics, "seconds", "model_dir", "error"]
        for name in checked:
            header += [f"test_{name}_mean", f"test_{name}_deviation"]
        header += ["test_runs"] if self.final else []
        rows = [self._row(trial, checked) for trial in self.trials]
        return ReportTable(tuple(header), rows)

    def csv(self) -> bytes:
        """Returns the file."""
        return self.table().csv()

    def text(self) -> str:
        """Returns the tables for people."""
        parts = [f"{self._heading()}\n{self._shown()}"]
        more = len(self.study.trials) - _MOST_SHOWN
        if more > 0:
            parts.append(f"  {more} more are in {FILE}.\n")
        if self.final:
            parts.append(self._final_text())
        elif ranking.best(self.study):
            parts.append(f"{_NOT_A_RESULT}\nA final check makes one: Sweep.final_check.\n")
        return "".join(parts)

    def shown_table(self) -> ReportTable:
        """Returns the table with what people look at first."""
        best = {trial.number for trial in ranking.best(self.study)}
        header = ("", "trial", "state", *self.settings, *self.metrics, "seconds")
        rows = [
            (
                _BEST if trial.number in best else "",
                trial.number,
                trial.state,
                *self._of_settings(trial, _NOTHING),
                *(_value(self.study, trial, name) for name in self.metrics),
                round(trial.seconds, 1),
            )
            for trial in self.trials
        ]
        return ReportTable(header, rows)

    def final_table(self, names: Sequence[str] | None = None) -> ReportTable:
        """Returns the table of the final check, the best first.

        Args:
          names: of the metrics that it has; None is all.
        """
        names = self.checked if names is None else names
        header = ("trial", *self.settings, *names, "runs")
        trials = {trial.number: trial for trial in self.study.trials}
        rows = [
            (
                result.trial,
                *self._of_settings(trials.get(result.trial), _NOTHING),
                *(result.shown(name) for name in names),
                f"{result.runs} ({result.failed} failed)" if result.failed else result.runs,
            )
            for result in self.final
        ]
        return ReportTable(header, rows)

    def _row(self, trial: Trial, checked: Sequence[str]) -> tuple[Any, ...]:
        found = next((result for result in self.final if result.trial == trial.number), None)
        row = [
            trial.number,
            trial.state,
            *self._of_settings(trial, None),
            *(_value(self.study, trial, name) for name in self.metrics),
            round(trial.seconds, 3),
            trial.model_dir,
            None if trial.error is None else texts.one_line(trial.error),
        ]
        for name in checked:
            row += (
                [math.nan, math.nan] if found is None else [found.mean(name), found.deviation(name)]
            )
        row += ([None] if found is None else [found.runs]) if self.final else []
        return tuple(row)

    def _of_settings(self, trial: Trial | None, missing: str | None) -> list[str | None]:
        return [
            missing if trial is None else trial.settings.get(name, missing)
            for name in self.settings
        ]

    def _heading(self) -> str:
        """Returns what stands above the table: how many trials there are, and what is better."""
        counts = {
            state: sum(trial.state == state for trial in self.study.trials)
            for state in ("complete", "pruned", "failed", "running", "waiting")
        }
        shown = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
        ways = [
            f"{texts.one_line(objective.metric)} ({'higher' if objective.maximizes else 'lower'} is better)"
            for objective in self.study.objectives
        ]
        what = "the best" if len(ways) == 1 else "of the Pareto front"
        return (
            f"Trials of the sweep {texts.one_line(self.study.name)}: {shown or 'none'}; by "
            f"{' and '.join(ways)}, {_BEST} is {what}:"
        )

    def _shown(self) -> str:
        table = self.shown_table()
        width = 3 + len(self.settings) + len(self.study.objectives)
        rows = [(*row[:width], row[-1]) for row in (table.header, *table.rows[:_MOST_SHOWN])]
        return texts.aligned([[_cell(value) for value in row] for row in rows])

    def _final_text(self) -> str:
        table = self.final_table(self.goals)
        rows = [[_cell(value) for value in row] for row in (table.header, *table.rows)]
        return (
            f"{_NOT_A_RESULT}\nThe final check: trained again with other seeds, and evaluated on data "
            f"that the search did not see; mean ± standard deviation:\n{texts.aligned(rows)}"
        )


def _value(study: Study, trial: Trial, name: str) -> float:
    """Returns a metric of a trial; NaN where it has none."""
    goals = [objective.metric for objective in study.objectives]
    if trial.values is not None and name in goals:
        return trial.values[goals.index(name)]
    return trial.metrics.get(name, math.nan)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return (
            _NOTHING
            if math.isnan(value)
            else f"{value:.4g}"
            if abs(value) < 1000
            else f"{value:.0f}"
        )
    return str(value)
