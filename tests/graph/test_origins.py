"""Where the modules of a graph are from."""

from __future__ import annotations

import tensorflow as tf

import hub_estimator as hub
from hub_estimator.format.origin import Origin
from hub_estimator.graph.origins import origins
from tests import modules


def test_modules_and_saved_models_by_scope(tmp_path):
    spec = modules.define(hub, "dense", "")
    path = modules.export(hub, spec, str(tmp_path / "dense"))
    hub.Module(spec, name="defined_here")
    hub.Module(path, name="one")
    hub.Module(hub.load_module_spec(tmp_path / "dense"), name="two")
    with tf.compat.v1.variable_scope("outer"), tf.name_scope("loaded"):
        hub.load(path)
        hub.load(f"{path}/")
    assert origins(tf.compat.v1.get_default_graph()) == {
        "one": Origin(path, path),
        "two": Origin(path, path),
        "outer/loaded": Origin(path, path),
        "outer/loaded_1": Origin(f"{path}/", f"{path}/"),
    }


def test_a_graph_without_modules():
    assert origins(tf.Graph()) == {}


def test_they_are_in_no_saved_graph(tmp_path):
    path = modules.export(hub, modules.define(hub, "dense", ""), str(tmp_path / "dense"))
    hub.Module(path)
    meta_graph = tf.compat.v1.train.export_meta_graph()
    assert not any("origins" in key for key in meta_graph.collection_def)
