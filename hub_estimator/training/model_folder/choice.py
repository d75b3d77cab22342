"""Which checkpoints of a model folder to use."""

from __future__ import annotations

import dataclasses

from hub_estimator import errors, files
from hub_estimator.training.model_folder.checkpoint_names import step_of
from hub_estimator.training.model_folder.checkpoints import Checkpoint
from hub_estimator.training.model_folder.model_folder import ModelFolder
from hub_estimator.training.objective import Objective


@dataclasses.dataclass(frozen=True)
class CheckpointChoice:
    """Which checkpoints to use.

    Attributes:
      which: `"latest"`, `"best"`, `"all"`, a global step, or the path of a checkpoint in the model
        folder: its prefix, or one of its files.
      objective: by what the best one is the best; None is by the experiment's.
    """

    which: str | int = "latest"
    objective: Objective | None = None

    def one(self, folder: ModelFolder, goal: Objective) -> Checkpoint:
        """Returns the checkpoint, of all of them the last.

        Args:
          folder: the model folder.
          goal: the experiment's objective.

        Raises:
          errors.ModelFolderError: there is none such.
          errors.MetricNotFoundError: no evaluation has the metric of the objective.
        """
        if self.which == "best":
            return folder.best(self.objective or goal)
        if self.which in ("latest", "all"):
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

    def every(self, folder: ModelFolder, goal: Objective) -> list[Checkpoint]:
        """Returns the checkpoints, that of the smallest step first; see `one`."""
        last = self.one(folder, goal)
        return folder.checkpoints() if self.which == "all" else [last]


LATEST = CheckpointChoice()
