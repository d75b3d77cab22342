"""Which modules a model was trained on: a swapped one is noticed, one that moved is not.

    {"module": {"handle": "/modules/text", "sha256": "5f1c..."}}

by the scope of the variables. The values in checkpoints go with these modules' graphs and
vocabularies; those that checkpoints leave out are read from them.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from hub_estimator import digests, errors, files, texts
from hub_estimator.format.origin import Origin


@dataclasses.dataclass(frozen=True)
class TrainedModule:
    """A module of a model.

    Attributes:
      handle: what it was named by.
      sha256: the digest of its content.
    """

    handle: str
    sha256: str


Modules = Mapping[str, TrainedModule]


def of(origins: Mapping[str, Origin]) -> Modules:
    """Returns the modules of a graph, by scope."""
    return {
        scope: TrainedModule(origin.handle, digests.of_module(origin.folder))
        for scope, origin in origins.items()
    }


def read(path: str) -> Modules:
    """Returns the modules that a file names; none where there is no such file.

    Raises:
      errors.ModelFolderError: it names no modules.
    """
    text = files.read_bytes(path) if files.exists(path) else b"{}"
    try:
        content = json.loads(text)
        return {
            scope: TrainedModule(str(module["handle"]), str(module["sha256"]))
            for scope, module in content.items()
        }
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise errors.ModelFolderError(
            f"{path!r} does not name the modules of a training. Correct or remove it."
        ) from error


def write(path: str, modules: Modules) -> None:
    """Writes the file, where it says something else or is not there."""
    content: dict[str, Any] = {
        scope: dataclasses.asdict(module) for scope, module in modules.items()
    }
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    if modules and not (files.exists(path) and files.read_bytes(path) == text.encode()):
        files.write_text(path, text)


def check(path: str, before: Modules, now: Modules) -> None:
    """Checks that modules are those of the training.

    Args:
      path: the file that names those of the training.
      before: what it says; modules of which it says nothing may be any.
      now: the modules of the same model now.

    Raises:
      errors.ModuleChangedError: one is another.
    """
    for scope, module in now.items():
        known = before.get(scope)
        if known is None or known.sha256 == module.sha256:
            continue
        raise errors.ModuleChangedError(
            f"The model was trained on another module {scope!r}: {_difference(known, module)}. Give "
            "it the module that it was trained on, or train in another model folder. To use this "
            f"one with the values that the checkpoints have all the same, remove {path!r}."
        )


def _difference(known: TrainedModule, now: TrainedModule) -> str:
    shown = texts.shown(now.handle)
    if known.handle == now.handle:
        return f"that at {shown} has changed since"
    return f"it was {texts.shown(known.handle)}, this is {shown}, and their contents differ"
