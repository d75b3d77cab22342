"""The final check at work: a sweep of its own, whose trials are the best settings with each seed.

So its runs are shared among workers and machines, go on where one was killed, and are counted once, as
those of the search are.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from hub_estimator import errors, files
from hub_estimator.sweep import study, unseen_data
from hub_estimator.sweep.final_check import FinalCheck
from hub_estimator.sweep.plan import Plan
from hub_estimator.sweep.results import ranking
from hub_estimator.sweep.results.final_results import FinalResult
from hub_estimator.sweep.runner import Ended, ExperimentRunner, Run, finite
from hub_estimator.sweep.samplers import Grid
from hub_estimator.sweep.space import Trial as Chooser
from hub_estimator.sweep.sweep import Sweep
from hub_estimator.sweep.trials import Study, Trial

FOLDER = "final_check"
TEST = "test"
"""The name of the evaluations: each model folder has `metrics_test.jsonl`."""
_DIGITS = 8


@dataclasses.dataclass(frozen=True)
class Again:
    """The only dimension of a final check.

    Attributes:
      settings_by_run: by the name of each run what it sets: gin texts by the names of settings.
    """

    settings_by_run: Mapping[str, Mapping[str, str]]

    label = "run"
    when = None

    @property
    def names(self) -> tuple[str, ...]:
        """See `Dimension`."""
        return tuple(dict.fromkeys(name for each in self.settings_by_run.values() for name in each))

    def suggested(self, trial: Chooser) -> Any:
        """See `Dimension`."""
        return trial.suggest_categorical(self.label, self.points())

    def points(self) -> Sequence[Any]:
        """See `Dimension`."""
        return tuple(self.settings_by_run)

    extremes = points

    def settings(self, value: Any) -> dict[str, str]:
        """See `Dimension`."""
        return dict(self.settings_by_run[value])


@dataclasses.dataclass(frozen=True)
class FinalRunner:
    """Trains as the search does, and evaluates what that ended on on other data.

    Attributes:
      runner: that of the search.
      bindings: see `FinalCheck`.
    """

    runner: ExperimentRunner
    bindings: tuple[str, ...]

    def __call__(self, run: Run, stopping: threading.Event) -> Ended:
        """See `Runner`."""
        trained = self.runner(run, stopping)
        [*_, found] = self.runner.answer(run, stopping, "evaluate", self.bindings, name=TEST)
        others = {name: value for name, value in trained.metrics.items() if name not in found}
        return Ended(found["step"], others | finite(found))


@dataclasses.dataclass(frozen=True)
class FinalRuns:
    """The runs of a final check.

    Attributes:
      plan: the sweep that they are.
      trials: the number of the trial whose settings each of them has, in their order.
    """

    plan: Plan
    trials: tuple[int, ...]

    @classmethod
    def of(cls, plan: Plan, found: Study) -> FinalRuns | None:
        """Returns the runs that follow a search; None where there are none.

        Args:
          plan: the search.
          found: its trials.
        """
        check, runner = plan.sweep.final_check, plan.runner
        if check is None or not isinstance(runner, ExperimentRunner) or not found.is_finished:
            return None
        best = [trial for front in ranking.fronts(found) for trial in front][: check.best]
        if not best:
            return None
        runs = [(trial, seed) for trial in best for seed in check.seeds]
        name = unseen_data.seed_name(runner.gin_text, runner.bindings(best[0].settings))
        by_run = {
            f"{trial.number}-{seed}": {**trial.settings, name: str(seed)} for trial, seed in runs
        }
        return cls(_plan(plan, check, runner, by_run), tuple(trial.number for trial, _ in runs))

    def seen(self) -> Study | None:
        """Returns how the runs stand; None where none was begun.

        Raises:
          errors.SweepStorageError: the storage cannot be used.
        """
        if not self.plan.has_storage:
            return None
        try:
            return study.read(self.plan.storage, self.plan.name)
        except errors.SweepStorageError as error:
            if isinstance(error.__cause__, KeyError):  # the storage has other sweeps
                return None
            raise

    def results(self, found: Study | None) -> list[FinalResult]:
        """Returns what runs found, the best trial first.

        Args:
          found: how they stand.
        """
        by_trial: dict[int, list[Trial]] = {}
        for run in found.trials if found is not None else ():
            if run.is_finished:
                by_trial.setdefault(self.trials[run.number], []).append(run)
        return [_result(number, runs) for number, runs in by_trial.items()]


def _plan(
    plan: Plan, check: FinalCheck, runner: ExperimentRunner, by_run: Mapping[str, Mapping[str, str]]
) -> Plan:
    # Another choice of trials, seeds or data is another check; what was done for this one stays.
    about = json.dumps([by_run, list(check.bindings)], sort_keys=True).encode()
    digest = hashlib.sha256(about).hexdigest()[:_DIGITS]
    sweep = Sweep(
        [Again(by_run)],
        list(plan.sweep.objectives),
        Grid(),
        name=f"{plan.name} final check {digest}",
        gpus=plan.sweep.gpus,
        keep_best=plan.sweep.keep_best,
        heartbeat_secs=plan.sweep.heartbeat_secs,
    )
    folder = files.join(plan.folder, FOLDER, digest)
    at_work = FinalRunner(runner, tuple(check.bindings))
    return Plan(sweep, at_work, folder, plan.workers, plan.given_storage)


def _result(number: int, runs: Sequence[Trial]) -> FinalResult:
    there = [run.metrics for run in runs if run.state == "complete"]
    names = list(dict.fromkeys(name for metrics in there for name in metrics))
    values = {name: [metrics[name] for metrics in there if name in metrics] for name in names}
    return FinalResult(number, values, len(runs) - len(there))
