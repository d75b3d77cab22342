"""Follows a training in another process: waits for its folder, and for each of its checkpoints."""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Callable, Iterable, Iterator

from hub_estimator.training.early_stopping import EarlyStopping
from hub_estimator.training.model_folder.checkpoints import Checkpoint
from hub_estimator.training.model_folder.model_folder import ModelFolder
from hub_estimator.training.running.interruption import Signals

_POLL_SECS = 1.0
_logger = logging.getLogger("hub_estimator")


@dataclasses.dataclass(frozen=True)
class Following:
    """Each checkpoint that training saves, once, those that are there already included.

    Attributes:
      timeout_secs: how long to wait for the next one before it ends.
      poll_secs: seconds from one look into the folder to the next.
    """

    timeout_secs: float
    poll_secs: float = _POLL_SECS

    def wait_for_settings(self, folder: ModelFolder) -> None:
        """Waits until training has written its settings; those that look for them say if it did."""
        self._wait(lambda: folder.has_settings, "a training to begin", folder)

    def wait_for_checkpoint(self, folder: ModelFolder) -> None:
        """Waits until there is a checkpoint; those that look for one say if there is."""
        self._wait(lambda: bool(folder.finished_checkpoints()), "the first checkpoint", folder)

    def checkpoints(
        self,
        folder: ModelFolder,
        done: Iterable[int],
        last_step: int,
        early_stopping: EarlyStopping | None = None,
    ) -> Iterator[Checkpoint]:
        """Yields the checkpoints as they appear.

        Args:
          folder: the model folder.
          done: the steps that were evaluated already.
          last_step: the step at which training ends, and this too.
          early_stopping: when training ends before that; None is never.
        """
        seen = set(done)
        deadline = time.monotonic() + self.timeout_secs
        while True:
            # Before the look into the folder: a training that ended by then saves no more.
            ended_early = _ended_early(folder, early_stopping)
            for checkpoint in folder.finished_checkpoints():
                if checkpoint.step not in seen:
                    seen.add(checkpoint.step)
                    yield checkpoint
                    deadline = time.monotonic() + self.timeout_secs
            if ended_early or max(seen, default=0) >= last_step:
                return
            if time.monotonic() >= deadline:
                _logger.info(
                    "No new checkpoint in %s for %.0f seconds.", folder.path, self.timeout_secs
                )
                return
            time.sleep(self.poll_secs)

    def _wait(self, is_there: Callable[[], bool], what: str, folder: ModelFolder) -> None:
        deadline = time.monotonic() + self.timeout_secs
        with Signals().listening():
            if not is_there() and self.timeout_secs:
                _logger.info(
                    "Waiting for %s in %s, up to %.0f seconds.",
                    what, folder.path, self.timeout_secs,
                )  # fmt: skip
            while not is_there() and time.monotonic() < deadline:
                time.sleep(self.poll_secs)


def _ended_early(folder: ModelFolder, early_stopping: EarlyStopping | None) -> bool:
    """Whether the evaluations that training made are such that it ended."""
    if early_stopping is None or not early_stopping.has_ended(folder.evaluations_so_far()):
        return False
    _logger.info("Training in %s ended early.", folder.path)
    return True
