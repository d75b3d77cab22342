"""Exports from sessions of every kind: who writes the values, and what that leaves in the graph."""

from __future__ import annotations

import os

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator.format import checkpoint
from tests import modules
from tests.modules import tf1


def _values(path):
    reader = tf.train.load_checkpoint(os.path.join(path, "variables", "variables"))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def _operations():
    return len(tf1.get_default_graph().get_operations())


def test_further_exports_add_nothing_to_the_graph(tmp_path):
    module = hub.Module(modules.define(hub, "dense", ""))
    with tf1.Session() as session:
        modules.initialize(session)
        module.export(tmp_path / "first", session)
        before = _operations()
        session.run(tf1.assign(module.variable_map["b"], [7.0, 8.0]).op)
        added = _operations() - before
        module.export(tmp_path / "second", session)
        assert _operations() == before + added
    np.testing.assert_allclose(_values(tmp_path / "first")["b"], [0.1, 0.2])
    np.testing.assert_allclose(_values(tmp_path / "second")["b"], [7, 8])


@pytest.mark.parametrize("name", ["dense", "ref_variables", "partitioned"])
def test_a_finished_graph(name, tmp_path):
    module = hub.Module(modules.define(hub, name, ""))
    initializer = tf1.global_variables_initializer()
    with tf1.Session() as session:
        session.run(initializer)
        module.export(tmp_path / "open", session)
        tf1.get_default_graph().finalize()
        before = _operations()
        module.export(tmp_path / "finished", session)
        assert _operations() == before
    first, second = _values(tmp_path / "open"), _values(tmp_path / "finished")
    assert sorted(first) == sorted(second) and first
    for key, value in first.items():
        np.testing.assert_array_equal(value, second[key])


def test_a_monitored_session(tmp_path):
    module = hub.Module(modules.define(hub, "dense", ""))
    with tf1.train.MonitoredSession() as session:
        module.export(tmp_path / "module", session)
    assert sorted(_values(tmp_path / "module")) == ["b", "w"]


def test_a_session_of_a_server(tmp_path):
    module = hub.Module(modules.define(hub, "dense", ""))
    initializer = tf1.global_variables_initializer()
    server = tf1.train.Server.create_local_server()
    before = _operations()
    with tf1.Session(server.target) as session:
        session.run(initializer)
        module.export(tmp_path / "module", session)
    assert _operations() == before
    assert sorted(_values(tmp_path / "module")) == ["b", "w"]


def test_what_surrounds_an_export_does_not_reach_it(tmp_path):
    module = hub.Module(modules.define(hub, "dense", ""))
    never = tf1.placeholder(tf.float32, [])
    with tf1.Session() as session:
        modules.initialize(session)
        with tf.control_dependencies([never]), tf.device("/job:elsewhere"), tf1.name_scope("s"):
            module.export(tmp_path / "module", session)
    assert sorted(_values(tmp_path / "module")) == ["b", "w"]


@pytest.mark.parametrize("name", ["several", "partitioned"])
@pytest.mark.parametrize("is_finished", [False, True])
def test_much_is_written_and_read_in_parts(name, is_finished, tmp_path, monkeypatch):
    spec = modules.define(hub, name, "")
    calls = modules.CASES[name].calls
    expected = modules.outputs(hub, spec, calls)
    monkeypatch.setattr(checkpoint, "_GROUP_BYTES", 4)
    module = hub.Module(spec)
    initializer = tf1.global_variables_initializer()
    if is_finished:
        tf1.get_default_graph().finalize()
    with tf1.Session() as session:
        session.run(initializer)
        module.export(tmp_path / "module", session)
    names = sorted(os.listdir(tmp_path / "module" / "variables"))
    count = len(names) - 1
    assert names[-1] == "variables.index"
    assert names[:-1] == [f"variables.data-{i:05}-of-{count:05}" for i in range(count)]
    assert modules.outputs(hub, tmp_path / "module", calls) == expected
    with tf.Graph().as_default() as graph:
        hub.Module(tmp_path / "module")
        assert [operation.type for operation in graph.get_operations()].count("RestoreV2") == count


def test_balanced():
    size = checkpoint._GROUP_BYTES
    assert checkpoint.balanced([]) == []
    assert checkpoint.balanced([1, 0, 3]) == [[0, 1, 2]]
    assert checkpoint.balanced([size, size - 1]) == [[0, 1]]
    assert checkpoint.balanced([size, 5, size, 5]) == [[0, 1], [2, 3]]
    assert checkpoint.balanced([9 * size]) == [[0]]
    groups = checkpoint.balanced([size] * 9)
    assert sorted(map(len, groups)) == [2, 2, 2, 3]
    assert sorted(index for group in groups for index in group) == list(range(9))
