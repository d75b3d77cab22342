"""What all exporters share: a folder of exports named by the time, and what belongs beside them."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager
from typing import Any, Protocol

import tensorflow as tf

from hub_estimator import compat, errors, files
from hub_estimator.training import checks
from hub_estimator.training.exporters import export_records, folders
from hub_estimator.training.exporters.checkpoint_reading import read_checkpoint
from hub_estimator.training.exporters.choices import Choice, Every, Metrics, check_every, is_due
from hub_estimator.training.inputs.failures import reason
from hub_estimator.training.objective import Objective

_logger = logging.getLogger("hub_estimator")

# Writes what is exported into an empty folder.
Write = Callable[[str], None]


class ExportSource(Protocol):
    """What is exported."""

    @property
    def what(self) -> str:
        """What messages call it."""

    def opened(self, estimator: Any, checkpoint: str) -> AbstractContextManager[Write | None]:
        """Gives a function that writes the values of a checkpoint; None with nothing to write."""


class FolderExporter(compat.estimator_module().Exporter):  # type: ignore[misc]
    """An exporter of the Estimator API that makes a folder named by the time for each export.

    In it, beside what is exported: `global_step`, a text; `metrics.json`, those of the evaluation;
    `checkpoint.json`, which checkpoint it is, and the exporter's name. Evaluating a checkpoint
    again, as the next run of a finished training does, makes no second export of it.

    Several processes may export into one folder of the local disk at once: each takes the next free
    time. What other programs exported there, or an exporter of another name, or a release of this
    package that wrote no such name, counts for the order of names alone: it is never removed.

    Args:
      name: the name of the exporter's folder; see `files.check_name`.
      source: what is exported.
      choice: which checkpoints.
      exports_to_keep: how many exports to keep, the newest ones; None keeps all.
      every: when to export.
      stable_path: whether to keep a link to the newest export beside them.

    Raises:
      errors.InvalidSettingError: a setting is not what it must be.
      errors.InvalidPathNameError: the name cannot be that of a folder.
    """

    def __init__(
        self,
        name: str,
        source: ExportSource,
        choice: Choice,
        exports_to_keep: int | None,
        every: Every,
        stable_path: bool,
    ) -> None:
        self._owner = type(self).__name__
        checks.text(f"{self._owner}.name", name)
        files.check_name(f"{self._owner}.name", name)
        files.check_name("The name of the stable path", choice.link)
        if exports_to_keep is not None:
            checks.whole_number(f"{self._owner}.exports_to_keep", exports_to_keep)
        check_every(f"{self._owner}.every", every)
        self._name = name
        self._source = source
        self._choice = choice
        self._exports_to_keep = exports_to_keep
        self._every = every
        self._stable_path = stable_path

    @property
    def name(self) -> str:
        """The name of the exporter's folder."""
        return self._name

    def choose_by(self, objective: Objective) -> None:
        """Sets what is better, where the exporter goes by it and was given none of its own."""
        self._choice = self._choice.by_default(objective)

    def check_metrics(self, names: Collection[str]) -> None:
        """Checks, before there is an evaluation, that it will give what decides.

        Args:
          names: the names of its metrics.

        Raises:
          errors.ExportError: `metric` is not among them.
        """
        self._choice.check_metrics(self._owner, names)

    def newest(self, export_path: str) -> str | None:
        """Returns the newest export in the exporter's folder; None without one."""
        return folders.newest(export_path, self.name)

    def lacks(self, export_path: str, checkpoint_path: str, metrics: Metrics) -> bool:
        """Whether an evaluated checkpoint in the course of training is still to be exported.

        Args:
          export_path: the exporter's folder.
          checkpoint_path: the checkpoint.
          metrics: those of its evaluation.
        """
        newest = self.newest(export_path)
        checkpoint = read_checkpoint(checkpoint_path)
        if newest is not None and export_records.is_of(newest, checkpoint):
            return False
        return is_due(
            self._every, checkpoint.step, export_records.step(newest), False
        ) and self._choice.takes(export_path, self.name, metrics)

    def export(
        self,
        estimator: Any,
        export_path: str | bytes,
        checkpoint_path: str | bytes | None = None,
        eval_result: Metrics | None = None,
        is_the_final_export: bool | None = None,
    ) -> str | bytes | None:
        """Exports a checkpoint, where it is one to export.

        Args:
          estimator: the `tf.estimator.Estimator` with the model.
          export_path: the exporter's folder, in which to make a folder named by the time.
          checkpoint_path: the checkpoint with the values; None is the estimator's latest.
          eval_result: the metrics of its evaluation. None where somebody calls this outside of
            training: then each call makes an export.
          is_the_final_export: whether training is over; None outside of training.

        Returns:
          The folder of the export, also that of an earlier one of the same checkpoint, as bytes
          where `export_path` is; None where nothing is exported.

        Raises:
          errors.ExportError: there is no such checkpoint or metric, or writing failed; see also
            `check_place`.
        """
        self._choice.check(self._owner, checkpoint_path, eval_result)
        path = checkpoint_path or estimator.latest_checkpoint()
        if not path:
            raise errors.ExportError(
                f"There is no checkpoint in {estimator.model_dir!r} to export {self._source.what} "
                "from."
            )
        checkpoint = read_checkpoint(files.as_path(path))
        folder = files.as_path(export_path)
        self.check_place(folder, getattr(estimator, "model_dir", None))
        exported = self._export(estimator, folder, checkpoint, eval_result, is_the_final_export)
        return os.fsencode(exported) if exported and isinstance(export_path, bytes) else exported

    def check_place(self, export_path: str, model_dir: str | None) -> None:
        """Checks that exports can be made in a folder, as far as that is seen without writing.

        Args:
          export_path: the exporter's folder, which need not be there.
          model_dir: the model folder; None is nowhere.

        Raises:
          errors.ExportError: it cannot be written to, something is in the place of the stable path,
            or a link leads out of the model folder.
        """
        folders.check_place(export_path, model_dir)
        if self._stable_path:
            folders.check_link(export_path, self._choice.link)

    def _export(
        self,
        estimator: Any,
        folder: str,
        checkpoint: export_records.CheckpointRecord,
        metrics: Metrics | None,
        is_final: bool | None,
    ) -> str | None:
        with folders.held(folder):
            newest = folders.newest(folder, self.name)
            # A process may have died between that export and what follows one.
            if newest is not None and self._choice.leads(folder, newest):
                self._finish(folder, newest)
        if metrics is not None and newest is not None and export_records.is_of(newest, checkpoint):
            _logger.info("%s: this checkpoint is already exported to %s.", self._owner, newest)
            return newest
        if not is_due(self._every, checkpoint.step, export_records.step(newest), is_final):
            return None
        if not self._choice.takes(folder, self.name, metrics):
            return None
        return self._write(estimator, folder, checkpoint, metrics)

    def _write(
        self,
        estimator: Any,
        folder: str,
        checkpoint: export_records.CheckpointRecord,
        metrics: Metrics | None,
    ) -> str | None:
        files.remove_abandoned(folder)
        with self._source.opened(estimator, checkpoint.path) as write:
            if write is None:
                return None
            content = Content(write, checkpoint, metrics, self.name)
            with content.written(folders.next_path(folder)) as scratch, folders.held(folder):
                # Another process may have exported a better one meanwhile.
                if not self._choice.takes(folder, self.name, metrics):
                    return None
                with naming_failures(f"The export in {folder!r}"):
                    exported = folders.publish(scratch, folder)
                self._finish(folder, exported)
                return exported

    def _finish(self, folder: str, export: str) -> None:
        """Does what follows an export; done again where the process died in between."""
        whole = f"The export {export!r} is whole; run the same command again once that is solved."
        with naming_failures(f"What belongs beside the export {export!r}", whole):
            self._choice.remember(folder, export)
            if self._stable_path:
                files.switch_link(files.join(folder, self._choice.link), os.path.basename(export))
        folders.remove_old(folder, self.name, self._exports_to_keep, self._choice.link)


