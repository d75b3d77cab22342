"""Exporting the modules inside a trained model."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from hub_estimator import compat, errors, files
from hub_estimator.format import layout
from hub_estimator.graph.registration import registered_modules
from hub_estimator.training import checks

_TIMESTAMP = re.compile(r"^\d{10,}$")


class LatestModuleExporter(compat.estimator_module().Exporter):  # type: ignore[misc]
    """Exports the modules registered in the model, with the values of each checkpoint.

    As an exporter of a `tf.estimator.EvalSpec` it writes
    `<model_dir>/export/<name>/<timestamp>/<export_name>/`; each of these is a module.

    Args:
      name: the name of the exporter's folder.
      serving_input_fn: a function without arguments that returns a `ServingInputReceiver`; its
        features are what the model is built on.
      exports_to_keep: how many timestamps to keep, the newest ones; None keeps all.

    Raises:
      errors.ModelError: `exports_to_keep` is not positive, or `name` no text.
    """

    def __init__(
        self, name: str, serving_input_fn: Callable[[], Any], exports_to_keep: int | None = 5
    ) -> None:
        checks.text("LatestModuleExporter.name", name)
        if exports_to_keep is not None:
            checks.whole_number("LatestModuleExporter.exports_to_keep", exports_to_keep)
        self._name = name
        self._serving_input_fn = serving_input_fn
        self._exports_to_keep = exports_to_keep

    @property
    def name(self) -> str:
        """The name of the exporter's folder."""
        return self._name

    def export(
        self,
        estimator: Any,
        export_path: str | bytes,
        checkpoint_path: str | bytes | None = None,
        eval_result: Any = None,
        is_the_final_export: bool | None = None,
    ) -> str | bytes | None:
        """Exports every registered module.

        Args:
          estimator: the `tf.estimator.Estimator` whose model has the modules.
          export_path: the folder in which to make a folder named by the time.
          checkpoint_path: the checkpoint with the values; None is the estimator's latest.
          eval_result: not used.
          is_the_final_export: not used.

        Returns:
          The new folder, as bytes where `export_path` is; None where no module is registered.

        Raises:
          ExportError: there is no checkpoint.
        """
        del eval_result, is_the_final_export
        checkpoint_path = checkpoint_path or estimator.latest_checkpoint()
        if not checkpoint_path:
            raise errors.ExportError(
                f"There is no checkpoint in {estimator.model_dir!r} to export modules from."
            )
        folder = files.as_path(export_path)
        if not files.is_remote(folder):
            files.remove_abandoned(folder)
        exported = _export(
            estimator, self._serving_input_fn, files.as_path(checkpoint_path), folder
        )
        if exported is None:
            return None
        self._remove_old(folder)
        return os.fsencode(exported) if isinstance(export_path, bytes) else exported

    def _remove_old(self, folder: str) -> None:
        if self._exports_to_keep is None:
            return
        for timestamp in _exports(folder)[: -self._exports_to_keep]:
            files.remove(files.join(folder, timestamp))


def _export(
    estimator: Any, serving_input_fn: Callable[[], Any], checkpoint: str, folder: str
) -> str | None:
    with tf.Graph().as_default():
        saver = _build(estimator, serving_input_fn)
        modules = registered_modules()
        if not modules:
            tf.get_logger().warning(
                "LatestModuleExporter found no module to export: call "
                "hub.register_module_for_export in the model_fn."
            )
            return None
        with tf.compat.v1.Session(config=estimator.config.session_config) as session:
            saver.restore(session, checkpoint)
            target = files.join(folder, _new_timestamp(folder))
            with files.whole_folder(target) as scratch:
                for name, module in modules.items():
                    module.export(files.join(scratch, name), session)
    return target


def _build(estimator: Any, serving_input_fn: Callable[[], Any]) -> Any:
    """Builds the model for prediction in the default graph; returns the saver of its values."""
    tf.compat.v1.train.create_global_step()
    tf.compat.v1.set_random_seed(estimator.config.tf_random_seed)
    spec = estimator.model_fn(
        features=serving_input_fn().features,
        labels=None,
        mode="infer",
        config=estimator.config,
    )
    scaffold = spec.scaffold
    if scaffold is not None and scaffold.saver is not None:
        return scaffold.saver
    return tf.compat.v1.train.Saver(sharded=True)


def _exports(folder: str) -> list[str]:
    """Returns the timestamps of exports, the oldest first; what somebody else put there is none."""
    names = files.listing(folder) if files.is_folder(folder) else []
    timestamps = [name for name in names if _TIMESTAMP.match(name)]
    return sorted((each for each in timestamps if modules_in(files.join(folder, each))), key=int)


def _new_timestamp(folder: str) -> str:
    # Exports may follow one another within a second; their order must still be that of their names.
    newest = max(map(int, _exports(folder)), default=0)
    timestamp = max(int(time.time()), newest + 1)
    while files.exists(files.join(folder, f"{timestamp:010d}")):
        timestamp += 1
    return f"{timestamp:010d}"


def modules_in(path: str) -> list[str]:
    """Returns the module folders in the folder `path`; none where it is no folder."""
    folders = (
        [files.join(path, name) for name in files.listing(path)] if files.is_folder(path) else []
    )
    return [each for each in folders if files.exists(files.join(each, layout.MODULE_DEF))]
