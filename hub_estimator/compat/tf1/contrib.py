"""`tf.contrib`, as far as what it had is elsewhere today; the rest says what to use."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from hub_estimator import errors
from hub_estimator.compat.tf1 import contrib_names

ENDED = "tf.contrib.%s ended with TensorFlow 1.15. %s"
NOT_HERE = (
    "hub_estimator has those names of tf.contrib that are elsewhere with the same meaning, and this "
    "is none of them."
)
INSTALL = "tf.contrib.%s is in the package %s today, which is not installed: pip install %s."


def _namespaces() -> frozenset[tuple[str, ...]]:
    """Returns the paths in which there are names."""
    paths = [tuple(name.split(".")) for name in (*contrib_names.MODULES, *contrib_names.INSTEAD)]
    inner = [(*name.split("."), "") for name in contrib_names.NAMES]
    return frozenset(path[:end] for path in (*paths, *inner) for end in range(1, len(path)))


_NAMESPACES = _namespaces()


class Contrib(ModuleType):
    """`tf.contrib`, or a namespace in it.

    Args:
      path: the names that lead to it from `tf.contrib`.
    """

    def __init__(self, path: tuple[str, ...] = ()) -> None:
        super().__init__(".".join(("tensorflow.contrib", *path)))
        self._path = path

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        value = self._find(name)
        setattr(self, name, value)
        return value

    def _find(self, name: str) -> Any:
        path = (*self._path, name)
        full_name = ".".join(path)
        if full_name in contrib_names.MODULES:
            return _locate(contrib_names.MODULES[full_name], full_name)
        if path in _NAMESPACES:
            return Contrib(path)
        namespace = ".".join(self._path)
        for place, names in contrib_names.NAMES.get(namespace, {}).items():
            name_there = name if names == "*" else _names(names).get(name)
            if name_there is not None:
                module = _locate(place, full_name)
                if hasattr(module, name_there):
                    return getattr(module, name_there)
        raise errors.NotInTF1Error(ENDED % (full_name, _instead(path)))


CONTRIB = Contrib()


def import_module(path: Sequence[str], fromlist: Sequence[str]) -> ModuleType:
    """Imports `tf.contrib`, or what is in it.

    Args:
      path: the names that lead to it from `tf.contrib`.
      fromlist: what is imported from it; modules among it are imported.

    Raises:
      errors.NotInTF1Error: it is not here.
      ModuleNotFoundError: it is in a package that has no such module.
    """
    for end in range(len(path), 0, -1):
        place = contrib_names.MODULES.get(".".join(path[:end]))
        if place is not None:
            module = _locate(place, ".".join(path[:end]))
            for name in path[end:]:
                module = _inner_module(module, name)
            for name in fromlist:
                if name != "*" and not hasattr(module, name):
                    _inner_module(module, name)
            return module
    found: Any = CONTRIB
    for name in path:
        found = getattr(found, name)
    return found


def _inner_module(package: ModuleType, name: str) -> ModuleType:
    return importlib.import_module(f"{package.__name__}.{name}")


def _names(text: str) -> dict[str, str]:
    """Returns what `"one other=there"` says: by a name in `tf.contrib`, the name there."""
    pairs = [word.partition("=") for word in text.split()]
    return {name: there or name for name, _, there in pairs}


def _locate(place: str, wanted: str) -> Any:
    """Returns a module, or after a colon what is in it; says what to install where it is not."""
    module_name, _, path = place.partition(":")
    package = module_name.partition(".")[0]
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        name = contrib_names.PACKAGES[package]
        raise errors.NotInTF1Error(INSTALL % (wanted, name, name)) from error
    for name in path.split(".") if path else ():
        found = getattr(found, name)
    return found


def _instead(path: tuple[str, ...]) -> str:
    """Returns what to do about a name, as far as it or what it is in has something of its own."""
    ways = (contrib_names.INSTEAD.get(".".join(path[:end])) for end in range(len(path), 0, -1))
    return next((way for way in ways if way), NOT_HERE)
