"""What of a stored graph runs, and where that reads the module's own files.

TensorFlow runs the nodes that something asks for, with all that they need. Much else may be stored
and never runs: operations of savers, and initializers of variables whose values are in the module's
checkpoint.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from hub_estimator import compat
from hub_estimator.format import collections
from hub_estimator.format.library import GRAPH, LOOPS, Library, given_values
from hub_estimator.format.nodes import NodeIndex, node_of, tensor_of
from hub_estimator.format.tensor_infos import component_names

CHECKPOINT = ""
"""Stands for the module's own checkpoint among the names of its own files."""

_INITIALIZING_SIGNATURES = frozenset({"__saved_model_init_op", "__saved_model_train_op"})
_INITIALIZING_COLLECTIONS = (
    collections.TABLE_INITIALIZERS,
    "legacy_init_op",
    "saved_model_main_op",
)
_LOCAL_VARIABLES = "local_variables"

# A value in a graph: the function that it is in, or `GRAPH`, and the edge that carries it.
_Value = tuple[str, str]


@dataclasses.dataclass(frozen=True)
class Run:
    """Something that asks for nodes of a graph.

    Attributes:
      roots: the names of the nodes.
      own: the module's own files that it feeds: their names under `assets/`, or `CHECKPOINT`, by the
        name of the tensor (`node:0`) that is the path.
    """

    roots: Collection[str]
    own: Mapping[str, str]


@dataclasses.dataclass(frozen=True)
class Place:
    """A node that runs.

    Attributes:
      function: the name of the function that it is in, or `GRAPH`.
      node: the node.
      own: what is fed where it runs, see `Run.own`.
    """

    function: str
    node: Any
    own: Mapping[str, str]


class Program:
    """A stored graph with the runs that there are of it.

    Args:
      meta_graph: the `MetaGraphDef`; it must not be changed afterwards.
      index: the nodes of its graph.
      library: the functions of its graph.
      runs: what asks for nodes of the graph itself.
      functions: the functions that run besides.

    Attributes:
      graph_def: the graph.
      library: its functions.
      bodies: the nodes of each function by its name, and those of the graph itself under `GRAPH`.
    """

    def __init__(
        self,
        meta_graph: Any,
        index: NodeIndex,
        library: Library,
        runs: Iterable[Run] = (),
        functions: Iterable[str] = (),
    ) -> None:
        self.graph_def = meta_graph.graph_def
        self.library = library
        self._index = index
        self.bodies = {name: function.node_def for name, function in library.functions.items()}
        self.bodies[GRAPH] = self.graph_def.node
        self._runs = tuple(runs)
        self._functions = tuple(functions)
        self._exposed = frozenset(meta_graph.object_graph_def.concrete_functions)
        self._bound = _bound_assets(meta_graph, library)
        self._by_name: dict[str, dict[str, Any]] = {}

    @functools.cached_property
    def op_types(self) -> frozenset[str]:
        """The types of all nodes; those of calls of functions are the functions' names."""
        return frozenset(node.op for nodes in self.bodies.values() for node in nodes)

    def places(self) -> Iterator[Place]:
        """Yields each node that runs, once for each run."""
        for run in self._runs:
            names = self._index.ancestors(
                [name for name in run.roots if name in self._index],
                lambda edge: node_of(edge) not in self._index,
            )
            nodes = [self._index[name] for name in names]
            yield from (Place(GRAPH, node, run.own) for node in nodes)
            yield from self._in_functions(
                self.library.reached(self.library.called_by(nodes)), run.own
            )
        yield from self._in_functions(self._functions, {})

    def _in_functions(self, names: Iterable[str], own: Mapping[str, str]) -> Iterator[Place]:
        for name in names:
            for node in self.bodies[name]:
                yield Place(name, node, own)

    def own_files(self, place: Place, edge: str) -> set[str | None]:
        """Returns which of the module's own files a value is the path of, from all that may give it.

        Args:
          place: a node that runs.
          edge: one of its inputs.

        Returns:
          Names of files under `assets/` and `CHECKPOINT`; None stands for everything else.
        """
        found: set[str | None] = set()
        pending: list[_Value | None] = [(place.function, edge)]
        seen: set[_Value | None] = set()
        while pending:
            value = pending.pop()
            if value in seen:
                continue
            seen.add(value)
            if value is None:
                found.add(None)
                continue
            function, name = value[0], node_of(value[1])
            node = self._body(function).get(name)
            if function == GRAPH and tensor_of(value[1]) in place.own:
                found.add(place.own[tensor_of(value[1])])
            elif node is None and function != GRAPH:
                if value in self._bound:
                    found.add(self._bound[value])
                elif function in self._exposed or value not in self._given:
                    found.add(None)
                pending += self._given.get(value, ())
            elif node is not None and node.op == "Identity" and node.input:
                pending.append((function, node.input[0]))
            else:
                found.add(None)
        return found

    def _body(self, function: str) -> dict[str, Any]:
        if function == GRAPH:
            return self._index.by_name
        if function not in self._by_name:
            self._by_name[function] = {node.name: node for node in self.bodies[function]}
        return self._by_name[function]

    @functools.cached_property
    def _given(self) -> dict[_Value, list[_Value | None]]:
        """What calls give to the arguments of functions; None where nothing tells."""
        given: dict[_Value, list[_Value | None]] = {}
        for function, nodes in self.bodies.items():
            # The graph of a TF2 SavedModel is for other loaders: only its functions run here.
            for node in nodes if function != GRAPH or self._runs else ():
                for name in self.library.called_by([node]):
                    arguments = self.library.functions[name].signature.input_arg
                    # In later turns of a loop its functions get what they gave before.
                    edges = None if node.op in LOOPS else given_values(node, name)
                    if edges is None or len(edges) != len(arguments):
                        sources: list[_Value | None] = [None] * len(arguments)
                    else:
                        sources = [(function, edge) for edge in edges]
                    for argument, source in zip(arguments, sources, strict=True):
                        given.setdefault((name, argument.name), []).append(source)
        return given


