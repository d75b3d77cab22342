"""Which checkpoints of a model folder to use."""

from __future__ import annotations

import dataclasses
import logging
from typing import TYPE_CHECKING, Literal

from hub_estimator import errors, files
from hub_estimator.training.model_folder.checkpoint_names import step_of
from hub_estimator.training.model_folder.checkpoints import Checkpoint
from hub_estimator.training.objective import Objective

if TYPE_CHECKING:  # it brings TensorFlow, which a choice does without
    from hub_estimator.training.model_folder.model_folder import ModelFolder

# What a run may say that it ends on.
Default = Literal["latest", "best"]

_logger = logging.getLogger("hub_estimator")


@dataclasses.dataclass(frozen=True)
class CheckpointChoice:
    """Which checkpoints to use.

    Attributes:
      which: `"latest"`, `"best"`, `"all"`, a global step, or the path of a checkpoint in the model
        folder: its prefix, or one of its files. None is the one that the run ended on: the best with
        `Experiment.load_best_model_at_end`, or else the latest.
      objective: by what the best one is the best; None is by the experiment's.

    Raises:
      errors.InvalidSettingError: there is an objective, and `which` is not `"best"`.
    """

    which: str | int | None = None
    objective: Objective | None = None

    def __post_init__(self) -> None:
        if self.objective is not None and self.which != "best":
            raise errors.InvalidSettingError(
                f"CheckpointChoice.objective says which checkpoint is the best, and which is "
                f"{self.which!r}. Give which='best', or no objective."
            )

    def one(self, folder: ModelFolder, goal: Objective, default: Default = "latest") -> Checkpoint:
        """Returns the checkpoint, of all of them the last.

        Args:
          folder: the model folder.
          goal: the experiment's objective.
          default: what the run ended on, `Experiment.ends_on`.

        Raises:
          errors.ModelFolderError: there is none such.
          errors.MetricNotFoundError: no evaluation has the metric of the objective.
        """
        if self.which == "best":
            return folder.best(self.objective or goal)
        if self.which is None and default == "best":
            return _best_or_latest(folder, goal)
        if self.which in (None, "latest", "all"):
            return folder.latest()
        return folder.at(self._step(folder))

    def _step(self, folder: ModelFolder) -> int:
        which = str(self.which)
        if which.isdecimal():
            return int(which)
        step, place = step_of(which), files.parent(files.as_path(which))
        if step is None:
            raise errors.ModelFolderError(
                f"There is no checkpoint {which!r}. Give 'latest', 'best' or a step."
            )
        if place and not files.is_same(place, folder.path):
            raise errors.ModelFolderError(
                f"The checkpoint {which!r} is not in the model folder {folder.path!r}. Give its "
                f"step, {step}, where that was moved, or the model folder that it is in."
            )
        return step

    def every(
        self, folder: ModelFolder, goal: Objective, default: Default = "latest"
    ) -> list[Checkpoint]:
        """Returns the checkpoints, that of the smallest step first; see `one`."""
        last = self.one(folder, goal, default)
        return folder.checkpoints() if self.which == "all" else [last]


def _best_or_latest(folder: ModelFolder, goal: Objective) -> Checkpoint:
    """Returns the best one, which nobody asked for by name; where none is known the latest."""
    if folder.best_evaluation(goal) is not None:
        return folder.best(goal)
    latest = folder.latest()
    _logger.warning(
        "No checkpoint in %s was evaluated by %s. Taken is the latest, of step %d.",
        folder.path, goal.metric, latest.step,
    )  # fmt: skip
    return latest


DEFAULT = CheckpointChoice()
