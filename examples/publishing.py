"""What all examples that publish a module share: a free place for it, and its values."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import errors, files

tf1 = tf.compat.v1
_EXISTS = "There is a module in %s already. Remove that folder, or choose another path."
_NOT_A_FOLDER = "There is a file at %s, and a module is a folder. Choose another path."


class ModuleExistsError(errors.Error, FileExistsError):
    """A module, or a file, is already where one should be published."""


def check_free(export_path: files.PathLike, **reads: files.PathLike | None) -> str:
    """Returns `export_path` as text.

    Args:
      export_path: where to publish a module.
      **reads: what it is made from, by flag: None of those that were not given.

    Raises:
      ModuleExistsError: there is a module, or a file.
      errors.OutputIsInputError: it would be what it is made from, or a part of that.
    """
    path = files.as_path(export_path)
    given = [
        (f"--{flag}", files.as_path(source)) for flag, source in reads.items() if source is not None
    ]
    files.check_output("The module", path, given)
    if files.exists(path) and not files.is_folder(path):
        raise ModuleExistsError(_NOT_A_FOLDER % path)
    if files.exists(files.join(path, "tfhub_module.pb")):
        raise ModuleExistsError(_EXISTS % path)
    return path


def publish(
    spec: hub.ModuleSpec, export_path: files.PathLike, values: Mapping[str, np.ndarray]
) -> str:
    """Publishes a module whose variables have these values.

    Args:
      spec: the module, as `hub.create_module_spec` defines it.
      export_path: the module's folder; it appears whole or not at all.
      values: an array for each variable by its name in the module.

    Returns:
      The module's folder.

    Raises:
      ModuleExistsError: there is a module.
    """
    path = check_free(export_path)
    with tf.Graph().as_default(), tf1.Session() as session:
        module = hub.Module(spec)
        for name, variable in module.variable_map.items():
            # Fed: as constants the values would be in the graph, which must stay below 2 GB.
            value = tf1.placeholder(variable.dtype.base_dtype, variable.shape)
            session.run(tf1.assign(variable, value).op, {value: values[name]})
        module.export(path, session)
    return path
