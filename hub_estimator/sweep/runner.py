"""A trial's run, in a process of its own, which alone loads TensorFlow."""

from __future__ import annotations

import dataclasses
import math
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from hub_estimator import errors, files
from hub_estimator.sweep.trials import MODULE_SIZE, ROWS_PER_SECOND
from hub_estimator.training.fresh_process import answer_of_fresh_process
from hub_estimator.training.objective import NOT_METRICS

_MEGABYTE = 1e6
_OF_MODULES = ("tfhub_module.pb", "saved_model.pb")


@dataclasses.dataclass(frozen=True)
class Ended:
    """What a run came to.

    Attributes:
      step: the global step of the evaluation that counts.
      metrics: of that evaluation, by name, those that are finite.
    """

    step: int
    metrics: Mapping[str, float]


@dataclasses.dataclass(frozen=True)
class Run:
    """A run of a trial.

    Attributes:
      settings: what the trial sets: gin texts by the names of settings.
      model_dir: its model folder; the evaluations of the run appear in its `metrics.jsonl`.
      log: the file of its output.
      environment: variables of the environment of its process.
    """

    settings: Mapping[str, str]
    model_dir: str
    log: str
    environment: Mapping[str, str]


class Runner(Protocol):
    """Runs trials."""

    def __call__(self, run: Run, stopping: threading.Event) -> Ended:
        """Runs a trial, or goes on where it ended before.

        Args:
          run: what to run.
          stopping: where another thread sets it, the trial is to save what it did and end.

        Raises:
          errors.InterruptedRunError: it was stopped.
          errors.Error: it failed.
        """


@dataclasses.dataclass(frozen=True)
class ExperimentRunner:
    """Runs the experiment of gin files.

    Attributes:
      gin_text: describes it.
      gin_bindings: override the text; a trial's settings override them.
      allowed_imports: see `from_gin`.
      measures_speed: whether `ROWS_PER_SECOND` is wanted, which takes a process more.
    """

    gin_text: str
    gin_bindings: tuple[str, ...] = ()
    allowed_imports: tuple[str, ...] = ()
    measures_speed: bool = False

    def __call__(self, run: Run, stopping: threading.Event) -> Ended:
        """See `Runner`."""
        answer = self.answer(run, stopping, "train_and_evaluate")
        metrics = finite(answer["metrics"])
        if not metrics:
            raise errors.ModelFolderError(
                f"The run in {run.model_dir!r} has no evaluation that could count. Remove the folder, "
                "and run the same command again."
            )
        size = _size(answer["exports"].values())
        if size:
            metrics[MODULE_SIZE] = size
        if self.measures_speed:
            metrics[ROWS_PER_SECOND] = self.answer(run, stopping, "rows_per_second")
        return Ended(answer["step"], metrics)

    def answer(
        self,
        run: Run,
        stopping: threading.Event,
        verb: str,
        bindings: Sequence[str] = (),
        **arguments: Any,
    ) -> Any:
        """Returns what a verb gives for a run, in a process of its own.

        Args:
          run: the run.
          stopping: see `Runner`.
          verb: see `answer_of_fresh_process`.
          bindings: override what the trial sets.
          **arguments: of the verb.

        Raises:
          errors.Error: see `Runner`.
        """
        return answer_of_fresh_process(
            self.gin_text,
            run.model_dir,
            verb,
            [*self.bindings(run.settings), *bindings],
            self.allowed_imports,
            log_path=run.log,
            stopping=stopping,
            environment=run.environment,
            **arguments,
        )

    def bindings(self, settings: Mapping[str, str]) -> list[str]:
        """Returns all bindings of a trial with some settings."""
        return [*self.gin_bindings, *(f"{name} = {text}" for name, text in settings.items())]


def finite(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Returns the metrics of an evaluation, those that are finite."""
    return {
        name: float(value)
        for name, value in metrics.items()
        if name not in NOT_METRICS and isinstance(value, (int, float)) and math.isfinite(value)
    }


def _size(exports: Iterable[str]) -> float:
    """Returns the size of the modules in exports; several exporters may have exported the same one."""
    sizes: dict[str, int] = {}
    for export in exports:
        if files.is_remote(export):
            continue
        for name in files.listing(export):
            module = files.join(export, name)
            if any(files.exists(files.join(module, file)) for file in _OF_MODULES):
                sizes[name] = _folder_size(module)
    return sum(sizes.values()) / _MEGABYTE


def _folder_size(folder: str) -> int:
    return sum(
        os.path.getsize(os.path.join(place, name))
        for place, _, names in os.walk(folder)
        for name in names
    )
