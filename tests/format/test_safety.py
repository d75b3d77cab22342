"""Graphs that TensorFlow must not be given: circles, bombs, names that stand for two things."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import tensorflow as tf
from google.protobuf import text_format

import hub_estimator as hub
from hub_estimator import errors
from hub_estimator.format.reading_limits import ReadingLimits
from hub_estimator.format.stored_graphs import read_saved_model
from tests import modules
from tests.format.editing import FLOAT, STRING, add_function, edited, export, exported_function
from tests.modules import tf1


def _load(path):
    modules.in_thread(lambda: hub.load(path))


def _error(path, kind, *reads):
    """The message of the one error that all readers of a folder raise."""
    messages = set()
    for read in reads or (hub.load_module_spec, hub.Module, _load):
        with pytest.raises(kind) as caught:
            read(path)
        messages.add(str(caught.value))
    (message,) = messages
    return message


def _saved_model(tmp_path, vocabulary=""):
    """Writes a TF2 SavedModel with a function that calls another, and perhaps a table."""

    def save():
        made = tf.Module()
        inner = tf.function(lambda x: x + 1.0)
        made.f = tf.function(
            lambda x: inner(x) * 2.0, input_signature=[tf.TensorSpec([None], tf.float32)]
        )
        if vocabulary:
            initializer = tf.lookup.TextFileInitializer(
                vocabulary, tf.string, 0, tf.int64, -1, vocab_size=3
            )
            made.table = tf.lookup.StaticHashTable(initializer, -1)
        tf.saved_model.save(made, str(tmp_path / "saved_model"))

    modules.in_thread(save)
    return str(tmp_path / "saved_model")


# --- functions that call themselves ----------------------------------------------------------


def _circle_message(path, kind, tags, circle):
    return (
        f"The graph with the tags {tags} of the {kind} {path} has functions that call themselves in a "
        f"circle, '{circle}', which TensorFlow would follow for ever. Do not use this module: ask its "
        "publisher."
    )


@pytest.mark.parametrize(
    ("calls", "circle"),
    [
        ({"f": ["f"]}, "f > f"),
        ({"f": ["g"], "g": ["h"], "h": ["f"]}, "f > g > h > f"),
        ({"f": ["g", "h"], "g": [], "h": ["i"], "i": ["h"]}, "h > i > h"),
    ],
)
def test_circles(tmp_path, calls, circle):
    path = exported_function(tmp_path, "f")
    with edited(path) as meta_graph:
        for name, callees in calls.items():
            add_function(meta_graph.graph_def, name, callees)
    expected = _circle_message(path, "module", "set()", circle)
    assert _error(path, errors.BrokenModuleError) == expected


@pytest.mark.parametrize("how", ["op", "list", "nested", "gradient", "branch"])
def test_circles_by_other_ways_to_call(tmp_path, how):
    path = exported_function(tmp_path, "f")
    with edited(path) as meta_graph:
        graph_def = meta_graph.graph_def
        function = add_function(graph_def, "f", ["g"])
        node = function.node_def[0]
        add_function(graph_def, "g", ["f"] if how in ("nested", "gradient") else [])
        if how == "op":
            node.op = "f"
        elif how == "list":
            node.op = "Case"
            node.attr["branches"].list.func.add(name="f")
        elif how == "nested":
            node.attr["f"].func.name = "nothing"
            node.attr["f"].func.attr["inner"].func.name = "g"
        elif how == "gradient":
            node.op = "SymbolicGradient"
            node.attr["f"].func.name = "h"
            graph_def.library.gradient.add(function_name="h", gradient_func="g")
            add_function(graph_def, "h")
        else:
            node.op = "If"
            node.attr["then_branch"].func.name = "f"
    expected = "f > g > f" if how in ("nested", "gradient") else "f > f"
    message = _error(path, errors.BrokenModuleError)
    assert message == _circle_message(path, "module", "set()", expected)


def test_a_function_and_its_gradient_are_no_circle(tmp_path):
    path = exported_function(tmp_path, "f")
    with edited(path) as meta_graph:
        add_function(meta_graph.graph_def, "f")
        add_function(meta_graph.graph_def, "f_gradient", ["f"])
        meta_graph.graph_def.library.gradient.add(function_name="f", gradient_func="f_gradient")
    assert hub.Module(path)([1.0]).shape.as_list() == [1]


def test_circles_in_saved_models(tmp_path):
    path = _saved_model(tmp_path)
    with edited(path) as meta_graph:
        add_function(meta_graph.graph_def, "f", ["f"])
    message = _error(path, errors.BrokenModuleError, _load)
    assert message == _circle_message(path, "SavedModel", "{'serve'}", "f > f")

    with tf.Graph().as_default(), tf1.Session() as session:
        x = tf1.placeholder(tf.float32, [None])
        tf1.saved_model.simple_save(session, str(tmp_path / "tf1"), {"x": x}, {"y": x + 1.0})
    path = str(tmp_path / "tf1")
    with edited(path) as meta_graph:
        add_function(meta_graph.graph_def, "f", ["f"])
    message = _error(path, errors.BrokenModuleError, hub.create_module_spec_from_saved_model, _load)
    assert message == _circle_message(path, "SavedModel", "{'serve'}", "f > f")


def test_functions_many_levels_deep(tmp_path):
    path = exported_function(tmp_path, "f0")
    with edited(path) as meta_graph:
        for level in range(201):
            add_function(
                meta_graph.graph_def, f"f{level}", [f"f{level + 1}"] if level < 200 else []
            )
    assert _error(path, errors.BrokenModuleError) == (
        f"The graph with the tags set() of the module {path} has functions that call one another more "
        "than 200 levels deep, from 'f0' on, which TensorFlow does not follow. Do not use this "
        "module: ask its publisher."
    )


def test_functions_as_deep_as_is_allowed(tmp_path):
    path = exported_function(tmp_path, "f0")
    with edited(path) as meta_graph:
        for level in range(200):
            add_function(
                meta_graph.graph_def, f"f{level}", [f"f{level + 1}"] if level < 199 else []
            )
    assert hub.load_module_spec(path).get_signature_names() == ["default"]


# --- graphs that grow ------------------------------------------------------------------------


def _doubling(tmp_path, levels):
    path = exported_function(tmp_path, "f0")
    with edited(path) as meta_graph:
        for level in range(levels):
            callees = [f"f{level + 1}"] * 2 if level < levels - 1 else []
            add_function(meta_graph.graph_def, f"f{level}", callees)
    return path


def _operations_message(path, most):
    return (
        f"The graph with the tags set() of the module {path} has more than {most} operations once its "
        "functions are in place of their calls. Where you trust it and have the memory, set "
        "HUB_ESTIMATOR_MAX_OPERATIONS to more."
    )


def test_functions_that_double_at_each_level(tmp_path, monkeypatch):
    path = _doubling(tmp_path, 50)
    assert _error(path, errors.ModuleTooLargeError) == _operations_message(path, "10,000,000")
    monkeypatch.setenv("HUB_ESTIMATOR_MAX_OPERATIONS", "1e18")
    assert hub.load_module_spec(path).get_signature_names() == ["default"]


def test_the_limit_of_operations(tmp_path, monkeypatch):
    path = _doubling(tmp_path, 4)  # 2, 4 and 8 calls, and what the module has itself
    monkeypatch.setenv("HUB_ESTIMATOR_MAX_OPERATIONS", "13")
    assert _error(path, errors.ModuleTooLargeError) == _operations_message(path, "13")
    monkeypatch.setenv("HUB_ESTIMATOR_MAX_OPERATIONS", "20")
    assert hub.Module(path)([1.0]).shape.as_list() == [1]


def _constant(tmp_path, shape, dtype=FLOAT):
    def module_fn():
        hub.add_signature(outputs=tf.constant([0.5]))

    path = export(module_fn, tmp_path / "module")
    with edited(path) as meta_graph:
        (node,) = [node for node in meta_graph.graph_def.node if node.op == "Const"]
        _make_constant(node, shape, dtype)
    return path


def _make_constant(node, shape, dtype=FLOAT):
    node.op = "Const"
    node.attr.clear()
    node.attr["dtype"].type = dtype
    tensor = node.attr["value"].tensor
    tensor.Clear()
    tensor.dtype = dtype
    for size in shape:
        tensor.tensor_shape.dim.add(size=size)
    if dtype == STRING:
        tensor.string_val.append(b"words")
    else:
        tensor.float_val.append(0.5)


def _constants_message(path, most="1,073,741,824", what="module", tags="set()"):
    return (
        f"The graph with the tags {tags} of the {what} {path} has constants that take more than {most} "
        "bytes beyond what stores them. Where you trust it and have the memory, set "
        "HUB_ESTIMATOR_MAX_CONSTANT_BYTES to more."
    )


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [([1 << 31], FLOAT), ([1 << 26], STRING), ([1 << 62, 1 << 62] * 100, FLOAT)],
)
def test_a_small_proto_of_a_large_constant(tmp_path, shape, dtype):
    path = _constant(tmp_path, shape, dtype)
    assert os.path.getsize(f"{path}/saved_model.pb") < 10_000
    assert _error(path, errors.ModuleTooLargeError) == _constants_message(path)


def test_the_limit_of_constants(tmp_path, monkeypatch):
    path = _constant(tmp_path, [1 << 16])
    monkeypatch.setenv("HUB_ESTIMATOR_MAX_CONSTANT_BYTES", "250000")
    assert _error(path, errors.ModuleTooLargeError) == _constants_message(path, "250,000")
    monkeypatch.setenv("HUB_ESTIMATOR_MAX_CONSTANT_BYTES", "300000")
    with tf1.Session() as session:
        assert session.run(hub.Module(path)()).sum() == 1 << 15


def test_constants_that_are_stored_whole_have_no_limit(tmp_path, monkeypatch):
    def module_fn():
        hub.add_signature(outputs=tf.constant(list(map(float, range(50_000)))))

    path = export(module_fn, tmp_path / "module")
    monkeypatch.setenv("HUB_ESTIMATOR_MAX_CONSTANT_BYTES", "1")
    assert hub.Module(path)().shape.as_list() == [50_000]


def test_constants_in_functions_count_for_each_call(tmp_path, monkeypatch):
    path = exported_function(tmp_path, "f")
    with edited(path) as meta_graph:
        add_function(meta_graph.graph_def, "f", ["g"] * 10)
        function = add_function(meta_graph.graph_def, "g")
        _make_constant(function.node_def.add(name="large"), [25_000])
    monkeypatch.setenv("HUB_ESTIMATOR_MAX_CONSTANT_BYTES", "900000")
    assert _error(path, errors.ModuleTooLargeError) == _constants_message(path, "900,000")
    monkeypatch.setenv("HUB_ESTIMATOR_MAX_CONSTANT_BYTES", "1e6")
    assert hub.load_module_spec(path).get_signature_names() == ["default"]


def test_constants_that_functions_are_called_with(tmp_path):
    path = exported_function(tmp_path, "f")
    with edited(path) as meta_graph:
        add_function(meta_graph.graph_def, "f", ["g"])
        call = meta_graph.graph_def.library.function[-1].node_def[0]
        node = meta_graph.graph_def.node.add()
        _make_constant(node, [1 << 31])
        call.attr["f"].func.attr["value"].CopyFrom(node.attr["value"])
        meta_graph.graph_def.node.remove(node)
        add_function(meta_graph.graph_def, "g")
    assert _error(path, errors.ModuleTooLargeError) == _constants_message(path)


def test_constants_in_saved_models(tmp_path):
    path = _saved_model(tmp_path)
    with edited(path) as meta_graph:
        function = meta_graph.graph_def.library.function[0]
        _make_constant(function.node_def.add(name="large"), [1 << 31])
    message = _error(path, errors.ModuleTooLargeError, _load)
    assert message == _constants_message(path, what="SavedModel", tags="{'serve'}")


def test_settings():
    assert ReadingLimits.from_environment({}) == ReadingLimits(False, 1 << 30, 10_000_000)
    assert ReadingLimits.from_environment(
        {
            "HUB_ESTIMATOR_REFUSE_SIDE_EFFECTS": "1",
            "HUB_ESTIMATOR_MAX_CONSTANT_BYTES": "7e9",
            "HUB_ESTIMATOR_MAX_OPERATIONS": "12",
        }
    ) == ReadingLimits(True, 7_000_000_000, 12)
    for name in ("HUB_ESTIMATOR_MAX_CONSTANT_BYTES", "HUB_ESTIMATOR_MAX_OPERATIONS"):
        with pytest.raises(errors.SettingError) as caught:
            ReadingLimits.from_environment({name: "much"})
        assert str(caught.value) == f"{name} is 'much'; it must be a number above zero."


# --- names -----------------------------------------------------------------------------------


def _name_message(path, name, count):
    return (
        f"The graph with the tags set() of the module {path} is damaged: it has the name {name!r} for "
        f"{count} of its functions or operations. Fetch or export the module again."
    )


def test_two_operations_or_functions_of_one_name(tmp_path):
    path = exported_function(tmp_path, "f")
    with edited(path) as meta_graph:
        add_function(meta_graph.graph_def, "f")
        add_function(meta_graph.graph_def, "f")
    assert _error(path, errors.BrokenModuleError) == _name_message(path, "f", 2)
    with edited(path) as meta_graph:
        del meta_graph.graph_def.library.function[-1]
        meta_graph.graph_def.node.add(name="x", op="NoOp")
        meta_graph.graph_def.node.add(name="x", op="NoOp")
        meta_graph.graph_def.node.add(name="x", op="NoOp")
    assert _error(path, errors.BrokenModuleError) == _name_message(path, "x", 3)


def test_a_function_by_the_name_of_a_type_of_operations(tmp_path):
    path = exported_function(tmp_path)
    with edited(path) as meta_graph:
        add_function(meta_graph.graph_def, "ReadFile")
    assert _error(path, errors.BrokenModuleError) == (
        f"The graph with the tags set() of the module {path} is damaged: it has a function 'ReadFile', "
        "which is the name of a type of operations. Fetch or export the module again."
    )


def test_a_function_without_a_name(tmp_path):
    path = exported_function(tmp_path)
    with edited(path) as meta_graph:
        add_function(meta_graph.graph_def, "")
    assert _error(path, errors.BrokenModuleError) == _name_message(path, "", 1)


# --- texts -----------------------------------------------------------------------------------


@pytest.mark.parametrize("levels", [40, 3_000])
def test_a_saved_model_in_text_that_is_nested_deeply(tmp_path, levels):
    path = exported_function(tmp_path)
    saved_model = read_saved_model(path)
    text = text_format.MessageToString(saved_model)
    inside = ' func { attr { key: "a" value {' * levels + " i: 1 " + "} } }" * levels
    node = f'node {{ name: "x" op: "NoOp" attr {{ key: "a" value {{ {inside} }} }} }}'
    os.remove(f"{path}/saved_model.pb")
    with open(f"{path}/saved_model.pbtxt", "w", encoding="utf-8") as file:
        file.write(text.replace("graph_def {", f"graph_def {{ {node}", 1))
    message = _error(path, errors.BrokenModuleError)
    assert message.startswith(f"{path}/saved_model.pbtxt is not a SavedModel, or it is damaged (")
    assert message.endswith("). Fetch the module again.")
    assert "recursion" not in message  # what Python says of it differs with the caller's depth


def test_composite_tensors_made_of_composite_tensors(tmp_path):
    path = modules.export(hub, modules.define(hub, "ragged", ""), str(tmp_path / "module"))
    with edited(path) as meta_graph:
        part = meta_graph.signature_def["default"].inputs["default"].composite_tensor.components[0]
        for _ in range(30):
            part = part.composite_tensor.components.add()
        part.name = "values:0"
    assert _error(path, errors.BrokenModuleError, hub.load_module_spec) == (
        "A signature of the module has a tensor of the type RaggedTensorSpec(TensorShape([None, "
        "None]), tf.float32, 1, tf.int64), made of 2 parts; it takes 2, each of them one tensor. Fetch "
        "the module again."
    )
    with edited(path) as meta_graph:
        composite = meta_graph.signature_def["default"].inputs["default"].composite_tensor
        del composite.components[:]
    assert "made of 0 parts; it takes 2, each" in _error(
        path, errors.BrokenModuleError, hub.load_module_spec
    )


# --- processes that TensorFlow would end -----------------------------------------------------


def test_a_process_goes_on_where_tensorflow_would_have_ended_it(tmp_path):
    """What a table is filled from is a number of 64 bits, which TensorFlow takes for 32."""
    path = exported_function(tmp_path, "f")
    with edited(path) as meta_graph:
        add_function(meta_graph.graph_def, "f", ["f"])
    spec = modules.define(hub, "file_table", str(tmp_path / "sources"))
    table = modules.export(hub, spec, str(tmp_path / "table"))
    with edited(table) as meta_graph:
        (node,) = [node for node in meta_graph.graph_def.node if "TextFile" in node.op]
        node.attr["key_index"].i = 1 << 31
    program = (
        "import sys, hub_estimator as hub\n"
        "for path in sys.argv[1:]:\n"
        "    for read in (hub.load, hub.Module):\n"
        "        try:\n"
        "            import tensorflow as tf\n"
        "            with tf.Graph().as_default():\n"
        "                read(path)\n"
        "        except hub.errors.BrokenModuleError as error:\n"
        "            print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, path, table],
        check=True, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    circle = _circle_message(path, "module", "set()", "f > f")
    column = (
        f"The module {table} is damaged: 'text_file_init/InitializeTableFromTextFileV2' fills a table "
        "from the column 2147483648 of a file. Fetch the module again."
    )
    assert done.stdout.splitlines() == [circle, circle, column, column]


# --- calls -----------------------------------------------------------------------------------


def _loop_and_branch(meta_graph):
    nodes = meta_graph.graph_def.node
    functions = {
        function.signature.name: function for function in meta_graph.graph_def.library.function
    }
    loop = next(node for node in nodes if node.name == "while")
    branch = next(node for node in nodes if node.name == "cond")
    body = functions[loop.attr["body"].func.name]
    return loop, branch, body, functions[branch.attr["then_branch"].func.name]


def _take_result(function):
    last = function.signature.output_arg.pop()
    del function.ret[last.name]


@pytest.mark.parametrize(
    ("change", "caller", "numbers"),
    [
        (lambda loop, branch, body, then: body.signature.input_arg.pop(), "while", (6, 6, 6, 5)),
        (lambda loop, branch, body, then: _take_result(body), "while", (6, 6, 5, 6)),
        (lambda loop, branch, body, then: loop.input.pop(), "while", (5, 5, 6, 6)),
        (lambda loop, branch, body, then: _take_result(then), "cond", (1, 2, 0, 2)),
        (lambda loop, branch, body, then: then.signature.input_arg.pop(), "cond", (1, 2, 1, 1)),
        (lambda loop, branch, body, then: branch.input.append("x"), "cond", (1, 3, 1, 2)),
    ],
)
def test_functions_that_do_not_fit_their_calls(tmp_path, change, caller, numbers):
    """TensorFlow ends the process for some of these."""
    spec = modules.define(hub, "control_flow_v2", "")
    path = modules.export(hub, spec, str(tmp_path / "module"))
    with edited(path) as meta_graph:
        change(*_loop_and_branch(meta_graph))
    message = _error(path, errors.BrokenModuleError)
    wanted, given, there, taken = numbers
    start = f"The graph with the tags set() of the module {path} is damaged: {caller!r} calls '"
    end = (
        f"' for {wanted} results of {given} values, which gives {there} of {taken}. Fetch or export "
        "the module again."
    )
    assert message.startswith(start) and message.endswith(end), message


def test_constants_of_another_type_than_they_say(tmp_path):
    """TensorFlow ends the process where such a one is the place of a slice."""
    path = export(
        lambda: hub.add_signature(outputs=tf1.placeholder(tf.float32, [3], "x")[1:2]),
        tmp_path / "module",
    )
    with edited(path) as meta_graph:
        (node,) = [n for n in meta_graph.graph_def.node if n.name == "strided_slice/stack"]
        node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto([1], tf.int64))
    assert _error(path, errors.BrokenModuleError) == (
        f"The graph with the tags set() of the module {path} is damaged: the value of the constant "
        "'strided_slice/stack' is of another type than it says. Fetch or export the module again."
    )
    other = exported_function(tmp_path / "other")
    with edited(other) as meta_graph:
        body = meta_graph.graph_def.library.function[0].node_def
        (node,) = [node for node in body if node.op == "Const"]
        node.attr["value"].tensor.dtype = tf.int32.as_datatype_enum
    assert "the value of the constant" in _error(other, errors.BrokenModuleError)
    with edited(other) as meta_graph:
        body = meta_graph.graph_def.library.function[0].node_def
        (node,) = [node for node in body if node.op == "Const"]
        node.attr["dtype"].placeholder = "T"
    assert hub.load_module_spec(other).get_signature_names() == ["default"]
