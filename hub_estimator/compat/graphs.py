"""What graphs need beyond TensorFlow's public API: the chain of function graphs, and captures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import tensorflow as tf
from tensorflow.python.eager import record
from tensorflow.python.framework import ops
from tensorflow.python.saved_model import function_deserialization


def is_inside(graph: tf.Graph, outer: tf.Graph) -> bool:
    """Whether `graph` is `outer`, or a function graph nested in it (`tf.cond`, `tf.map_fn`, ...)."""
    current: Any = graph
    while current is not None and current is not outer:
        current = getattr(current, "outer_graph", None)
    return current is outer


def capture(tensor: tf.Tensor, graph: tf.Graph) -> tf.Tensor:
    """Returns the tensor that stands for `tensor` of an outer graph in the function graph `graph`.

    An eager tensor is of no graph, and so of an outer one.
    """
    return tensor if getattr(tensor, "graph", None) is graph else graph.capture(tensor)


def watch(variable: tf.Variable, graph: tf.Graph) -> None:
    """Makes a function graph say that it uses a variable, so that tapes around calls record it.

    Reading a variable does; taking its handle does not.
    """
    graph.watch_variable(variable)


def is_function_graph(graph: tf.Graph) -> bool:
    """Whether `graph` is the body of a function rather than a graph of its own."""
    return isinstance(graph, tf.__internal__.FuncGraph)


def adds_dependencies(graph: tf.Graph) -> bool:
    """Whether new operations of `graph` get control inputs, or join a v1 control flow context."""
    context = graph._get_control_flow_context()
    return context is not None or bool(graph._current_control_dependencies())


def function_def(graph: tf.Graph, name: str) -> Any:
    """Returns the `FunctionDef` that the library of a graph has under a name, or None.

    Function graphs share their library with the graphs around them.
    """
    current: Any = graph
    while current is not None:
        function = current._functions.get(name)
        if function is not None:
            return getattr(function, "function_def", None) or function.cached_definition
        current = getattr(current, "outer_graph", None)
    return None


def is_watched(tensors: Sequence[tf.Tensor]) -> bool:
    """Whether a tape around the caller may ask for gradients with respect to a tensor."""
    return bool(record.should_record_backprop(list(tensors)))


def load_functions(library: Any, graph: tf.Graph) -> dict[str, Any]:
    """Adds functions to a function graph that is called eagerly, under names of their own.

    Eager execution looks functions up by name for the whole process, not in graphs. They are there
    as long as the graph, or what is returned, is.

    Args:
      library: a `FunctionDefLibrary`.
      graph: the function graph.

    Returns:
      The concrete functions by their names in the library.
    """
    changed = type(library).FromString(library.SerializeToString())
    functions = function_deserialization.load_function_def_library(
        changed, load_shared_name_suffix=""
    )
    for function in functions.values():
        function.add_to_graph(graph)
    return functions


def add_gradients(operations: Iterable[tf.Operation], functions: Iterable[Any]) -> None:
    """Makes the gradients of calls of loaded functions those of the functions.

    Without, they are operations that only graphs in sessions can run.
    """
    by_name = {function.name.decode(): function for function in functions}
    for operation in operations:
        name = operation.type
        if name in ("PartitionedCall", "StatefulPartitionedCall"):
            name = operation.get_attr("f").name
        if name in by_name:
            operation._gradient_function = by_name[name]._get_gradient_function()


def colocate(operation: tf.Operation, others: list[tf.Operation]) -> None:
    """Colocates an operation that exists already with others of its graph, also with their device."""
    names = [b"loc:@" + other.name.encode() for other in others]
    try:
        present = list(operation.get_attr("_class"))
    except ValueError:
        present = []
    value = tf.compat.v1.AttrValue()
    value.list.s.extend(sorted({*present, *names}))
    operation._set_attr("_class", value)
    device = next((other.device for other in others if other.device), "")
    operation._set_device(device)


def variable_from_proto(proto: Any, scope: str) -> tf.Variable:
    """Returns the variable that a `VariableDef` describes, whose operations a graph has already.

    Args:
      proto: the `VariableDef`, of a resource or a reference variable.
      scope: the absolute name scope of the operations, without a slash at the end.
    """
    from_proto = ops.get_from_proto_function(tf.compat.v1.GraphKeys.GLOBAL_VARIABLES)
    variable = from_proto(proto, import_scope=scope)
    if not hasattr(variable, "_distribute_strategy"):
        # Keras optimizers, which canned Estimators have, ask every variable for it.
        variable._distribute_strategy = None
    return variable
