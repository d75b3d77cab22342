"""Gives the modules of `tensorflow_estimator` a TensorFlow whose Keras is legacy Keras.

Their classes derive from legacy Keras's when they are made, so the modules must find it when they
are imported, by the `import tensorflow as tf` that each begins with. Nobody else sees that.
"""

from __future__ import annotations

import builtins
import functools
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import tensorflow as tf

from hub_estimator.compat import keras_2

_PACKAGE = "tensorflow_estimator"
_ALSO_OF_KERAS = ("initializers", "losses", "metrics", "optimizers")


def import_with_legacy_keras() -> None:
    """Makes `tensorflow_estimator`, from now on, find legacy Keras in TensorFlow.

    Raises:
      errors.LegacyKerasError: tf-keras is not installed, or not for this TensorFlow.
    """
    for name in [name for name in sys.modules if _is_of_package(name)]:
        del sys.modules[name]  # of an import that failed before
    sys.meta_path.insert(0, _Finder(_views()))


class _View(ModuleType):
    """A module of TensorFlow in which some names stand for something else.

    Args:
      module: the module.
      **instead: what some names stand for.
    """

    def __init__(self, module: Any, **instead: Any) -> None:
        super().__init__(module.__name__)
        vars(self).update(instead)
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)

    def __dir__(self) -> list[str]:
        return dir(self._module)


def _views() -> dict[int, _View]:
    """Returns the views by the identity of the modules that they are of."""
    keras = keras_2.legacy_keras()
    in_keras = {"keras": keras, **{name: getattr(keras, name) for name in _ALSO_OF_KERAS}}
    v1 = _View(tf.compat.v1, keras=keras_2.legacy_keras_v1(), layers=keras_2.legacy_layers())
    v2 = _View(tf.compat.v2, **in_keras)
    compat = _View(tf.compat, v1=v1, v2=v2)
    views = (v1, v2, compat, _View(tf, compat=compat, **in_keras))
    return {id(view._module): view for view in views}


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the modules of the package where they are, and has them loaded by `_Loader`."""

    def __init__(self, views: Mapping[int, _View]) -> None:
        self._import = functools.partial(_import, views)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not _is_of_package(fullname):
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = _Loader(spec.loader.name, spec.loader.path, self._import)
        return spec


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads a module whose statements `import` do what they are told here."""

    def __init__(self, fullname: str, path: str, do_import: Any) -> None:
        super().__init__(fullname, path)
        self._import = do_import

    def exec_module(self, module: ModuleType) -> None:
        # What a module has as its builtins is where its code looks for the function behind `import`.
        vars(module)["__builtins__"] = {**vars(builtins), "__import__": self._import}
        super().exec_module(module)


def _import(views: Mapping[int, _View], *args: Any, **kwargs: Any) -> Any:
    module = builtins.__import__(*args, **kwargs)
    return views.get(id(module), module)


def _is_of_package(name: str) -> bool:
    return name.partition(".")[0] == _PACKAGE
