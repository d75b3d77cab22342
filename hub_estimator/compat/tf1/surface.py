"""The module that programs for TensorFlow 1 get by `import tensorflow`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import tensorflow as tf

from hub_estimator import errors
from hub_estimator.compat.tf1 import contrib

NOT_IN_TF1 = "tf.%s is not among the names of TensorFlow 1 that TensorFlow %s has (tf.compat.v1)%s."
IN_TF2 = "; it is one of TensorFlow 2: tf.compat.v2.%s"
GONE = {
    "examples": (
        "tensorflow.examples.tutorials ended with TensorFlow 1.15. For MNIST use "
        "tf.keras.datasets.mnist.load_data()."
    ),
}

_CONTRIB = "contrib"
# A name of the API, and a folder of the package that programs import from: they mean the folder.
_FOLDER = "compat"


class TensorFlow1(ModuleType):
    """`tensorflow` by its names of the first release, those of `tf.compat.v1`."""

    def __init__(self) -> None:
        super().__init__(tf.__name__, tf.__doc__)
        self.__file__, self.__path__ = tf.__file__, tf.__path__
        self.compat = tf.compat
        self.contrib = contrib.CONTRIB

    def __getattr__(self, name: str) -> Any:
        try:
            return getattr(tf.compat.v1, name)
        except AttributeError:
            # A folder of the package, such as `tensorflow.python`, once it is imported.
            folder = sys.modules.get(f"{tf.__name__}.{name}")
        if folder is not None:
            return folder
        raise errors.NotInTF1Error(_why_not(name))

    def __dir__(self) -> list[str]:
        return sorted({*vars(self), *dir(tf.compat.v1)})


SURFACE = TensorFlow1()


def import_module(
    name: str, fromlist: Sequence[str], import_: Callable[..., ModuleType]
) -> ModuleType:
    """Imports `tensorflow`, or what is in it, for a program.

    Args:
      name: `tensorflow`, or a full name in it.
      fromlist: what is imported from it.
      import_: the `__import__` for what is not of the API.

    Returns:
      What `__import__` has to: the module, or `tensorflow` where nothing is imported from it.

    Raises:
      errors.NoTF1ModuleError: there is no such module, or nothing of such a name in it.
    """
    path = name.split(".")[1:]
    if path[:1] == [_CONTRIB]:
        module = _in_contrib(path[1:], fromlist)
    else:
        module = _in_api(path) or _in_folders(name, path, fromlist, import_)
    if not fromlist:
        return SURFACE
    for wanted in fromlist:
        _check_is_in(module, wanted)
    return module


def _in_contrib(path: Sequence[str], fromlist: Sequence[str]) -> ModuleType:
    try:
        return contrib.import_module(path, fromlist)
    except errors.NotInTF1Error as error:
        raise _as_of_import(error) from error.__cause__


def _in_api(path: Sequence[str]) -> ModuleType | None:
    """Returns a module of the API; None where it is not one."""
    if path[:1] == [_FOLDER]:
        return None
    module: Any = tf.compat.v1 if path else SURFACE
    for name in path:
        module = getattr(module, name, None)
    return module if isinstance(module, ModuleType) else None


def _in_folders(
    name: str, path: Sequence[str], fromlist: Sequence[str], import_: Callable[..., ModuleType]
) -> ModuleType:
    """Returns a module that is a file of TensorFlow's, as all other code gets it."""
    try:
        return import_(name, None, None, fromlist, 0)
    except ModuleNotFoundError as error:
        is_that = error.name is not None and f"{name}.".startswith(f"{error.name}.")
        if is_that and path[0] in GONE:
            raise errors.NoTF1ModuleError(GONE[path[0]]) from error
        raise


def _check_is_in(module: ModuleType, name: str) -> None:
    """Says why there is no such name; `from ... import` itself would say only that there is none."""
    if name == "*":
        return
    try:
        getattr(module, name)
    except errors.NotInTF1Error as error:
        raise _as_of_import(error) from error.__cause__
    except AttributeError:
        return


def _as_of_import(error: errors.NotInTF1Error) -> errors.NoTF1ModuleError:
    """Returns what an import raises in place of an error of an attribute; it says the same."""
    return errors.NoTF1ModuleError(str(error))


def _why_not(name: str) -> str:
    if name in GONE:
        return GONE[name]
    return NOT_IN_TF1 % (name, tf.version.VERSION, IN_TF2 % name if hasattr(tf, name) else "")
