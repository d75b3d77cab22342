"""Uses changed copies of modules and SavedModels, and tells of each what came of it.

    python -m tests.format.mutations <scratch folder> <first> <last>

Unlike `damage.py`, which changes bytes, it changes what they say: types of operations, attributes,
edges, functions, shapes, signatures, objects. Each line of its output is a number, what was changed,
and an outcome: `error` (an `errors.Error`), `tensorflow` (an error of TensorFlow's while it runs the
graph), `output`, or `wrong` with what happened. A number without an outcome is a crash.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import random
import shutil
import sys
import traceback
from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

import hub_estimator as hub
from hub_estimator import errors
from hub_estimator.format.operation_rules import RULES
from tests import modules
from tests.modules import tf1

GOLDENS = pathlib.Path(__file__).parent.parent / "goldens"
NUMBERS = (-(2**63), -(2**31), -7, -1, 0, 1, 2, 3, 255, 2**20, 2**31 - 1, 2**31, 2**62, 2**63 - 1)
TEXTS = (b"", b"a", b"loc:@w", b"/job:worker/task:7", b"\xff", b"x" * 5000, b"^x", b"a:b:c", b"^")
Mutate = Callable[[random.Random, Any], str]


def _meta_graph(choice: random.Random, saved_model: Any) -> Any:
    return choice.choice(saved_model.meta_graphs)


def _bodies(meta_graph: Any) -> list[Any]:
    functions = meta_graph.graph_def.library.function
    return [body for body in (meta_graph.graph_def.node, *(f.node_def for f in functions)) if body]


def _node(choice: random.Random, saved_model: Any) -> tuple[Any, Any]:
    """A node, and those around it."""
    nodes = choice.choice(_bodies(_meta_graph(choice, saved_model)))
    return choice.choice(nodes), nodes


def change_op(choice: random.Random, saved_model: Any) -> str:
    node, nodes = _node(choice, saved_model)
    others = [name for name in dir(tf.raw_ops) if name[0].isupper() and name not in RULES]
    before, node.op = node.op, choice.choice([choice.choice(nodes).op, choice.choice(others)])
    return f"{node.name}: {before} to {node.op}"


def change_input(choice: random.Random, saved_model: Any) -> str:
    node, nodes = _node(choice, saved_model)
    other = choice.choice(nodes).name
    edge = choice.choice(
        [other, f"{other}:0", f"{other}:1", f"{other}:99", f"^{other}", "", "^", ":"]
    )
    how = choice.choice(["add", "replace", "replace", "remove", "first"])
    index = choice.randrange(len(node.input)) if node.input else 0
    if how == "add" or not node.input:
        node.input.append(edge)
    elif how == "replace":
        node.input[index] = edge
    elif how == "remove":
        del node.input[index]
    else:
        node.input.insert(0, edge)
    return f"{node.name} ({node.op}): {how} {edge!r}"


def change_attr(choice: random.Random, saved_model: Any) -> str:
    node, nodes = _node(choice, saved_model)
    donor = choice.choice(nodes)
    if not node.attr or not donor.attr:
        return "nothing"
    key = choice.choice(sorted(node.attr))
    how = choice.choice(["value", "value", "value", "value", "remove", "clear", "other", "rename"])
    if how == "value":
        _change_value(choice, node.attr[key])
    elif how == "remove":
        del node.attr[key]
    elif how == "clear":
        node.attr[key].Clear()
    elif how == "other":
        node.attr[key].CopyFrom(donor.attr[choice.choice(sorted(donor.attr))])
    else:
        node.attr[choice.choice(["T", "dtype", "N", "_class", "shape", "f"])].CopyFrom(
            node.attr[key]
        )
    return f"{node.name} ({node.op}): {how} {key} = {str(node.attr.get(key))[:60]!r}"


def _change_value(choice: random.Random, value: Any) -> None:
    kind = value.WhichOneof("value")
    if kind == "type":
        value.type = choice.choice([0, 1, 3, 7, 9, 10, 20, 21, 101, 107, 120, 9999, -1])
    elif kind == "i":
        value.i = choice.choice(NUMBERS)
    elif kind == "s":
        value.s = choice.choice(TEXTS)
    elif kind == "b":
        value.b = not value.b
    elif kind == "f":
        value.f = choice.choice([float("nan"), float("inf"), -1.0, 0.0, 1e38])
    elif kind == "shape":
        _change_shape(choice, value.shape)
    elif kind == "tensor":
        _change_tensor(choice, value.tensor)
    elif kind == "func":
        value.func.name = choice.choice(["", "nothing", value.func.name + "_", "Add"])
    elif kind == "list":
        fields = [field for field, _ in value.list.ListFields()]
        if fields and choice.random() < 0.5:
            values = getattr(value.list, fields[0].name)
            del values[choice.randrange(len(values)) :]
        else:
            value.list.i.extend([choice.choice(NUMBERS)])
            value.list.s.append(choice.choice(TEXTS))
            value.list.type.append(choice.choice([1, 7, 20]))
    else:
        value.i = choice.choice(NUMBERS)


def _change_shape(choice: random.Random, shape: Any) -> None:
    how = choice.choice(["add", "remove", "size", "unknown", "many"])
    if how == "add" or (how == "size" and not shape.dim):
        shape.dim.add(size=choice.choice(NUMBERS))
    elif how == "remove":
        del shape.dim[:1]
    elif how == "size":
        choice.choice(shape.dim).size = choice.choice(NUMBERS)
    elif how == "unknown":
        shape.unknown_rank = True
    else:
        for _ in range(300):
            shape.dim.add(size=1)


def _change_tensor(choice: random.Random, tensor: Any) -> None:
    how = choice.choice(["dtype", "shape", "shape", "content", "values", "version"])
    if how == "dtype":
        tensor.dtype = choice.choice([0, 1, 3, 7, 9, 10, 20, 21, 101, 9999])
    elif how == "shape":
        _change_shape(choice, tensor.tensor_shape)
    elif how == "content":
        tensor.tensor_content = choice.choice([b"", b"\0" * 7, b"\xff" * 64])
    elif how == "values":
        for field, _ in tensor.ListFields():
            if field.name.endswith("_val"):
                tensor.ClearField(field.name)
        tensor.variant_val.add(type_name="x", metadata=b"y")
    else:
        tensor.version_number = choice.choice([-1, 1, 9])


def change_nodes(choice: random.Random, saved_model: Any) -> str:
    node, nodes = _node(choice, saved_model)
    how = choice.choice(["remove", "twice", "rename", "device", "swap"])
    if how == "remove":
        nodes.remove(node)
    elif how == "twice":
        nodes.add().CopyFrom(node)
    elif how == "rename":
        node.name = choice.choice(
            ["", "a b", "^x", choice.choice(nodes).name, "x" * 3000, "_x", "a//b"]
        )
    elif how == "device":
        node.device = choice.choice(
            ["/gpu:0", "/job:nothing", "nonsense", "/cpu:99", "/device:X:-1"]
        )
    else:
        other = choice.choice(nodes)
        node.name, other.name = other.name, node.name
    return f"{how} {node.name[:40]} ({node.op})"


def change_function(choice: random.Random, saved_model: Any) -> str:
    library = _meta_graph(choice, saved_model).graph_def.library
    if not library.function:
        return "nothing"
    function, other = choice.choice(library.function), choice.choice(library.function)
    name = function.signature.name
    how = choice.choice(
        [
            "remove",
            "rename",
            "swap",
            "arguments",
            "types",
            "results",
            "call",
            "gradient",
            "stateful",
        ]
    )
    if how == "remove":
        library.function.remove(function)
    elif how == "rename":
        function.signature.name = choice.choice(
            ["", "Add", name + "_", other.signature.name, "a b"]
        )
    elif how == "swap":
        function.signature.name, other.signature.name = other.signature.name, name
    elif how == "arguments":
        arguments = function.signature.input_arg
        if arguments and choice.random() < 0.5:
            arguments.pop(choice.randrange(len(arguments)))
        else:
            arguments.add(name=choice.choice(["x", "", "new"]), type=choice.choice([0, 1, 7, 20]))
    elif how == "types":
        for argument in (*function.signature.input_arg, *function.signature.output_arg):
            argument.type = choice.choice([argument.type, 0, 1, 3, 7, 20, 21, 101])
    elif how == "results":
        for key in list(function.ret):
            function.ret[key] = choice.choice(
                [function.ret[key], "x", "", "x:y:9", ":", "NoOp:z:0"]
            )
    elif how == "call":
        function.node_def.add(name="again", op=choice.choice([name, other.signature.name]))
    elif how == "gradient":
        library.gradient.add(function_name=name, gradient_func=other.signature.name)
    else:
        function.signature.is_stateful = not function.signature.is_stateful
        function.control_ret["x"] = choice.choice(["", "nothing", "Identity"])
    return f"{how} {name}"


def change_signature(choice: random.Random, saved_model: Any) -> str:
    meta_graph = _meta_graph(choice, saved_model)
    if not meta_graph.signature_def:
        return "nothing"
    name = choice.choice(sorted(meta_graph.signature_def))
    signature = meta_graph.signature_def[name]
    infos = choice.choice([signature.inputs, signature.outputs])
    key = choice.choice(sorted(infos) or ["x"])
    info = infos[key]
    how = choice.choice(
        ["name", "name", "dtype", "shape", "sparse", "composite", "remove", "method"]
    )
    some = choice.choice(meta_graph.graph_def.node).name
    if how == "name":
        info.name = choice.choice([some, f"{some}:0", f"{some}:7", "", ":0", "^x", "nothing:0"])
    elif how == "dtype":
        info.dtype = choice.choice([0, 1, 3, 7, 9, 20, 21, 101, 9999])
    elif how == "shape":
        _change_shape(choice, info.tensor_shape)
    elif how == "sparse":
        info.coo_sparse.values_tensor_name = f"{some}:0"
    elif how == "composite":
        part = info.composite_tensor.components.add()
        for _ in range(30):
            part = part.composite_tensor.components.add()
        part.name = f"{some}:0"
    elif how == "remove":
        del infos[key]
    else:
        signature.method_name = "\0"
        meta_graph.signature_def[choice.choice(["", "__saved_model_init_op", "a b"])].CopyFrom(
            signature
        )
    return f"{name}: {how} {key} {str(info)[:40]!r}"


def change_collection(choice: random.Random, saved_model: Any) -> str:
    meta_graph = _meta_graph(choice, saved_model)
    keys = [*sorted(meta_graph.collection_def), "update_ops", "table_initializer", "variables"]
    keys += [
        "cond_context",
        "while_context",
        "queue_runners",
        "saved_model_main_op",
        "local_variables",
    ]
    key, other = choice.choice(keys), choice.choice(keys)
    collection = meta_graph.collection_def[key]
    some = choice.choice(meta_graph.graph_def.node).name
    how = choice.choice(["node", "bytes", "floats", "other", "remove", "edit", "edit"])
    if how == "node":
        collection.node_list.value.append(
            choice.choice([some, f"{some}:0", "", "nothing", f"^{some}"])
        )
    elif how == "bytes":
        collection.bytes_list.value.append(choice.choice(TEXTS))
    elif how == "floats":
        collection.float_list.value.append(1.0)
    elif how == "other":
        collection.CopyFrom(meta_graph.collection_def[other])
    elif how == "remove":
        del meta_graph.collection_def[key]
    elif collection.bytes_list.value:
        values = collection.bytes_list.value
        index = choice.randrange(len(values))
        content = bytearray(values[index])
        if content:
            content[choice.randrange(len(content))] = choice.choice([0, 10, 255, 0x41])
        values[index] = bytes(content)
    return f"{how} {key} {other}"


def change_objects(choice: random.Random, saved_model: Any) -> str:
    meta_graph = _meta_graph(choice, saved_model)
    objects = meta_graph.object_graph_def
    if not objects.nodes:
        return "nothing"
    index = choice.randrange(len(objects.nodes))
    node, other = objects.nodes[index], choice.choice(objects.nodes)
    numbers = [-1, 0, index, len(objects.nodes), 2**31 - 1]
    how = choice.choice(
        ["child", "bound", "kind", "asset", "functions", "variable", "remove", "slot"]
    )
    if how == "child":
        child = choice.choice(node.children) if node.children else node.children.add(local_name="x")
        child.node_id = choice.choice(numbers)
        child.local_name = choice.choice(
            [child.local_name, "", "__call__", "__class__", "signatures"]
        )
    elif how == "bound" and objects.concrete_functions:
        name = choice.choice(sorted(objects.concrete_functions))
        bound = objects.concrete_functions[name].bound_inputs
        bound.append(choice.choice(numbers)) if choice.random() < 0.5 or not bound else bound.pop()
    elif how == "kind":
        node.CopyFrom(other)
    elif how == "asset":
        node.asset.asset_file_def_index = choice.choice(numbers)
    elif how == "functions" and objects.concrete_functions:
        name = choice.choice(sorted(objects.concrete_functions))
        objects.concrete_functions["nothing"].CopyFrom(objects.concrete_functions[name])
        if choice.random() < 0.5:
            del objects.concrete_functions[name]
    elif how == "variable":
        node.variable.dtype = choice.choice([0, 1, 7, 20, 9999])
        _change_shape(choice, node.variable.shape)
    elif how == "remove":
        objects.nodes.remove(node)
    else:
        node.slot_variables.add(
            original_variable_node_id=choice.choice(numbers),
            slot_name="m",
            slot_variable_node_id=choice.choice(numbers),
        )
    return f"{how} {index}"


def change_rest(choice: random.Random, saved_model: Any) -> str:
    meta_graph = _meta_graph(choice, saved_model)
    how = choice.choice(["versions", "saver", "assets", "tags", "stripped", "graph", "two"])
    if how == "versions":
        versions = meta_graph.graph_def.versions
        versions.producer = choice.choice([-1, 0, 9, 10**6])
        versions.min_consumer = choice.choice([0, 9, 10**6])
        versions.bad_consumers.append(choice.choice([1, 1395, 2000]))
    elif how == "saver":
        some = choice.choice(meta_graph.graph_def.node).name
        meta_graph.saver_def.filename_tensor_name = choice.choice([f"{some}:0", "", "x:0"])
        meta_graph.saver_def.restore_op_name = choice.choice([some, "", "x"])
        meta_graph.saver_def.save_tensor_name = choice.choice([f"{some}:0", "", "x:0"])
    elif how == "assets":
        asset = meta_graph.asset_file_def.add(filename=choice.choice(["", "../x", "v.txt", "."]))
        asset.tensor_info.name = f"{choice.choice(meta_graph.graph_def.node).name}:0"
    elif how == "tags":
        meta_graph.meta_info_def.tags[:] = choice.choice([[], ["serve"], ["serve", "serve"], [""]])
    elif how == "stripped":
        op = meta_graph.meta_info_def.stripped_op_list.op.add(
            name=choice.choice(["Const", "Add", ""])
        )
        op.attr.add(name="x", type=choice.choice(["nonsense", "int", "type"])).default_value.i = 7
    elif how == "graph":
        meta_graph.ClearField(choice.choice(["graph_def", "meta_info_def", "object_graph_def"]))
    else:
        saved_model.meta_graphs.add().CopyFrom(meta_graph)
    return how


MUTATIONS: tuple[Mutate, ...] = (
    change_op,
    change_input,
    change_attr,
    change_nodes,
    change_function,
    change_signature,
    change_collection,
    change_objects,
    change_rest,
)


class Count(tf.Module):
    """A TF2 SavedModel with variables, a table with an asset, control flow, and nested functions."""

    def __init__(self, vocabulary: str) -> None:
        super().__init__()
        self.weight = tf.Variable([1.0, 2.0, 3.0])
        self.table = tf.lookup.StaticHashTable(
            tf.lookup.TextFileInitializer(
                vocabulary, tf.string, 0, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER
            ),
            2,
        )

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="words")])
    def __call__(self, words: tf.Tensor) -> tf.Tensor:
        rows = self.inner(self.table.lookup(words))
        return tf.map_fn(lambda row: row * tf.reduce_sum(rows), rows)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int64, name="rows")])
    def inner(self, rows: tf.Tensor) -> tf.Tensor:
        return tf.cond(
            tf.size(rows) > 1, lambda: tf.gather(self.weight, rows), lambda: tf.ones([1])
        )


def make_saved_model(folder: str) -> None:
    def make() -> None:
        made = Count(modules.write_lines(folder, "v.txt", ["a", "b"]))
        tf.saved_model.save(made, f"{folder}/saved_model", signatures={"rows": made.inner})

    modules.in_thread(make)


class RunError(Exception):
    """TensorFlow found the change itself, while it ran the graph, and says so."""


def use_as_module(path: str, case: modules.Case) -> None:
    spec = hub.load_module_spec(path)
    for call in case.calls:
        spec.get_input_info_dict(call.signature, tags=call.tags)
        spec.get_output_info_dict(call.signature, tags=call.tags)
        with tf.Graph().as_default():
            module = hub.Module(spec, trainable=True, tags=call.tags)
            inputs = {key: modules.as_tensor(value) for key, value in call.inputs.items()}
            outputs = module(inputs, signature=call.signature, as_dict=True)
            with tf1.Session() as session:
                try:
                    modules.initialize(session)
                    session.run(outputs)
                except tf.errors.OpError as error:
                    raise RunError from error


def use_as_saved_model(path: str, eagerly: bool) -> None:
    """Loads it and calls it if it can be called."""

    def call(loaded: Any) -> Any:
        if not callable(loaded):
            return ()
        try:
            return loaded(tf.constant(["a", "x"]))
        except (AssertionError, LookupError, TypeError, ValueError, tf.errors.OpError) as error:
            raise RunError from error

    if eagerly:
        modules.in_thread(lambda: call(hub.load(path)))
        return
    with tf.Graph().as_default(), tf1.Session() as session:
        outputs = call(hub.load(path))
        try:
            modules.initialize(session)
            session.run(outputs)
        except tf.errors.OpError as error:
            raise RunError from error


def outcome(use: Callable[..., None], *args: Any) -> str:
    try:
        use(*args)
    except errors.Error as error:
        return f"error {type(error).__name__}"
    except RunError as error:
        return f"tensorflow {type(error.__cause__).__name__}"
    except Exception as error:  # noqa: BLE001  what else there is, is what is looked for
        lines = traceback.format_exc().splitlines()
        return f"wrong {error!r} " + " ".join(lines[-8:])
    return "output"


def main() -> None:
    scratch, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    make_saved_model(scratch)
    sources = {f"module {name}": GOLDENS / name / "module" for name in sorted(modules.CASES)}
    sources = {name: path for name, path in sources.items() if path.is_dir()}
    sources |= {name.replace("module", "load"): path for name, path in sources.items()}
    saved_models = {f"saved_model {number}": f"{scratch}/saved_model" for number in range(8)}
    names = [*sources, *saved_models]
    for seed in range(first, last):
        choice = random.Random(seed)
        name = choice.choice(names)
        kind, _, case = name.partition(" ")
        path = pathlib.Path(scratch, f"changed_{seed}")
        shutil.copytree({**sources, **saved_models}[name], path)
        saved_model = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
        did = []
        for _ in range(choice.choice([1, 1, 2, 3])):
            mutate = choice.choice(MUTATIONS)
            with contextlib.suppress(IndexError, ValueError, TypeError, UnicodeDecodeError):
                did.append(f"{mutate.__name__} {mutate(choice, saved_model)}")
        try:
            content = saved_model.SerializeToString()
        except ValueError:
            continue
        (path / "saved_model.pb").write_bytes(content)
        print(seed, name, "; ".join(did).replace("\n", " "), end=" => ", flush=True)
        if kind == "module":
            found = outcome(use_as_module, os.fspath(path), modules.CASES[case])
        else:
            found = outcome(use_as_saved_model, os.fspath(path), seed % 2 == 0)
        print(found.replace("\n", " "), flush=True)
        shutil.rmtree(path)


if __name__ == "__main__":
    main()
