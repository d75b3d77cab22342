"""Exporting the modules inside a trained model."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import tensorflow as tf

from hub_estimator import digests, errors, files, layout
from hub_estimator.graph.module import Module
from hub_estimator.graph.registration import Exportable, registered_modules
from hub_estimator.training.exporters import export_records
from hub_estimator.training.exporters.base import FolderExporter, Write, naming_failures
from hub_estimator.training.exporters.choices import Every, Latest, best
from hub_estimator.training.model.prediction_graph import build_for_prediction
from hub_estimator.training.objective import Objective

_RECORDS = (export_records.GLOBAL_STEP, export_records.METRICS, export_records.CHECKPOINT)


class LatestModuleExporter(FolderExporter):
    """Exports the modules registered in the model, with the values of each checkpoint.

    As an exporter of a `tf.estimator.EvalSpec` it writes
    `<model_dir>/export/<name>/<timestamp>/<export_name>/`; each of these is a module.

    Args:
      name: the name of the exporter's folder.
      serving_input_fn: a function without arguments that returns a `ServingInputReceiver`; its
        features are what the model is built on.
      exports_to_keep: how many of its own timestamps to keep, the newest ones; None keeps all. What
        other programs exported there stays.
      every: `"evaluation"` exports after each one; `"end"` after that of the last step; a number,
        so many steps after the export before, and at the end.
      stable_path: whether to keep a link `latest` to the newest timestamp, switched in one step.
        On remote filesystems, which have no links, it is a text file with the timestamp.

    Raises:
      errors.InvalidSettingError: `exports_to_keep` is not positive, `name` no text, or `every` neither.
      errors.InvalidPathNameError: `name` cannot be that of a folder.
    """

    def __init__(
        self,
        name: str,
        serving_input_fn: Callable[[], Any],
        exports_to_keep: int | None = 5,
        every: Every = "evaluation",
        stable_path: bool = False,
    ) -> None:
        source = RegisteredModules(type(self).__name__, serving_input_fn)
        super().__init__(name, source, Latest(), exports_to_keep, every, stable_path)


class BestModuleExporter(FolderExporter):
    """Exports the modules registered in the model whenever an evaluation is better than ever.

    Their values are those of the checkpoint that was evaluated. What was best is remembered when
    training starts again, in `best.json` beside the exports and in these: remove both to start anew.

    Args:
      name: the name of the exporter's folder.
      serving_input_fn: see `LatestModuleExporter`.
      objective: what is better; None is the experiment's objective, or the least loss without one.
      exports_to_keep: how many of its own timestamps to keep, the best ones; None keeps all.
      every: see `LatestModuleExporter`; other evaluations than these are not looked at.
      stable_path: whether to keep a link `best` to the best timestamp; see `LatestModuleExporter`.

    Raises:
      errors.InvalidSettingError: a setting is not what it must be.
      errors.InvalidPathNameError: `name` cannot be that of a folder.
    """

    def __init__(
        self,
        name: str,
        serving_input_fn: Callable[[], Any],
        objective: Objective | None = None,
        exports_to_keep: int | None = 5,
        every: Every = "evaluation",
        stable_path: bool = False,
    ) -> None:
        source = RegisteredModules(type(self).__name__, serving_input_fn)
        choice = best(type(self).__name__, objective)
        super().__init__(name, source, choice, exports_to_keep, every, stable_path)


@dataclasses.dataclass(frozen=True)
class RegisteredModules:
    """The modules that a model registers when it is built for prediction.

    Attributes:
      owner: the exporter, for messages.
      serving_input_fn: gives the features that the model is built on.
    """

    owner: str
    serving_input_fn: Callable[[], Any]
    what: str = "modules"

    @contextlib.contextmanager
    def opened(self, estimator: Any, checkpoint: str) -> Iterator[Write | None]:
        """Gives a function that writes each module into a folder under its name.

        Args:
          estimator: the Estimator with the model.
          checkpoint: the prefix of the checkpoint with the values.

        Yields:
          The function; None where no module is registered.

        Raises:
          errors.ExportError: a module's name is taken by what exporters write.
        """
        with tf.Graph().as_default():
            saver = _saver(build_for_prediction(estimator, self.serving_input_fn().features))
            modules = registered_modules()
            if not modules:
                tf.get_logger().warning(
                    f"{self.owner} found no module to export: none is registered where the model is "
                    "built for prediction. In a model_fn, call hub.register_module_for_export in "
                    "mode PREDICT as well, before it returns; give a feature column an export_name."
                )
                yield None
                return
            check_names(modules)
            with tf.compat.v1.Session(config=estimator.config.session_config) as session:
                saver.restore(session, checkpoint)
                yield lambda folder: _write(modules, folder, session, checkpoint)


def check_names(modules: Iterable[str]) -> None:
    """Checks that modules can be exported under their names.

    Raises:
      errors.ExportError: one is that of a file that exporters write.
    """
    for name in modules:
        if name in _RECORDS:
            raise errors.ExportError(
                f"A module is registered as {name!r}, which is a file that exporters write beside "
                "it. Register it under another name."
            )


def _write(modules: Mapping[str, Exportable], folder: str, session: Any, checkpoint: str) -> None:
    for name, module in modules.items():
        path = files.join(folder, name)
        with naming_failures(f"The module {name!r}"):
            if isinstance(module, Module):
                # Training may have changed variables that the variant for prediction has not.
                module.export(path, session, checkpoint_path=checkpoint)
            else:
                module.export(path, session)
    with naming_failures("What the modules are made of"):
        export_records.add_parents(folder, _parents(modules))


def _parents(modules: Mapping[str, Exportable]) -> dict[str, dict[str, str]]:
    """Returns the handle and the digest of what each module was made of, where it is from a folder."""
    origins = {
        name: module.spec.origin for name, module in modules.items() if isinstance(module, Module)
    }
    return {
        name: {"handle": origin.handle, "sha256": digests.of_module(origin.folder)}
        for name, origin in origins.items()
        if origin is not None and layout.kind_of(origin.folder) is not layout.FolderKind.OTHER
    }


def _saver(spec: Any) -> Any:
    """Returns the saver of a model's values: its own, or one of all variables."""
    scaffold = spec.scaffold
    if scaffold is not None and scaffold.saver is not None:
        return scaffold.saver
    return tf.compat.v1.train.Saver(sharded=True)
