"""Modules under a second name, imported when that name is first imported; and absent ones."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

from hub_estimator import errors


class _AliasLoader(importlib.abc.Loader):
    """Gives the module `target` where a module of another name is to be made."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._own_spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(self._target)
        self._own_spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        # The import system has just written the alias's spec over the module's own.
        module.__spec__ = self._own_spec


class _AliasFinder(importlib.abc.MetaPathFinder):
    """Finds aliases and what is in them, unless the alias is itself a module that exists.

    It must be asked before the other finders: they would find an alias's submodules in its
    target's folder and make second copies of them, with classes that are not those of the first.
    """

    def __init__(self) -> None:
        self.targets: dict[str, str] = {}
        self.absent: dict[str, str] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname in self.absent:
            raise errors.NoHubModuleError(self.absent[fullname])
        real_name = self._resolve(fullname)
        if real_name is None:
            return None
        is_root = fullname in self.targets
        if is_root and importlib.machinery.PathFinder.find_spec(fullname, path) is not None:
            return None
        if not is_root and not _is_module(real_name):
            return None
        return ModuleSpec(fullname, _AliasLoader(real_name))

    def _resolve(self, fullname: str) -> str | None:
        """Returns what `fullname` stands for, or None where it is no alias nor in one."""
        if fullname in self.targets:  # also one inside of another alias
            return self.targets[fullname]
        for alias, target in self.targets.items():
            if fullname.startswith(f"{alias}.") and self._is_installed(alias):
                return target + fullname[len(alias) :]
        return None

    def _is_installed(self, alias: str) -> bool:
        return sys.modules.get(alias) is sys.modules.get(self.targets[alias], self)


def _is_module(name: str) -> bool:
    parent, _, _ = name.rpartition(".")
    importlib.import_module(parent)
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # the parent is no package
        return False


def add_alias(alias: str, target: str) -> None:
    """Makes `import alias` give the module `target`, where no module `alias` exists.

    Nothing is imported now. Adding an alias again changes nothing.

    Args:
      alias: full name that programs import; its parent package must exist by then.
      target: full name of the module that they get. Its submodules are under the alias too.
    """
    _finder().targets[alias] = target


def add_absent(name: str, why: str) -> None:
    """Makes `import name` say why there is no such module.

    Args:
      name: full name that programs import.
      why: the message of the `errors.NoHubModuleError` that they get.
    """
    _finder().absent[name] = why


def _finder() -> _AliasFinder:
    finder = next((finder for finder in sys.meta_path if isinstance(finder, _AliasFinder)), None)
    if finder is None:
        finder = _AliasFinder()
        sys.meta_path.insert(0, finder)
    return finder
