"""Where a model folder's configuration was at work, so that its paths lead to the same from anywhere.

A run writes at the head of its operative configuration, in comments, the folder that it worked in
and where its model folder was. From these two follow, for each path in it:

| the path was given | it is looked for | and where nothing is there |
|---|---|---|
| relative | where it was, seen from the model folder | where it was |
| absolute | where it was | where it was, seen from the model folder |

So the model folder may be used from any folder and moved alone, or moved or copied with its modules
and data. Where nothing is at either place, the path stays as it was given. Which settings are paths
is known from what `add_configurable` was told of the parts that read them, and the macros in these.

All of this is data of the model folder, which may be a stranger's: it decides what is read, as far
as the user may read it, and nothing else.
"""

from __future__ import annotations

import dataclasses
import glob
import json
import os
import re
from collections.abc import Iterable, Iterator
from typing import Any

from hub_estimator import files
from hub_estimator.config import registry, statements
from hub_estimator.config.statements import Binding

_HEAD = "# Where this configuration was at work; paths in it are looked for from there."
_LINE = re.compile(r"^# (?P<name>working_folder|model_folder|imports) = (?P<value>.*)$")
_MODULE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


@dataclasses.dataclass(frozen=True)
class ConfigOrigin:
    """Where a configuration was at work.

    Attributes:
      working_folder: what its relative paths were relative to.
      model_folder: where the model folder was.
      imports: the modules that its gin files imported.
    """

    working_folder: str
    model_folder: str
    imports: tuple[str, ...] = ()

    @classmethod
    def here(cls, model_folder: str, imports: Iterable[str]) -> ConfigOrigin:
        """Returns that of a run in this process."""
        return cls(os.getcwd(), _absolute(model_folder), tuple(imports))

    @classmethod
    def read(cls, text: str) -> ConfigOrigin | None:
        """Returns that of the text of a configuration; None where it has none."""
        head, *lines = text.split("\n", len(dataclasses.fields(cls)) + 1)
        matches = [_LINE.match(line) for line in lines[:-1]] if head == _HEAD else []
        try:
            found: Any = {match["name"]: json.loads(match["value"]) for match in matches if match}
        except (ValueError, RecursionError):
            return None
        working, model = found.get("working_folder"), found.get("model_folder")
        if not (_is_absolute(working) and _is_absolute(model)):
            return None
        imports = found.get("imports")
        named = imports if isinstance(imports, list) else []
        return cls(working, model, tuple(filter(_MODULE.fullmatch, map(str, named))))

    def head(self) -> str:
        """Returns the comments that say so, lines to begin a text with."""
        values = dataclasses.asdict(self).items()
        lines = [_HEAD, *(f"# {name} = {json.dumps(value)}" for name, value in values)]
        return "".join(f"{line}\n" for line in lines)

    def path(self, given: str, model_folder: str) -> str:
        """Returns where a path of the configuration leads; itself where nothing is there.

        Args:
          given: the path as the configuration has it, or the name or URL of something.
          model_folder: where the model folder is now.
        """
        path = files.as_path(given)
        if not path or files.is_remote(path):
            return given
        there = os.path.normpath(os.path.join(self.working_folder, path))
        beside = there
        if not files.is_remote(self.model_folder) and not files.is_remote(model_folder):
            relative = os.path.relpath(there, self.model_folder)
            beside = os.path.normpath(os.path.join(_absolute(model_folder), relative))
        places = [there, beside] if os.path.isabs(path) else [beside, there]
        return next((place for place in places if _is_something(place)), given)


def path_bindings(among: Iterable[Binding]) -> Iterator[Binding]:
    """Yields the bindings that are paths of what is read: of parameters, and of macros in these."""
    macros = {str(binding): binding for binding in among if binding.is_macro}
    waiting = [
        binding
        for binding in among
        if binding.parameter and registry.is_path(binding.selector, binding.parameter)
    ]
    while waiting:
        binding = waiting.pop()
        yield binding
        used = [
            reference.name
            for reference in statements.references(binding.value)
            if reference.is_macro
        ]
        waiting += [macros.pop(name) for name in used if name in macros]


def _is_absolute(folder: Any) -> bool:
    return isinstance(folder, str) and (os.path.isabs(folder) or files.is_remote(folder))


def _absolute(folder: str) -> str:
    return folder if files.is_remote(folder) else os.path.abspath(folder)


def _is_something(path: str) -> bool:
    """Whether there is a file or folder at a path, or anything of a pattern."""
    try:
        return os.path.exists(path) or next(glob.iglob(path), None) is not None
    except ValueError:  # no path at all, as it holds a NUL
        return False