@dataclasses.dataclass(frozen=True)
class Content:
    """What is in one export.

    Attributes:
      write: writes what is exported.
      checkpoint: the values.
      metrics: of their evaluation; None where there was none.
      exporter: the name of the exporter that may remove it; see `export_records.write`.
    """

    write: Write
    checkpoint: export_records.CheckpointRecord
    metrics: Metrics | None = None
    exporter: str | None = None

    @contextlib.contextmanager
    def written(self, target: str) -> Iterator[str]:
        """Gives a folder with the whole of it, on the disk, to be moved to its place.

        Args:
          target: the place, as far as it is known. The folder is beside it, and goes when the block
            ends without having moved it.

        Raises:
          errors.ExportError: it cannot be written; the message says what.
        """
        place = files.parent(target) or ".", os.path.basename(target)
        with contextlib.ExitStack() as stack:
            with naming_failures(f"The export {target!r}"):
                scratch = stack.enter_context(files.scratch_folder(*place))
                export_records.write(scratch, self.checkpoint, self.metrics, self.exporter)
                self.write(scratch)
                files.flush_tree(scratch)
            yield scratch


_NOTHING_LEFT = "Nothing of the export is left; run the same command again once that is solved."


@contextlib.contextmanager
def naming_failures(what: str, consequence: str = _NOTHING_LEFT) -> Iterator[None]:
    """Says of errors of the disk what was being written.

    Args:
      what: that.
      consequence: what is there now, and what to do.

    Raises:
      errors.ExportError: in place of such an error.
    """
    try:
        yield
    except errors.Error:
        raise
    except (OSError, tf.errors.OpError) as error:
        raise errors.ExportError(
            f"{what} cannot be written: {_said(error)}. {consequence}"
        ) from error


def _said(error: Exception) -> str:
    if isinstance(error, tf.errors.OpError):
        return reason(error)
    if isinstance(error, OSError) and error.errno in files.NO_ROOM:
        return (
            f"[Errno {error.errno}] {error.strerror}"  # of what file says nothing: all of it goes
        )
    return str(error).split("\n", 1)[0].rstrip(".")
