"""What is in a model folder: the one place that knows the names and where each thing is.

| | |
|---|---|
| `operative_config.gin` | the settings that had an effect, and where; other commands read it, as data |
| `experiment.txt` | in its place, where the run was made in Python: the settings, for people |
| `class_names.json` | the names of the classes in the order of their numbers |
| `training_classes.json` | what the training data told of the classes, where the head asks for it |
| `modules.json` | the modules that the model was trained on; see `trained_modules` |
| `checkpoint`, `model.ckpt-<step>.*` | the checkpoints |
| `metrics.jsonl` | the evaluations; see `history` |
| `eval/`, `events.*` | TensorBoard's logs |
| `export/<exporter>/` | what exporters wrote |
| `report/` | pictures and tables of an evaluation |
| `profile/` | what the profiler wrote |
| `.training.lock` | held by the process that trains here |
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import re
from collections.abc import Iterable, Iterator

import tensorflow as tf

from hub_estimator import config, errors, files
from hub_estimator.files import locks
from hub_estimator.format import checkpoint_paths
from hub_estimator.format.checkpoint_damage import damage
from hub_estimator.training.inputs.failures import reason
from hub_estimator.training.model_folder import (
    checkpoint_names,
    checkpoints,
    history,
    retention,
    run_settings,
    trained_modules,
)
from hub_estimator.training.model_folder.checkpoints import Checkpoint
from hub_estimator.training.model_folder.history import METRICS, Evaluation, History
from hub_estimator.training.model_folder.kept_classes import KeptClasses
from hub_estimator.training.model_folder.trained_modules import Modules
from hub_estimator.training.objective import Objective

# What a run and the commands write; what else is in the folder is somebody else's.
_OWN = re.compile(
    r"operative_config\.gin|experiment\.txt|class_names\.json|training_classes\.json"
    r"|modules\.json|checkpoint|model\.ckpt-.*|graph\.pbtxt"
    r"|events\..*|metrics(_.*)?\.jsonl|(eval|report)(_.*)?|export|profile"
)
MODULES = "modules.json"
_LOCK = ".training.lock"

_logger = logging.getLogger("hub_estimator")


@dataclasses.dataclass(frozen=True)
class ModelFolder(KeptClasses):
    """A model folder; making one touches nothing.

    Attributes:
      path: the folder.
    """

    path: str

    @property
    def operative_config(self) -> str:
        """The path of the settings that had an effect."""
        return files.join(self.path, config.OPERATIVE_CONFIG)

    @property
    def profile(self) -> str:
        """The folder of what the profiler writes."""
        return files.join(self.path, "profile")

    def save_settings(self, text: str, is_gin: bool) -> None:
        """Writes the settings of a training, in place of those of an earlier one.

        Args:
          text: the settings.
          is_gin: whether it is the text of a gin file, which commands read.
        """
        paths = run_settings.paths(self.path)
        path, other = paths if is_gin else reversed(paths)
        files.remove(other)
        files.write_text(path, text)

    @property
    def settings(self) -> str | None:
        """The path of the settings that a training wrote, whichever kind they are; None without."""
        paths = run_settings.paths(self.path)
        return next((path for path in paths if files.exists(path)), None)

    @property
    def has_settings(self) -> bool:
        """Whether a training wrote its settings."""
        return self.settings is not None

    def export(self, exporter: str) -> str:
        """Returns the folder of what an exporter writes, `<path>/export/<exporter>`."""
        return files.join(self.path, "export", exporter)

    def report(self, name: str | None = None) -> str:
        """Returns the folder of the report of an evaluation."""
        return files.join(self.path, _named("report", name))

    def evaluation(self, name: str | None = None) -> str:
        """Returns the folder of the TensorBoard logs of an evaluation."""
        return files.join(self.path, _named("eval", name))

    def history(self, name: str | None = None) -> History:
        """Returns the evaluations made in training, or those made under a name."""
        return History(files.join(self.path, f"{_named(METRICS, name)}.jsonl"))

    def check(self) -> None:
        """Checks that training ran here.

        Raises:
          errors.ModelFolderError: there is no folder, or nothing of a run in it.
        """
        self.check_filesystem()
        run_settings.check(self.path)

    def check_filesystem(self) -> None:
        """Checks that the filesystem of the folder is known, and can be asked.

        Raises:
          errors.ModelFolderError: it is not.
        """
        if files.is_store(self.path):
            raise errors.ModelFolderError(
                f"The model folder {files.without_login(self.path)!r} cannot be reached: TensorFlow "
                f"has no filesystem {files.scheme_of(self.path)}://. Give a local path, or one that "
                "tf.io.gfile reads."
            )
        try:
            files.exists(self.path)
        except tf.errors.OpError as error:
            raise errors.ModelFolderError(
                f"The model folder {self.path!r} cannot be reached: {reason(error)}. Give a local "
                "path, or one that tf.io.gfile reads."
            ) from error

    def check_not_own(self, what: str, path: str) -> None:
        """Checks that a path is not among what runs write here, and replace or remove.

        Args:
          what: what messages call the thing that is there, or would be.
          path: the path.

        Raises:
          errors.OutputIsInputError: it is.
        """
        if not files.is_within(path, self.path):
            return
        within = os.path.relpath(os.path.realpath(path), os.path.realpath(self.path))
        name = within.split(os.sep)[0]
        if _OWN.fullmatch(name):
            raise errors.OutputIsInputError(
                f"{path!r}, {what}, is in the model folder {self.path!r}, where runs write, replace "
                f"and remove {name!r} themselves. Choose another place."
            )

    @contextlib.contextmanager
    def trained_alone(self) -> Iterator[None]:
        """Makes the folder, and lets nobody else train here for the time of a `with` block.

        Remote filesystems have no locks: there nothing keeps a second training out. Neither have
        some network filesystems, which the log says.

        Raises:
          errors.LockHeldError: somebody else does; the message says who.
        """
        files.make_folder(self.path)
        if files.is_remote(self.path):
            yield
            return
        path = files.join(self.path, _LOCK)
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(
                    locks.where_possible(locks.held_alone, path, self._say_unlocked)
                )
            except errors.LockHeldError as error:
                raise errors.LockHeldError(
                    f"Somebody else trains in the model folder {self.path!r}: {error}. Wait until "
                    "that ends, or choose another model folder."
                ) from error
            yield

    def _say_unlocked(self, error: OSError) -> None:
        _logger.warning(
            "No lock can be held in %s (%s): start no second training there.",
            self.path, error.strerror,
        )  # fmt: skip

    def check_free(self) -> None:
        """Checks that nobody trains here now, and writes nothing where nobody ever did.

        Raises:
          errors.LockHeldError: somebody does; the message says who.
        """
        if not files.is_remote(self.path) and files.exists(files.join(self.path, _LOCK)):
            with self.trained_alone():
                pass

    def checkpoints(self) -> list[Checkpoint]:
        """Returns the checkpoints that are there, that of the smallest step first."""
        return checkpoints.in_folder(self.path)

    def finished_checkpoints(self) -> list[Checkpoint]:
        """Returns those that are surely whole while training is saving others."""
        names = checkpoint_paths.read_list(self.path).names
        return [
            checkpoint
            for checkpoint in self.checkpoints()
            if os.path.basename(checkpoint.path) in names
        ]

    def mend_checkpoint_list(self) -> int:
        """Makes TensorFlow find the checkpoint that training goes on from; returns its step.

        That is the newest whole one. What killed saves left is removed. To be called where nobody
        else trains.

        Raises:
          errors.DamagedCheckpointError: there are checkpoints, and none is whole.
        """
        found = checkpoints.resumption(self.path)
        checkpoints.settle(self.path, found)
        return found.step

    def latest_step(self) -> int:
        """Returns the greatest step with a checkpoint; 0 without one."""
        return max((checkpoint.step for checkpoint in self.checkpoints()), default=0)

    def evaluations_so_far(self, step: int | None = None) -> list[Evaluation]:
        """Returns the evaluations up to a step; None is that of the newest checkpoint."""
        last = self.latest_step() if step is None else step
        return [
            evaluation for evaluation in self.history().evaluations() if evaluation["step"] <= last
        ]

    def latest(self) -> Checkpoint:
        """Returns the checkpoint of the greatest step.

        Raises:
          errors.ModelFolderError: there is none.
        """
        return self._all()[-1]

    def best(self, objective: Objective) -> Checkpoint:
        """Returns the best evaluated checkpoint that is still there; see `history.best`.

        Where a better one was removed, as earlier releases did, the log says so.

        Raises:
          errors.ModelFolderError: there is none.
          errors.MetricNotFoundError: there is none with such a metric.
        """
        there = {os.path.basename(checkpoint.path): checkpoint for checkpoint in self._all()}
        evaluations = self.history().evaluations()
        best = history.best(evaluations, objective)
        left = self.best_evaluation(objective)
        if left is None:
            raise errors.ModelFolderError(
                f"Of the checkpoints in {self.path!r}, none was evaluated by {objective.metric!r}: "
                f"those that were are removed. Evaluate what is left (step "
                f"{_steps(there.values())}) with hub_estimator.evaluate --checkpoint=all."
            )
        value, left_value = objective.value(best), objective.value(left)
        assert value is not None and left_value is not None
        if objective.is_better(value, left_value):
            _logger.warning(
                "The best evaluation by %s is that of step %d, %.4f, but its checkpoint was removed "
                "from %s. Taken is the best of those that are left: step %d, %.4f.",
                objective.metric, best["step"], value, self.path, left["step"], left_value,
            )  # fmt: skip
        return there[left["checkpoint"]]

    def best_evaluation(self, objective: Objective) -> Evaluation | None:
        """Returns the best evaluation whose checkpoint is there; None where none has the metric."""
        there = {os.path.basename(checkpoint.path) for checkpoint in self.checkpoints()}
        evaluations = self.history().evaluations()
        left = [evaluation for evaluation in evaluations if evaluation["checkpoint"] in there]
        return history.best_if_any(left, objective)

    def remove_old_checkpoints(self, keep: int, objective: Objective) -> None:
        """Removes the checkpoints but the newest ones and the best one.

        To be called by who trains here.

        Args:
          keep: how many of the newest ones stay.
          objective: what is better.
        """
        best = self.best_evaluation(objective)
        steps = [evaluation["step"] for evaluation in self.history().evaluations()]
        old = retention.superfluous(
            retention.listed_in(self.path),
            keep,
            best=best["step"] if best is not None else None,
            evaluated=max(steps, default=-1),
        )
        retention.remove(self.path, old)

    def at(self, step: int) -> Checkpoint:
        """Returns the checkpoint of a step.

        Raises:
          errors.ModelFolderError: there is none.
        """
        steps = {checkpoint.step: checkpoint for checkpoint in self._all()}
        checkpoint_names.check_step(self.path, step)
        return steps[step]

    @contextlib.contextmanager
    def pinned(self, checkpoint: Checkpoint) -> Iterator[Checkpoint]:
        """Keeps a checkpoint for the time of a `with` block, should training remove it meanwhile.

        That takes a link to each of its files; where the model folder cannot be written to and the
        folder for temporary files is on another disk, a copy of each.

        Yields:
          The same checkpoint under a path of its own.

        Raises:
          errors.CheckpointGoneError: it was removed before.
          errors.DamagedCheckpointError: one of its files is damaged.
        """
        name = os.path.basename(checkpoint.path)
        # A killed process leaves its links, which keep a checkpoint on the disk that is removed.
        files.remove_abandoned(self.path)
        with files.scratch_folder(self.path, name, elsewhere=True) as scratch:
            try:
                for file_name in files.listing(self.path):
                    if file_name.startswith(f"{name}."):
                        files.link_or_copy(
                            files.join(self.path, file_name), files.join(scratch, file_name)
                        )
            except (FileNotFoundError, tf.errors.NotFoundError) as error:
                raise _gone(checkpoint) from error
            if not files.exists(files.join(scratch, f"{name}.index")):
                raise _gone(checkpoint)
            found = damage(files.join(scratch, name))
            if found is not None:
                raise self._damaged(checkpoint, found)
            yield Checkpoint(checkpoint.step, files.join(scratch, name))

    def check_modules(self, modules: Modules) -> None:
        """Checks that modules are those that the checkpoints were trained on.

        Raises:
          errors.ModuleChangedError: one is another.
        """
        path = files.join(self.path, MODULES)
        if self.checkpoints():
            trained_modules.check(path, trained_modules.read(path), modules)

    def modules(self) -> Modules:
        """Returns the modules that the model was trained on, by scope."""
        return trained_modules.read(files.join(self.path, MODULES))

    def save_modules(self, modules: Modules) -> None:
        """Writes the modules of a training; those of an earlier one stay beside its checkpoints."""
        path = files.join(self.path, MODULES)
        before = trained_modules.read(path) if self.checkpoints() else {}
        trained_modules.write(path, {**before, **modules})

    def _damaged(self, checkpoint: Checkpoint, what: str) -> errors.DamagedCheckpointError:
        others = [other for other in reversed(self.checkpoints()) if other != checkpoint]
        whole = next((other for other in others if damage(other.path) is None), None)
        advice = "There is no other whole one: train again."
        if whole is not None:
            advice = (
                f"The newest whole one is that of step {whole.step}: --checkpoint={whole.step}."
            )
        return errors.DamagedCheckpointError(
            f"The checkpoint of step {checkpoint.step} in {self.path!r} is damaged: {what}. {advice}"
        )

    def _all(self) -> list[Checkpoint]:
        found = self.checkpoints()
        if not found:
            raise errors.ModelFolderError(
                f"The model folder {self.path!r} has no checkpoint. Train first, with "
                "hub_estimator.train."
            )
        return found


def _named(what: str, name: str | None) -> str:
    if not name:
        return what
    files.check_name("The name of an evaluation", name)
    return f"{what}_{name}"


def _gone(checkpoint: Checkpoint) -> errors.CheckpointGoneError:
    return errors.CheckpointGoneError(
        f"The checkpoint {checkpoint.path!r} was removed meanwhile. Choose a later one, or raise "
        "Experiment.keep_checkpoints."
    )


def _steps(found: Iterable[Checkpoint]) -> str:
    return ", ".join(str(checkpoint.step) for checkpoint in found)
