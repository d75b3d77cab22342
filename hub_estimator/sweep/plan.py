"""All that a worker needs to know of a sweep, and where things are."""

from __future__ import annotations

import dataclasses
import functools
import os
import re

from hub_estimator import files
from hub_estimator.sweep.runner import Runner
from hub_estimator.sweep.sweep import Sweep

_DATABASE = "sweep.db"


@dataclasses.dataclass(frozen=True)
class Plan:
    """A sweep with its place; it is handed to processes.

    Attributes:
      sweep: what is searched.
      runner: runs a trial.
      folder: the folder of the sweep, an absolute path.
      workers: how many work on this machine.
      given_storage: the URL of the storage; None is a file in the folder.
      given_trials: how many trials; None is as `sweep` has it.
    """

    sweep: Sweep
    runner: Runner
    folder: str
    workers: int = 1
    given_storage: str | None = None
    given_trials: int | None = None

    @property
    def name(self) -> str:
        """What the sweep is called in its storage."""
        return self.sweep.name or os.path.basename(self.folder)

    @property
    def storage(self) -> str:
        """The URL of the storage."""
        return self.given_storage or f"sqlite:///{files.join(self.folder, _DATABASE)}"

    @property
    def has_storage(self) -> bool:
        """Whether there is a storage, as far as that is known without asking a server."""
        return self.given_storage is not None or files.exists(files.join(self.folder, _DATABASE))

    @property
    def is_local(self) -> bool:
        """Whether the storage is a file, not a server that may be started again meanwhile."""
        return self.storage.startswith("sqlite")

    @functools.cached_property
    def number(self) -> int:
        """How many trials there are to be."""
        if self.given_trials is None:
            return self.sweep.number_of_trials
        return dataclasses.replace(self.sweep, trials=self.given_trials).number_of_trials

    def model_dir(self, number: int) -> str:
        """Returns the model folder of a trial."""
        return files.join(self.folder, "trials", str(number))

    def log(self, number: int) -> str:
        """Returns the path of the output of a trial."""
        return files.join(self.folder, "logs", f"{number}.log")

    @property
    def workers_folder(self) -> str:
        """The folder in which each worker holds a lock as long as it lives."""
        return files.join(self.folder, "workers")

    def lock(self, worker: str) -> str:
        """Returns the path of the lock of a worker."""
        return files.join(self.workers_folder, f"{re.sub('[^A-Za-z0-9.-]', '_', worker)}.lock")
