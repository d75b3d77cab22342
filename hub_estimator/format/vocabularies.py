"""The vocabularies of a module: files whose lines fill its tables."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping

from hub_estimator import errors, files, texts
from hub_estimator.format.programs import Program

FILLS_TABLE = frozenset({"InitializeTableFromTextFile", "InitializeTableFromTextFileV2"})
"""The types of the operations that fill a table from a file."""

_CHUNK = 1 << 20
_MOST_COLUMNS = 1 << 20


def check_vocabularies(program: Program, asset_paths: Mapping[str, str], source: str) -> None:
    """Checks that the files that fill tables have the lines that the graph knows of.

    Without that, a file that was cut gives other numbers for words, silently. Where a graph does not
    say how many lines there are, one is needed: TensorFlow fills no table from an empty file.

    Args:
      program: what of the graph runs.
      asset_paths: the paths of the module's assets by their names.
      source: what messages call the module.

    Raises:
      errors.BrokenModuleError: a file has fewer lines, or a column of it cannot be.
    """
    if not program.op_types & FILLS_TABLE:
        return
    _check_columns(program, source)
    needed: dict[str, int] = {}
    for place in program.places():
        if place.node.op in FILLS_TABLE and len(place.node.input) > 1:
            count = place.node.attr["vocab_size"].i if "vocab_size" in place.node.attr else 0
            for name in program.own_files(place, place.node.input[1]):
                if name is not None and name in asset_paths:
                    needed[name] = max(1, count, needed.get(name, 0))
    for name, count in sorted(needed.items()):
        there = count_lines(asset_paths[name], count)
        if there < count:
            raise errors.BrokenModuleError(
                f"{source} is damaged: its vocabulary {texts.shown(name)} ({asset_paths[name]}) has "
                f"{there:,} lines and should have {count:,} or more. Fetch the module again."
            )


def _check_columns(program: Program, source: str) -> None:
    # TensorFlow takes the number of a column for less bits than it is stored with, and reads there.
    for node in itertools.chain.from_iterable(program.bodies.values()):
        for key in ("key_index", "value_index") if node.op in FILLS_TABLE else ():
            if key in node.attr and not -2 <= node.attr[key].i < _MOST_COLUMNS:
                raise errors.BrokenModuleError(
                    f"{source} is damaged: {texts.shown(node.name)} fills a table from the column "
                    f"{node.attr[key].i} of a file. Fetch the module again."
                )


def count_lines(path: str, most: float = math.inf) -> int:
    """Returns how many lines a file has; counting ends at `most`."""
    count, last = 0, b"\n"
    with files.open_file(path) as file:
        while count < most and (chunk := file.read(_CHUNK)):
            count += chunk.count(b"\n")
            last = chunk[-1:]
    return count + (last != b"\n")
