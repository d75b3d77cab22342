"""The lookup tables of a graph: what they are looked up by, and what fills them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from hub_estimator.format import collections
from hub_estimator.format.description.module_description import TableDescription
from hub_estimator.format.description.object_graph import ObjectGraph
from hub_estimator.format.nodes import node_of
from hub_estimator.format.programs import GRAPH, Place, Program
from hub_estimator.format.vocabularies import FILLS_TABLE, count_lines

_HASH_TABLE = "HashTable"  # is in the types of the operations that make tables, and in no others
_FILLS = FILLS_TABLE | {"InitializeTable", "InitializeTableV2", "LookupTableImportV2"}


class TableFinder:
    """Finds the tables of a graph.

    Args:
      meta_graph: its `MetaGraphDef`.
      program: what of it runs.
      asset_paths: the paths of its assets by their names.
    """

    def __init__(self, meta_graph: Any, program: Program, asset_paths: Mapping[str, str]) -> None:
        self._own = collections.listed_assets(meta_graph)
        self._program = program
        self._asset_paths = asset_paths
        self._lines: dict[str, int] = {}
        self._nodes: dict[str, dict[str, Any]] = {}

    def of_graph(self) -> tuple[TableDescription, ...]:
        """Returns the tables of a TF1 graph, sorted by name."""
        nodes = self._body(GRAPH)
        fillers = {node_of(node.input[0]): node for node in nodes.values() if _fills(node)}
        return tuple(
            self._described(name, node, GRAPH, fillers.get(name))
            for name, node in sorted(nodes.items())
            if _makes_table(node)
        )

    def of_objects(self, objects: ObjectGraph) -> tuple[TableDescription, ...]:
        """Returns the tables of a TF2 SavedModel, sorted by name."""
        found = []
        for number, _ in objects.of_kind("resource"):
            creator = objects.function_name(number, "_create_resource")
            made = self._first(creator, _makes_table)
            if made is not None:
                initializer = objects.function_name(number, "_initialize")
                filler = self._first(initializer, _fills)
                name = objects.path(number)
                found.append(self._described(name, made, str(initializer), filler))
        return tuple(sorted(found, key=lambda table: table.name))

    def _first(self, function: str | None, is_it: Callable[[Any], bool]) -> Any | None:
        """Returns the first operation of a function that is of a kind; None without one."""
        return next(filter(is_it, self._body(function).values()), None) if function else None

    def _body(self, function: str) -> dict[str, Any]:
        """What of a function, or of the graph, has to do with tables; constants may be keys."""
        if function not in self._nodes:
            self._nodes[function] = {
                node.name: node
                for node in self._program.bodies.get(function, ())
                if node.op == "Const" or _makes_table(node) or _fills(node)
            }
        return self._nodes[function]

    def _described(
        self, name: str, node: Any, function: str, filler: Any | None
    ) -> TableDescription:
        asset, entries = None, None
        if filler is not None and filler.op in FILLS_TABLE:
            place = Place(function, filler, self._own if function == GRAPH else {})
            named = self._program.own_files(place, filler.input[1])
            asset = min(
                (name for name in named if name and name in self._asset_paths), default=None
            )
            entries = self._entries(filler, asset)
        elif filler is not None:
            keys = self._body(function).get(node_of(filler.input[1]))
            if keys is not None and keys.op == "Const":
                sizes = keys.attr["value"].tensor.tensor_shape.dim
                entries = math.prod(dim.size for dim in sizes)
        dtypes = [tf.as_dtype(node.attr[key].type).name for key in ("key_dtype", "value_dtype")]
        return TableDescription(name, dtypes[0], dtypes[1], asset, entries)

    def _entries(self, filler: Any, asset: str | None) -> int | None:
        said = filler.attr["vocab_size"].i if "vocab_size" in filler.attr else 0
        if said > 0 or asset is None:
            return said if said > 0 else None
        if asset not in self._lines:
            self._lines[asset] = count_lines(self._asset_paths[asset])
        return self._lines[asset]


def _makes_table(node: Any) -> bool:
    return _HASH_TABLE in node.op and "key_dtype" in node.attr and "value_dtype" in node.attr


def _fills(node: Any) -> bool:
    return node.op in _FILLS and len(node.input) > 1
