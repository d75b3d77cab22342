"""The final check: the best settings trained again with other seeds, on data that the search did not see.

What a search chose by says that a trial is good more often than it is: of many, the best one was lucky
too. So its settings are trained anew with several seeds, and each model is evaluated on other data.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import logging
import math
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from hub_estimator import errors, files, json_text
from hub_estimator.sweep.results import ranking
from hub_estimator.sweep.results.final_results import FinalResult
from hub_estimator.sweep.trials import Study, Trial
from hub_estimator.training import checks
from hub_estimator.training.objective import NOT_METRICS

FOLDER = "final_check"
TEST = "test"
"""The name of the evaluations: each model folder has `metrics_test.jsonl`."""
_RESULT = "result.json"

_logger = logging.getLogger("hub_estimator")


@dataclasses.dataclass(frozen=True)
class FinalCheck:
    """Which settings are trained again, how often, and what they are evaluated on.

    Attributes:
      bindings: settings that put other data in the place of the evaluation's, such as
        `["EVAL_DATA = 'test.csv'"]`: data that neither training nor the search saw.
      best: of how many trials, the best ones, the settings are trained again.
      seeds: of each training one.

    Raises:
      errors.InvalidSettingError: a setting has a value that it cannot have.
    """

    bindings: Sequence[str]
    best: int = 3
    seeds: Sequence[int] = (101, 102, 103)

    def __post_init__(self) -> None:
        checks.listed("FinalCheck.bindings", self.bindings, "[\"EVAL_DATA = 'test.csv'\"]")
        checks.listed("FinalCheck.seeds", self.seeds, "[101, 102, 103]")
        checks.whole_number("FinalCheck.best", self.best)
        for seed in self.seeds:
            checks.whole_number("FinalCheck.seeds", seed, least=0)
        if not self.bindings:
            raise errors.InvalidSettingError(
                "FinalCheck.bindings is empty; give the data that the search does not see, as in "
                "[\"EVAL_DATA = 'test.csv'\"]."
            )
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise errors.InvalidSettingError(
                f"FinalCheck.seeds is {list(self.seeds)}; give each seed once, and at least one."
            )

    def runs(self, study: Study, sweep_dir: str, seed_name: str) -> list[FinalRun]:
        """Returns the runs of a study whose trials are finished, those of the best trial first.

        Args:
          study: the study.
          sweep_dir: its folder.
          seed_name: the setting, or the macro, that the experiment has its seed of.
        """
        complete = [trial for front in ranking.fronts(study) for trial in front]
        return [
            FinalRun(
                trial,
                {**trial.settings, seed_name: str(seed)},
                tuple(self.bindings),
                files.join(sweep_dir, FOLDER, f"{trial.number}-{seed}"),
            )
            for trial in complete[: self.best]
            for seed in self.seeds
        ]


@dataclasses.dataclass(frozen=True)
class FinalRun:
    """One run of a final check.

    Attributes:
      trial: whose settings it has.
      settings: these with its seed, as gin texts by the names of settings.
      bindings: see `FinalCheck`.
      model_dir: its model folder.
    """

    trial: Trial
    settings: Mapping[str, str]
    bindings: tuple[str, ...]
    model_dir: str

    @property
    def name(self) -> str:
        """What the log calls it."""
        return f"{self.trial.number}, in {self.model_dir}"

    @property
    def training_bindings(self) -> list[str]:
        """What it sets."""
        return [f"{name} = {text}" for name, text in self.settings.items()]

    def outcome(self) -> Outcome | None:
        """Returns what it found; None where it is still to do.

        Raises:
          errors.DataFileError: its file is damaged.
        """
        path = files.join(self.model_dir, _RESULT)
        if not files.exists(path):
            return None
        try:
            content = json_text.parse(files.read_bytes(path))
            is_same = content["settings"] == dict(self.settings)
            is_same = is_same and content["bindings"] == list(self.bindings)
            metrics = {str(name): _number(value) for name, value in content["metrics"].items()}
            return Outcome(metrics, content["error"]) if is_same else None
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise errors.DataFileError(
                f"{path!r} is not what a final check wrote. Remove it, and run the sweep's command "
                "again."
            ) from error

    def save(self, outcome: Outcome) -> None:
        """Writes what it found, whole or not at all."""
        content = {
            "trial": self.trial.number,
            "settings": dict(self.settings),
            "bindings": list(self.bindings),
            **dataclasses.asdict(outcome),
        }
        files.make_folder(self.model_dir)
        files.write_text(files.join(self.model_dir, _RESULT), json_text.text(content))


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a run of a final check found.

    Attributes:
      metrics: by name; NaN is what is not finite.
      error: why there are none; None where there are.
    """

    metrics: Mapping[str, float]
    error: str | None = None


class Start(Protocol):
    """Runs the experiment of the sweep in a process of its own, as a trial is run."""

    def __call__(self, bindings: Sequence[str], model_dir: str, verb: str, **arguments: Any) -> Any:
        """Runs a verb with some settings replaced; see `run_in_fresh_process`."""


def results(runs: Sequence[FinalRun]) -> list[FinalResult]:
    """Returns what the runs found that are done by now, the best trial first.

    Raises:
      errors.DataFileError: a file of theirs is damaged.
    """
    found: dict[int, list[Outcome]] = {}
    for run in runs:
        outcome = run.outcome()
        if outcome is not None:
            found.setdefault(run.trial.number, []).append(outcome)
    return [_result(number, outcomes) for number, outcomes in found.items()]


def run_all(
    runs: Sequence[FinalRun], start: Start, workers: int, stopping: threading.Event
) -> None:
    """Does what is still to do, several runs at once; done again it goes on.

    What another process does in the same folders is left to that.

    Args:
      runs: what to do.
      start: runs the experiment; it stops where `stopping` is set.
      workers: how many runs at once.
      stopping: is set where this stops early.

    Raises:
      errors.InterruptedRunError: it was stopped.
    """
    left = [run for run in runs if run.outcome() is None]
    if not left:
        return
    _logger.info("Final check: %d runs, on data that the search did not see.", len(left))
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        try:
            for future in [pool.submit(_run, run, start) for run in left]:
                future.result()
        except BaseException:  # this process is to end
            stopping.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _run(run: FinalRun, start: Start) -> None:
    try:
        start(run.training_bindings, run.model_dir, "train_and_evaluate")
        given = [*run.training_bindings, *run.bindings]
        [*_, found] = start(given, run.model_dir, "evaluate", name=TEST)
    except errors.InterruptedRunError:
        raise
    except errors.LockHeldError as error:
        _logger.info("Final check of trial %s: %s", run.name, error)
        return
    except errors.Error as error:
        _logger.warning("Final check of trial %s, failed: %s", run.name, error)
        run.save(Outcome({}, f"{type(error).__name__}: {error}"))
        return
    metrics = {name: _number(found[name]) for name in found if name not in NOT_METRICS}
    run.save(Outcome(metrics))
    _logger.info("Final check of trial %s: done.", run.name)


def _result(number: int, outcomes: Sequence[Outcome]) -> FinalResult:
    there = [outcome.metrics for outcome in outcomes if outcome.error is None]
    names = list(dict.fromkeys(name for metrics in there for name in metrics))
    values = {name: [metrics.get(name, math.nan) for metrics in there] for name in names}
    return FinalResult(number, values, len(outcomes) - len(there))


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)