def of_variant(meta_graph: Any, index: NodeIndex, restores: bool) -> Program:
    """Returns the program of a module's graph variant as `hub.Module` runs it.

    Args:
      meta_graph: its `MetaGraphDef`.
      index: its nodes.
      restores: whether the values of its variables come from a checkpoint.
    """
    roots = _collected(meta_graph, [collections.TABLE_INITIALIZERS])
    roots |= _results(meta_graph, meta_graph.signature_def)
    for proto in collections.variable_defs(meta_graph):
        roots.add(node_of(proto.snapshot_name))
        if not restores:
            roots |= {node_of(proto.initializer_name), node_of(proto.initial_value_name)}
    roots |= {name for name, node in index.by_name.items() if compat.makes_state(node.op)}
    # What stands for an asset's path gets the path as its value, which only constants take.
    own = {
        tensor: file
        for tensor, file in collections.asset_files(meta_graph).items()
        if node_of(tensor) in index and index[node_of(tensor)].op == "Const"
    }
    return Program(meta_graph, index, Library(meta_graph.graph_def.library), [Run(roots, own)])


def of_saved_model(meta_graph: Any) -> Program:
    """Returns the program of a SavedModel's graph as `tf.saved_model.load` runs it."""
    index, library = NodeIndex(meta_graph.graph_def), Library(meta_graph.graph_def.library)
    if meta_graph.HasField("object_graph_def"):
        functions = _functions_of_objects(meta_graph, library)
        return Program(meta_graph, index, library, functions=functions)
    initializing = _INITIALIZING_SIGNATURES & set(meta_graph.signature_def)
    roots = _collected(meta_graph, _INITIALIZING_COLLECTIONS)
    roots |= _outputs(meta_graph, initializing)
    for proto in collections.variable_defs(meta_graph, _LOCAL_VARIABLES):
        roots.add(node_of(proto.initializer_name))
    assets = collections.listed_assets(meta_graph)
    saver = meta_graph.saver_def
    runs = [
        # Paths are fed where something is initialized; elsewhere those that are stored are read.
        Run(roots, assets),
        Run({node_of(saver.restore_op_name)}, {saver.filename_tensor_name: CHECKPOINT}),
        Run(_results(meta_graph, set(meta_graph.signature_def) - initializing), {}),
    ]
    return Program(meta_graph, index, library, runs)


def _results(meta_graph: Any, signatures: Iterable[str]) -> set[str]:
    """The nodes that callers ask for, and those that are imported with them."""
    roots = _collected(meta_graph, (collections.UPDATE_OPS, collections.REGULARIZATION_LOSSES))
    for context in collections.contexts(meta_graph):
        roots |= set(map(node_of, collections.names_in_context(context)))
    return roots | _outputs(meta_graph, signatures)


def _outputs(meta_graph: Any, signatures: Iterable[str]) -> set[str]:
    return {
        node_of(tensor)
        for name in signatures
        for info in meta_graph.signature_def[name].outputs.values()
        for tensor in component_names(info)
    }


def _collected(meta_graph: Any, keys: Iterable[str]) -> set[str]:
    return {node_of(name) for key in keys for name in collections.node_names(meta_graph, key)}


def _functions_of_objects(meta_graph: Any, library: Library) -> set[str]:
    """All functions of a TF2 SavedModel but those that saved and restored it, which are not used."""
    saver = meta_graph.saver_def
    savers = {node_of(saver.save_tensor_name), node_of(saver.restore_op_name)}
    nodes = [node for node in meta_graph.graph_def.node if node.name in savers]
    unused = {
        name
        for name in library.reached(library.called_by(nodes))
        if not library.has_alternatives(name)
        and name not in meta_graph.object_graph_def.concrete_functions
    }
    return library.reached(set(library.functions) - unused)


def _bound_assets(meta_graph: Any, library: Library) -> dict[_Value, str]:
    """The file under `assets/` that the objects of a SavedModel bind to functions' arguments."""
    bound = {}
    objects = meta_graph.object_graph_def
    for name, function in objects.concrete_functions.items():
        if name in library.functions:
            arguments = library.functions[name].signature.input_arg
            first = len(arguments) - len(function.bound_inputs)
            for argument, number in zip(arguments[first:], function.bound_inputs, strict=True):
                node = objects.nodes[number]
                if node.WhichOneof("kind") == "asset":
                    asset = meta_graph.asset_file_def[node.asset.asset_file_def_index]
                    bound[name, argument.name] = asset.filename
    return bound
