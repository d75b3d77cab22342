"""Which checkpoint of a model folder a job is to publish: the latest one, or the best.

Training may be under way in the folder, and may save, evaluate and remove checkpoints meanwhile. All
that is read here are names, an index, and the recorded evaluations.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import time
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from hub_estimator import digests, files
from hub_estimator.format import checkpoint_paths
from hub_estimator.training import checks
from hub_estimator.training.model_folder import checkpoints, history
from hub_estimator.training.model_folder.checkpoints import Checkpoint
from hub_estimator.training.objective import NOT_METRICS, Objective

_DAY_SECS = 86400.0
# Training writes its list right after a checkpoint; one that is still not in it later was saved by a
# training that was killed in between, or lies there without a list.
_UNLISTED_SECS = 60.0


@dataclasses.dataclass(frozen=True)
class Candidate:
    """A checkpoint to publish.

    Attributes:
      step: its global step.
      sha256: of its index: equal for equal checkpoints only.
      metrics: of its recorded evaluation, None for what is not finite; empty where there is none.
    """

    step: int
    sha256: str
    metrics: Mapping[str, float | None]

    @property
    def key(self) -> str:
        """What tells it from others, and from itself before it was evaluated."""
        return f"{self.sha256} {json.dumps(self.metrics, sort_keys=True)}"


class Choice(Protocol):
    """Which checkpoint of a model folder is looked for."""

    def candidate(self, model_dir: str) -> Candidate | None:
        """Returns it; None as long as there is none.

        Args:
          model_dir: the model folder; it is there.

        Raises:
          errors.Error: there will be none before something is changed.
          OSError: the folder cannot be read.
        """


@dataclasses.dataclass(frozen=True)
class Latest:
    """Looks for the checkpoint of the greatest step, evaluated or not."""

    def candidate(self, model_dir: str) -> Candidate | None:
        """See `Choice`."""
        evaluations = _evaluations(model_dir)
        for checkpoint in reversed(_saved(model_dir)):
            with contextlib.suppress(FileNotFoundError):  # training removed it just now
                return _candidate(checkpoint, evaluations)
        return None


@dataclasses.dataclass(frozen=True)
class Best:
    """Looks for the checkpoint with the best recorded evaluation, of those that are there.

    Attributes:
      metric: what decides, as `metrics.jsonl` has it.
      higher_is_better: see `Objective`.
      days: how old a checkpoint may be; None is any age.

    Raises:
      errors.InvalidSettingError: a setting has a value that it cannot have.
    """

    metric: str = "loss"
    higher_is_better: bool | None = None
    days: float | None = None

    def __post_init__(self) -> None:
        checks.text("Best.metric", self.metric)
        _ = self.objective
        if self.days is not None:
            checks.positive("Best.days", self.days)

    @property
    def objective(self) -> Objective:
        """What is better."""
        return Objective(self.metric, self.higher_is_better)

    def candidate(self, model_dir: str) -> Candidate | None:
        """See `Choice`.

        Raises:
          errors.MetricNotFoundError: there are evaluations, and none has this metric.
        """
        evaluations = _evaluations(model_dir)
        if evaluations:
            history.best([*evaluations.values()], self.objective)
        left = {checkpoint.step: checkpoint for checkpoint in self._recent(model_dir)}
        while True:
            there = [evaluations[step] for step in left if step in evaluations]
            found = history.best_if_any(there, self.objective)
            if found is None:
                return None
            with contextlib.suppress(FileNotFoundError):  # training removed it just now
                return _candidate(left.pop(found["step"]), evaluations)

    def _recent(self, model_dir: str) -> Iterator[Checkpoint]:
        for checkpoint in _saved(model_dir):
            if self.days is None or _age_secs(checkpoint) <= self.days * _DAY_SECS:
                yield checkpoint


def _candidate(checkpoint: Checkpoint, evaluations: Mapping[int, history.Evaluation]) -> Candidate:
    found = evaluations.get(checkpoint.step, {})
    metrics = {name: value for name, value in found.items() if name not in NOT_METRICS}
    return Candidate(checkpoint.step, digests.of_checkpoint(checkpoint.path), metrics)


def _evaluations(model_dir: str) -> dict[int, history.Evaluation]:
    """Returns the evaluations that were recorded in training, by step."""
    path = files.join(model_dir, f"{history.METRICS}.jsonl")
    return {found["step"]: found for found in history.History(path).evaluations()}


def _saved(model_dir: str) -> list[Checkpoint]:
    """Returns the checkpoints that nobody is still writing, that of the smallest step first."""
    listed = checkpoint_paths.read_list(model_dir).names
    return [
        checkpoint
        for checkpoint in checkpoints.in_folder(model_dir)
        if os.path.basename(checkpoint.path) in listed or _age_secs(checkpoint) > _UNLISTED_SECS
    ]


def _age_secs(checkpoint: Checkpoint) -> float:
    """Returns how long ago a checkpoint was written; 0 where it is gone."""
    path = f"{checkpoint.path}.index"
    if files.is_remote(path):
        status: Any = files.gfile().stat(path)
        return time.time() - status.mtime_nsec / 1e9
    try:
        return time.time() - os.stat(path).st_mtime
    except FileNotFoundError:
        return 0.0
