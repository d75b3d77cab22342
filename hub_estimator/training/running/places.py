"""What a run or a command reads: what it writes must be elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub_estimator.format.origin import Origin

# What messages call each thing that is read, and its path.
Places = list[tuple[str, str]]


def of_modules(origins: Mapping[str, Origin]) -> Places:
    """Returns where the modules of a model are: their folders, and the archives these are from."""
    return [
        (f"the module {scope!r}", path)
        for scope, origin in origins.items()
        for path in dict.fromkeys([origin.handle, origin.folder])
    ]


def of_inputs(**inputs: Any) -> Places:
    """Returns the files and folders of inputs; those of somebody else's need not tell them.

    Args:
      **inputs: by the name of the setting.
    """
    return [
        (f"the data of {setting}", path)
        for setting, source in inputs.items()
        for path in getattr(source, "paths", ())
    ]
