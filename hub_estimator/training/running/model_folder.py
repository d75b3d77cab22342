"""What is in a model folder: the one place that knows the names and where each thing is.

| | |
|---|---|
| `operative_config.gin` | the settings that had an effect, and where; other commands read it, as data |
| `class_names.json` | the names of the classes in the order of their numbers |
| `checkpoint`, `model.ckpt-<step>.*` | the checkpoints |
| `metrics.jsonl` | the evaluations; see `history` |
| `eval/`, `events.*` | TensorBoard's logs |
| `export/<exporter>/` | what exporters wrote |
| `report/` | pictures and tables of an evaluation |
| `profile/` | what the profiler wrote |
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from hub_estimator import config, errors, files
from hub_estimator.training.example_spec import ClassNames
from hub_estimator.training.running import history
from hub_estimator.training.running.history import Evaluation, History

CLASS_NAMES = "class_names.json"

_INDEX = re.compile(r"^(?P<name>model\.ckpt-(?P<step>\d+))\.index$")


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """A checkpoint: its global step and its prefix."""

    step: int
    path: str


@dataclasses.dataclass(frozen=True)
class ModelFolder:
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
        return History(files.join(self.path, f"{_named('metrics', name)}.jsonl"))

    def check(self) -> None:
        """Checks that training ran here.

        Raises:
          errors.ModelFolderError: there is no folder, or nothing of a run in it.
        """
        if not files.is_folder(self.path):
            raise errors.ModelFolderError(f"There is no model folder {self.path!r}.")
        if not files.exists(self.operative_config):
            raise errors.ModelFolderError(
                f"The folder {self.path!r} has no {config.OPERATIVE_CONFIG}. Give the --model_dir of a "
                "run of hub_estimator.train."
            )

    def checkpoints(self) -> list[Checkpoint]:
        """Returns the checkpoints that are there, that of the smallest step first.

        They are found by their names in this folder: what TensorFlow wrote into the file
        `checkpoint` are absolute paths, which are wrong after the folder moved.
        """
        names = files.listing(self.path) if files.is_folder(self.path) else []
        found = [match for match in map(_INDEX.match, names) if match]
        return sorted(
            (Checkpoint(int(m["step"]), files.join(self.path, m["name"])) for m in found),
            key=lambda each: each.step,
        )

    def finished_checkpoints(self) -> list[Checkpoint]:
        """Returns those that are surely whole while training is saving others."""
        state = tf.train.get_checkpoint_state(self.path)
        listed = state.all_model_checkpoint_paths if state else ()
        names = {os.path.basename(path) for path in listed}
        return [each for each in self.checkpoints() if os.path.basename(each.path) in names]

    def mend_checkpoint_list(self) -> None:
        """Makes TensorFlow find the checkpoints of a folder that was moved."""
        found = self.checkpoints()
        state = tf.train.get_checkpoint_state(self.path)
        if found and (state is None or not files.exists(f"{state.model_checkpoint_path}.index")):
            names = [os.path.basename(each.path) for each in found]
            lines = [f'model_checkpoint_path: "{names[-1]}"\n']
            lines += [f'all_model_checkpoint_paths: "{name}"\n' for name in names]
            files.write_text(files.join(self.path, "checkpoint"), "".join(lines))

    def latest_step(self) -> int:
        """Returns the greatest step with a checkpoint, at which training goes on; 0 without one."""
        return max((each.step for each in self.checkpoints()), default=0)

    def evaluations_so_far(self) -> list[Evaluation]:
        """Returns the evaluations up to the step at which training goes on."""
        step = self.latest_step()
        return [each for each in self.history().evaluations() if each["step"] <= step]

    def latest(self) -> Checkpoint:
        """Returns the checkpoint of the greatest step.

        Raises:
          errors.ModelFolderError: there is none.
        """
        return self._all()[-1]

    def best(self, metric: str, lower_is_better: bool | None = None) -> Checkpoint:
        """Returns the best evaluated checkpoint that is still there; see `history.best`.

        Raises:
          errors.ModelFolderError: there is none, or none with such a metric.
        """
        there = {os.path.basename(each.path): each for each in self._all()}
        evaluations = self.history().evaluations()
        kept = [each for each in evaluations if each["checkpoint"] in there]
        return there[history.best(kept, metric, lower_is_better)["checkpoint"]]

    def at(self, step: int) -> Checkpoint:
        """Returns the checkpoint of a step.

        Raises:
          errors.ModelFolderError: there is none.
        """
        steps = {each.step: each for each in self._all()}
        if step not in steps:
            raise errors.ModelFolderError(
                f"The model folder {self.path!r} has no checkpoint of step {step}. It has those of "
                f"{', '.join(map(str, steps))}."
            )
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
        """
        name = os.path.basename(checkpoint.path)
        # A killed process leaves its links, which keep a checkpoint on the disk that is removed.
        files.remove_abandoned(self.path)
        with files.scratch_folder(self.path, name, elsewhere=True) as scratch:
            try:
                for each in files.listing(self.path):
                    if each.startswith(f"{name}."):
                        files.link_or_copy(files.join(self.path, each), files.join(scratch, each))
            except (FileNotFoundError, tf.errors.NotFoundError) as error:
                raise _gone(checkpoint) from error
            if not files.exists(files.join(scratch, f"{name}.index")):
                raise _gone(checkpoint)
            yield Checkpoint(checkpoint.step, files.join(scratch, name))

    def class_names(self) -> ClassNames | None:
        """Returns the names of the classes that training began with; None where there are none."""
        path = files.join(self.path, CLASS_NAMES)
        if not files.exists(path):
            return None
        try:
            content = json.loads(files.read_bytes(path))
            if isinstance(content, dict):
                return {head: tuple(names) for head, names in content.items()}
            return tuple(content)
        except (ValueError, TypeError) as error:
            raise errors.ModelFolderError(
                f"{path!r} does not hold the names of classes: {error}. Correct or remove it."
            ) from error

    def check_class_names(self, names: ClassNames | None) -> None:
        """Checks that the names are those that training began with, in the same order.

        Raises:
          errors.ModelFolderError: they are others.
        """
        before = self.class_names()
        if before is not None and names is not None and before != names:
            raise errors.ModelFolderError(
                f"The model in {self.path!r} was trained on the classes {_shown(before)}; the data "
                f"now has {_shown(names)}. Give it the same classes in the same order, or choose "
                "another model folder."
            )

    def save_class_names(self, names: ClassNames | None) -> None:
        """Writes the names of the classes; those of no class are no file."""
        if names:
            files.make_folder(self.path)
            content = json.dumps(names, indent=1, ensure_ascii=False)
            files.write_text(files.join(self.path, CLASS_NAMES), f"{content}\n")

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
        "train_and_evaluate.keep_checkpoints."
    )


def _shown(names: ClassNames) -> str:
    def listed(each: Any) -> str:
        few = ", ".join(each[:10])
        return f"{few}, ... ({len(each)})" if len(each) > 10 else few

    if isinstance(names, dict):
        return "; ".join(f"{head}: {listed(each)}" for head, each in names.items())
    return listed(names)
