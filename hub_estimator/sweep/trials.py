"""A trial of a sweep, and a sweep's trials, as values: what is known of them at one moment."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping
from typing import Literal

from hub_estimator.training.objective import Objective

State = Literal["waiting", "running", "complete", "pruned", "failed"]
FINISHED: frozenset[State] = frozenset(["complete", "pruned", "failed"])
"""The states that a trial stays in."""
MODULE_SIZE = "module_megabytes"
"""A metric beside those of evaluations: the size of the modules that the trial exported."""
ROWS_PER_SECOND = "rows_per_second"
"""Another one: for how many examples in a second the trial's model predicts."""
AT_THE_END = (MODULE_SIZE, ROWS_PER_SECOND)
"""The metrics that a trial has at its end only."""


@dataclasses.dataclass(frozen=True)
class Trial:
    """A trial: a run of the experiment with some settings replaced.

    One whose worker was killed is the same trial when it is run again.

    Attributes:
      number: the first is 0. Each number from 0 to that of the trials asked for is there once.
      state: `"waiting"` until a worker takes it, also to run it again.
      settings: what the trial sets, as gin texts, by the names of settings: `{"MODULE": "'/m/1'"}`.
        Empty as long as it waits and nobody chose.
      values: of each objective the value that counts, in their order; None as long as there is none.
        Of a pruned trial it is that of its last evaluation.
      reports: the value of the first objective by the global step of its evaluation; what is not
        finite is not there.
      metrics: by name, of the evaluation that counts, those that are finite.
      step: the global step of that evaluation.
      seconds: how long it was worked at, all of its runs together.
      started: when it was started first; None as long as it was not.
      model_dir: its model folder, whose parent may be a folder of another machine.
      worker: the name of the worker that had it last; empty as long as none had.
      error: why it failed; None for other states.
    """

    number: int
    state: State
    settings: Mapping[str, str] = dataclasses.field(default_factory=dict)
    values: tuple[float, ...] | None = None
    reports: Mapping[int, float] = dataclasses.field(default_factory=dict)
    metrics: Mapping[str, float] = dataclasses.field(default_factory=dict)
    step: int | None = None
    seconds: float = 0.0
    started: datetime.datetime | None = None
    model_dir: str = ""
    worker: str = ""
    error: str | None = None

    @property
    def is_finished(self) -> bool:
        """Whether it stays as it is."""
        return self.state in FINISHED


@dataclasses.dataclass(frozen=True)
class Study:
    """A sweep and its trials, at one moment.

    Attributes:
      name: what it is called in its storage.
      objectives: what is better; one, or several, of which none comes first.
      settings: the names of all settings that trials may set, in the order of the space.
      trials: those that there are, by number.
      storage: the URL of the storage, with its password hidden.
    """

    name: str
    objectives: tuple[Objective, ...]
    settings: tuple[str, ...] = ()
    trials: tuple[Trial, ...] = ()
    storage: str = ""

    @property
    def is_finished(self) -> bool:
        """Whether all trials stay as they are."""
        return all(trial.is_finished for trial in self.trials)
