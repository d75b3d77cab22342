"""The names that the variables of an eager object get in a TF1 Hub module."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

_UNNAMED = re.compile(r"Variable(_\d+)?")  # what TensorFlow calls those that nobody named
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.\-/]")
# Lists of what is elsewhere in the object too, where it has a better name.
_LISTS = frozenset(
    {
        *("variables", "trainable_variables", "non_trainable_variables"),
        *("regularization_losses", "signatures", "keras_api", "_tracked", "_operations"),
    }
)


def paths_of(loaded: Any) -> dict[int, str]:
    """Returns where each part of an object is in it, by the `id` of the part: `encoder/kernel`.

    Args:
      loaded: the object, which TensorFlow tracks.
    """
    view = tf.train.TrackableView(loaded)
    paths = {id(loaded): ""}
    later: list[tuple[str, Any]] = []
    open_: list[tuple[str, Any]] = [("", loaded)]
    while open_ or later:
        path, part = (open_ or later).pop(0)
        paths.setdefault(id(part), path)
        for name, child in view.children(part).items():
            if id(child) not in paths:
                below = (f"{path}/{name}" if path else name, child)
                if name in _LISTS:
                    later.append(below)
                else:
                    paths[id(child)] = below[0]
                    open_.append(below)
    return paths


def variable_names(variables: Sequence[tf.Variable], paths: dict[int, str]) -> list[str]:
    """Returns a name for each variable: its own, or where it is, if it has none of its own.

    Args:
      variables: the variables.
      paths: where each is in the object, by its `id`.
    """
    own = [_clean(variable.name.partition(":")[0]) for variable in variables]
    count = Counter(own)
    names = [
        _clean(paths.get(id(variable), "")) or name
        if count[name] > 1 or _UNNAMED.fullmatch(name)
        else name
        for variable, name in zip(variables, own, strict=True)
    ]
    return unique(names)


def unique(names: Sequence[str]) -> list[str]:
    """Returns names with a number after those that are there before, as TensorFlow counts them.

    A name is not taken either where others are below it: `a` beside `a/b` is fine, twice `a` is not.
    """
    taken: set[str] = set()
    found = []
    for name in names:
        candidate, number = name, 0
        while candidate in taken:
            number += 1
            candidate = f"{name}_{number}"
        taken.add(candidate)
        found.append(candidate)
    return found


def _clean(name: str) -> str:
    """Returns a name without what TensorFlow does not take in names."""
    parts = [_NOT_IN_NAMES.sub("_", part) for part in name.split("/")]
    cleaned = "/".join(part for part in parts if part)
    return cleaned if not cleaned or re.match(r"[A-Za-z0-9.]", cleaned) else f"v{cleaned}"
