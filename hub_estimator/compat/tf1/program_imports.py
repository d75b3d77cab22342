"""`import tensorflow`, as the program means it and as all other code does.

In a program for TensorFlow 1 the statement means the first API, in TensorFlow, Keras and any package
of today the second. No entry of `sys.modules` and no finder can give both in one process: neither
knows who asks. `builtins.__import__` does, so this takes its place, answers what programs import of
`tensorflow`, and hands on everything else.
"""

from __future__ import annotations

import builtins
import os
import pathlib
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

_TENSORFLOW = "tensorflow"
# Whatever a program imports of these first, all must be in place.
_PREPARED = frozenset({_TENSORFLOW, "tensorflow_estimator", "tensorflow_hub"})
_OURS = __name__.partition(".")[0]
_INSTALLED = frozenset({"site-packages", "dist-packages"})
_STANDARD_LIBRARY = os.path.dirname(os.__file__) + os.sep


class ProgramImports:
    """Takes the place of `builtins.__import__`.

    Args:
      import_: what it takes the place of.
      prepare: called once, before anything imports TensorFlow.
      package: what is in it is of the program, wherever it is.
    """

    def __init__(
        self,
        import_: Callable[..., ModuleType],
        prepare: Callable[[], None] | None,
        package: str,
    ) -> None:
        self._import, self._prepare, self._package = import_, prepare, package

    def __call__(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """Imports a module, as `__import__` does."""
        root = name.partition(".")[0]
        if level or root not in _PREPARED:
            return self._import(name, globals, locals, fromlist, level)
        prepare, self._prepare = self._prepare, None  # what it imports asks here again
        if prepare is not None:
            prepare()
        if root != _TENSORFLOW or not is_program(globals, self._package):
            return self._import(name, globals, locals, fromlist, level)
        from hub_estimator.compat.tf1 import surface  # imports TensorFlow

        return surface.import_module(name, tuple(fromlist or ()), self._import)


def give_programs_tf1(prepare: Callable[[], None] | None = None, package: str = "") -> None:
    """Makes `import tensorflow` in programs give the first API; once it does, nothing changes.

    Args:
      prepare: called once, before anything imports TensorFlow: until then the program may set
        environment variables that TensorFlow reads when it is loaded.
      package: a package that is of the program, even if it is installed.
    """
    if not isinstance(builtins.__import__, ProgramImports):
        builtins.__import__ = ProgramImports(builtins.__import__, prepare, package)


def is_program(importer: Mapping[str, Any] | None, package: str = "") -> bool:
    """Whether a module is of the program: its main module, its package, or one not installed.

    Args:
      importer: the module's globals; None where a module is imported without saying for whom.
      package: the program's package, where it has one.
    """
    if importer is None:
        return False
    name, file = str(importer.get("__name__")), importer.get("__file__")
    root = name.partition(".")[0]
    if name == "__main__":
        return True
    if root == _OURS:
        return False
    return root == package or (file is not None and not _is_installed(file))


def _is_installed(file: str) -> bool:
    return file.startswith(_STANDARD_LIBRARY) or not _INSTALLED.isdisjoint(pathlib.Path(file).parts)
