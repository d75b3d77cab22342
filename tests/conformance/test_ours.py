"""Each small module alone: defined, exported, read, written again, on every TensorFlow."""

from __future__ import annotations

import filecmp
import os

import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import files
from hub_estimator.format.protos import ModuleDef
from hub_estimator.format.stored_graphs import read_saved_model
from tests import modules
from tests.modules import tf1

NAMES = sorted(modules.CASES)


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


def test_a_definition_and_its_export_give_equal_outputs(name, tmp_path):
    case = modules.CASES[name]
    spec = modules.define(hub, name, str(tmp_path / "sources"))
    expected = modules.outputs(hub, spec, case.calls)
    path = modules.export(hub, spec, str(tmp_path / "module"))
    assert modules.outputs(hub, path, case.calls) == expected
    again = modules.export(hub, path, str(tmp_path / "again"))
    assert modules.outputs(hub, again, case.calls) == expected


def test_reading_and_writing_is_the_identity(name, tmp_path):
    spec = modules.define(hub, name, str(tmp_path / "sources"))
    first = modules.export(hub, spec, str(tmp_path / "first"))
    second = modules.export(hub, first, str(tmp_path / "second"))
    assert read_saved_model(first) == read_saved_model(second)
    names = sorted(
        os.path.relpath(os.path.join(folder, name), first)
        for folder, _, names in os.walk(first)
        for name in names
    )
    for file in names:
        assert filecmp.cmp(os.path.join(first, file), os.path.join(second, file), shallow=False)
    module_def = ModuleDef.FromString(files.read_bytes(os.path.join(first, "tfhub_module.pb")))
    assert module_def.SerializeToString() == b"\x08\x03"


def test_ten_calls_of_two_instances_share_nothing_but_variables(name, tmp_path):
    case = modules.CASES[name]
    spec = modules.define(hub, name, str(tmp_path))
    path = modules.export(hub, spec, str(tmp_path / "module"))
    call = case.calls[0]
    first, second = (hub.Module(path, tags=set(call.tags)) for _ in range(2))
    inputs = {key: modules.as_tensor(value) for key, value in call.inputs.items()}
    fetches = [
        module(inputs, signature=call.signature, as_dict=True)
        for _ in range(5)
        for module in (first, second)
    ]
    state = {variable.op.name for variable in tf1.global_variables()}
    assert len(state) == len(first.variables) + len(second.variables)
    with tf1.Session() as session:
        modules.initialize(session)
        values = [
            {key: modules.plain(value) for key, value in found.items()}
            for found in session.run(fetches)
        ]
    assert values == values[:1] * 10


def test_state_stays_outside_of_control_dependencies_and_calls_are_inside(name, tmp_path):
    case = modules.CASES[name]
    path = modules.export(hub, modules.define(hub, name, str(tmp_path)), str(tmp_path / "module"))
    call = case.calls[0]
    boom = tf.debugging.Assert(tf1.placeholder_with_default(False, []), ["must not run"])
    with tf.control_dependencies([boom]):
        module = hub.Module(path, tags=set(call.tags), trainable=True)
    with tf1.Session() as session:
        modules.initialize(session)
        session.run(module.variables)
        module.export(str(tmp_path / "again"), session)


def test_the_authors_paths_are_in_no_file(name, tmp_path):
    secret = tmp_path / "a_folder_of_the_author"
    path = modules.export(hub, modules.define(hub, name, str(secret)), str(tmp_path / "module"))
    again = modules.export(hub, path, str(tmp_path / "again"))
    for folder in (path, again):
        content = files.read_bytes(os.path.join(folder, "saved_model.pb"))
        assert b"a_folder_of_the_author" not in content
        assert os.fsencode(tmp_path) not in content
