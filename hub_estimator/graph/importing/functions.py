"""The function library that part of a graph needs, under names that are free.

TensorFlow names functions by counters (`while_body_17`): those of two modules, or of a module and
the program around it, often have equal names and different bodies.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import re
from collections.abc import Iterable, Iterator
from typing import Any

import tensorflow as tf

from hub_estimator import compat
from hub_estimator.format.library import called, function_values

_CONTROL_FLOW = frozenset({"If", "StatelessIf", "While", "StatelessWhile", "Case", "StatelessCase"})
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_]")


def needed_library(nodes: Iterable[Any], library: Any) -> Any:
    """Returns the part of a `FunctionDefLibrary` that nodes call, directly or not."""
    if not library.function:
        return type(library)()
    functions = {function.signature.name: function for function in library.function}
    gradients = {gradient.function_name: gradient for gradient in library.gradient}
    needed: dict[str, Any] = {}
    open_ = [name for node in nodes for name in called(node)]
    while open_:
        name = open_.pop()
        if name in needed or name not in functions:
            continue
        needed[name] = functions[name]
        open_ += [other for node in functions[name].node_def for other in called(node)]
        if name in gradients:
            open_.append(gradients[name].gradient_func)
    part = type(library)()
    part.function.extend(needed[name] for name in sorted(needed))
    part.gradient.extend(gradients[name] for name in sorted(needed) if name in gradients)
    return part


@contextlib.contextmanager
def functions_ready(graph_def: Any, scope: str) -> Iterator[Any]:
    """Makes the functions that nodes call ready for the default graph, which imports the nodes.

    Args:
      graph_def: the nodes and functions.
      scope: the absolute name scope that the nodes will have there, ending in a slash.

    Yields:
      A `GraphDef` to import in the block.
    """
    graph = tf.compat.v1.get_default_graph()
    if not graph_def.library.function or not _runs_eagerly(graph):
        yield rename_clashing(graph_def, graph, scope)
        return
    functions = compat.load_functions(graph_def.library, graph)
    renamed = type(graph_def)(versions=graph_def.versions)
    renamed.node.extend(graph_def.node)
    _rename_calls(renamed.node, {name: new.name.decode() for name, new in functions.items()})
    yield renamed
    imported = (graph.get_operation_by_name(scope + node.name) for node in renamed.node)
    compat.add_gradients(imported, functions.values())


def _runs_eagerly(graph: tf.Graph) -> bool:
    """Whether a graph is that of a function that is called eagerly, rather than of a session."""
    if not compat.is_function_graph(graph):
        return False
    with tf.init_scope():
        return tf.executing_eagerly()


def rename_clashing(graph_def: Any, graph: tf.Graph, scope: str) -> Any:
    """Returns a `GraphDef` whose functions have names that `graph` does not use for others.

    A renamed function is named after its content, so that a second import finds its own again.
    Where there is control flow, each import gets functions of its own: a gradient of a loop or a
    branch makes more functions, named after the first, which differ from import to import.

    Args:
      graph_def: what will be imported.
      graph: the graph that it will be imported into.
      scope: the absolute name scope that it will have there.
    """
    if not graph_def.library.function:
        return graph_def
    in_functions = (node for function in graph_def.library.function for node in function.node_def)
    if any(node.op in _CONTROL_FLOW for node in itertools.chain(graph_def.node, in_functions)):
        inside = f"{graph.name}_" if compat.is_function_graph(graph) else ""
        suffix = _NOT_IN_NAMES.sub("_", f"{inside}{scope.rstrip('/')}")
        names = [function.signature.name for function in graph_def.library.function]
        suffix = _free_suffix(names, suffix, graph)
        new_names = {name: f"{name}_{suffix}" for name in names}
    else:
        new_names = _clashing(graph_def.library, graph)
    if not new_names:
        return graph_def
    renamed = type(graph_def)()
    renamed.CopyFrom(graph_def)
    _rename(renamed, new_names)
    return renamed


def _free_suffix(names: Iterable[str], suffix: str, graph: tf.Graph) -> str:
    """Returns the suffix, with a number where functions have these names with it already."""
    numbered = itertools.chain([suffix], (f"{suffix}_{number}" for number in itertools.count(1)))
    return next(
        candidate
        for candidate in numbered
        if all(compat.function_def(graph, f"{name}_{candidate}") is None for name in names)
    )


def _clashing(library: Any, graph: tf.Graph) -> dict[str, str]:
    new_names = {}
    for function in library.function:
        there = compat.function_def(graph, function.signature.name)
        if there is not None and there != function:
            content = hashlib.sha256(function.SerializeToString(deterministic=True))
            name = f"{function.signature.name}_{content.hexdigest()[:16]}"
            new_names[function.signature.name] = name
    return new_names


def _rename(graph_def: Any, new_names: dict[str, str]) -> None:
    library = graph_def.library
    for function in library.function:
        function.signature.name = new_names.get(function.signature.name, function.signature.name)
        _rename_calls(function.node_def, new_names)
    for gradient in library.gradient:
        gradient.function_name = new_names.get(gradient.function_name, gradient.function_name)
        gradient.gradient_func = new_names.get(gradient.gradient_func, gradient.gradient_func)
    _rename_calls(graph_def.node, new_names)


def _rename_calls(nodes: Iterable[Any], new_names: dict[str, str]) -> None:
    for node in nodes:
        node.op = new_names.get(node.op, node.op)
        for value in function_values(node):
            value.name = new_names.get(value.name, value.name)
