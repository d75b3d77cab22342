"""Changes in stored modules and SavedModels that no library makes."""

from __future__ import annotations

import contextlib
import pathlib
from collections.abc import Iterator
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

import hub_estimator as hub
from tests import modules
from tests.modules import tf1

FLOAT = tf.float32.as_datatype_enum
STRING = tf.string.as_datatype_enum


@contextlib.contextmanager
def edited(folder: Any) -> Iterator[Any]:
    """Gives the first `MetaGraphDef` of a folder, and stores it when the block ends."""
    file = pathlib.Path(folder) / "saved_model.pb"
    saved_model = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    yield saved_model.meta_graphs[0]
    file.write_bytes(saved_model.SerializeToString())


def add_function(
    graph_def: Any, name: str, calls: list[str] = (), op: str = "PartitionedCall"
) -> Any:
    """Adds a function of one float tensor that calls others in turn, and returns it."""
    function = graph_def.library.function.add()
    function.signature.name = name
    function.signature.input_arg.add(name="x", type=FLOAT)
    function.signature.output_arg.add(name="y", type=FLOAT)
    edge = "x"
    for number, callee in enumerate(calls):
        add_call(function.node_def.add(name=f"call_{number}"), callee, edge, op)
        edge = f"call_{number}:output:0"
    function.ret["y"] = edge
    return function


def add_call(node: Any, callee: str, edge: str, op: str = "PartitionedCall") -> None:
    """Makes a node call a function of one float tensor."""
    node.op = op
    node.input[:] = [edge]
    node.attr["Tin"].list.type[:] = [FLOAT]
    node.attr["Tout"].list.type[:] = [FLOAT]
    node.attr["f"].func.name = callee


def export(module_fn: Any, path: Any) -> str:
    """Writes the module of a `module_fn` in a graph of its own; returns the path."""
    return modules.export(hub, hub.create_module_spec(module_fn), str(path))


def exported_function(tmp_path: Any, callee: str = "") -> str:
    """Writes a module whose output is a function of its input; it may call another one instead."""

    def module_fn() -> None:
        x = tf1.placeholder(tf.float32, [None])
        hub.add_signature(inputs=x, outputs=tf.function(lambda value: value + 1.0)(x))

    path = export(module_fn, tmp_path / "module")
    if callee:
        with edited(path) as meta_graph:
            (call,) = [node for node in meta_graph.graph_def.node if "Call" in node.op]
            call.attr["f"].func.name = callee
    return path
