"""What differs between two modules."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import shutil

import numpy as np
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import json_text
from hub_estimator.format.description import differences
from hub_estimator.format.description.differences import THERE, Change, compare_modules, difference
from tests.format.description import saved_models
from tests.format.description.saved_models import golden
from tests.format.editing import edited, export
from tests.modules import tf1

PARTS = ("general", "graphs", "signatures", "variables", "values", "not_compared", "assets")


def differing(first, second):
    """The parts in which two modules differ."""
    found = compare_modules(first, second)
    assert json.loads(json_text.text(found))["is_none"] == found.is_none
    return {part: getattr(found, part) for part in PARTS if getattr(found, part)}


def write(path, value=1.0, name="w", width=2, trainable=True, tags=None):
    """Writes a module with a variable `[3, width]`."""

    def module_fn(scale=1.0):
        x = tf1.placeholder(tf.float32, [None, 3])
        initializer = tf1.constant_initializer(value)
        w = tf1.get_variable(name, [3, width], initializer=initializer, trainable=trainable)
        fixed = tf1.get_variable("fixed", [4], initializer=tf1.zeros_initializer())
        hub.add_signature(inputs=x, outputs={"default": tf.matmul(x, w) * scale, "fixed": fixed})

    if tags is None:
        return export(module_fn, path)
    variants = [(one, {"scale": 2.0} if one else {}) for one in tags]
    with tf.Graph().as_default(), tf1.Session() as session:
        module = hub.Module(hub.create_module_spec(module_fn, variants))
        session.run(tf1.global_variables_initializer())
        module.export(str(path), session)
    return str(path)


def test_the_same_module_twice(tmp_path, monkeypatch):
    path = write(tmp_path / "a")
    shutil.copytree(path, tmp_path / "b")
    monkeypatch.setattr(differences, "value_changes", None)  # the checksums tell
    found = compare_modules(path, tmp_path / "b")
    assert found.is_none and found.equal_values == 2
    assert (found.first.path, found.second.path) == (path, str(tmp_path / "b"))


def test_values(tmp_path):
    found = compare_modules(write(tmp_path / "a", 1.0), write(tmp_path / "b", 1.5))
    assert (found.equal_values, found.is_none) == (1, False)
    (change,) = found.values
    assert (change.name, change.changed, change.largest) == ("w", 6, 0.5)
    assert differing(tmp_path / "a", tmp_path / "b") == {"values": (change,)}


def test_variables_and_signatures(tmp_path):
    found = differing(write(tmp_path / "a"), write(tmp_path / "b", width=5, trainable=False))
    assert found == {
        "signatures": (
            Change(
                ("signature", "default", "output", "default"), "float32 [?, 2]", "float32 [?, 5]"
            ),
        ),
        "variables": (
            Change(("w",), "float32 [3, 2], trainable", "float32 [3, 5], not trainable"),
        ),
    }
    found = differing(write(tmp_path / "c"), write(tmp_path / "d", name="v"))
    assert found == {
        "variables": (
            Change(("w",), "float32 [3, 2], trainable", None),
            Change(("v",), None, "float32 [3, 2], trainable"),
        )
    }


def test_variants(tmp_path):
    one, two = write(tmp_path / "a"), write(tmp_path / "b", tags=[(), ("train", "tpu")])
    assert differing(one, two) == {"general": (Change(("variant", "tpu, train"), None, THERE),)}
    three = write(tmp_path / "c", tags=[(), ("train", "tpu")], width=3)
    found = differing(two, three)["signatures"]
    assert [change.tags for change in found] == [(), ("tpu", "train")]
    assert {change.path for change in found} == {("signature", "default", "output", "default")}


def test_tables_and_assets(tmp_path):
    shutil.copytree(golden("file_table"), tmp_path / "a")
    (tmp_path / "a" / "assets" / "vocabulary.txt").write_text("a\nb\nc\nd\n")
    found = differing(golden("file_table"), tmp_path / "a")
    assert sorted(found) == ["assets", "graphs"]
    assert found["graphs"] == (
        Change(
            ("table", "hash_table"),
            "string to int64, 3 entries, filled from 'vocabulary.txt'",
            "string to int64, 4 entries, filled from 'vocabulary.txt'",
        ),
    )
    (change,) = found["assets"]
    assert change.path == ("vocabulary.txt",)
    assert change.before.startswith("6 bytes, SHA-256 ") and change.after.startswith("8 bytes, ")


def test_messages_and_side_effects(tmp_path):
    def module_fn():
        x = tf1.placeholder(tf.float32, [None])
        with tf.control_dependencies([tf.io.read_file("/etc/hostname", name="read")]):
            hub.add_signature(inputs=x, outputs=tf.identity(x))
        hub.attach_message("about", tf1.GraphDef())

    one = export(module_fn, tmp_path / "a")
    shutil.copytree(one, tmp_path / "b")
    with edited(tmp_path / "b") as meta_graph:
        for node in meta_graph.graph_def.node:
            if node.name == "read":
                node.op = "MatchingFiles"
        meta_graph.collection_def.pop("hub_module_attachments")
        meta_graph.collection_def["regularization_losses"].node_list.value.append("read:0")
    found = differing(one, tmp_path / "b")["graphs"]
    assert [(change.path, change.after) for change in found] == [
        (("regularization losses",), "1"),
        (("message", "about"), None),
        (("side effect", "ReadFile", "read"), None),
        (("side effect", "MatchingFiles", "read"), "lists files"),
    ]


def test_saved_models_by_the_keys_of_their_values(tmp_path):
    found = differing(
        saved_models.save_words(tmp_path, "a"), saved_models.save_words(tmp_path, "b", bias=3.0)
    )
    (change,) = found.pop("values")
    assert (change.name, change.changed, change.largest) == ("bias", 4, 2.0) and not found


def test_a_module_and_a_saved_model_by_names(tmp_path):
    path = saved_models.save(
        tmp_path / "b",
        first=lambda made: tf.Variable(np.ones([3, 2], np.float32), name="w"),
        second=lambda made: tf.Variable(np.ones([4], np.float32), name="fixed"),
    )
    found = differing(write(tmp_path / "a"), path)
    assert found["variables"] == (Change(("save_counter",), None, "int64 [], not trainable"),)
    (change,) = found["values"]
    assert (change.name, change.largest) == ("fixed", 1.0)
    assert found["general"][0] == Change(("kind",), "TF1 Hub module", "TF2 SavedModel")
    assert Change(("signature", "default"), THERE, None) in found["signatures"]


def test_checkpoints_do_not_say_what_is_trainable(tmp_path):
    path = write(tmp_path / "a", trainable=False)
    prefix = os.path.join(path, "variables", "variables")
    found = differing(path, prefix)
    assert sorted(found) == ["general"]
    assert compare_modules(path, prefix).equal_values == 2


def test_values_that_are_not_there(tmp_path):
    one = golden("different_variables")
    shutil.copytree(one, tmp_path / "a")
    found = compare_modules(one, tmp_path / "a")
    assert found.is_none and found.equal_values == 2
    found = compare_modules(one, pathlib.Path(one, "variables", "variables"))
    assert found.variables == (
        Change(("disc/w",), "float32 [3, 2], trainable, without a value", None),
    )


def test_names_that_move_between_variables():
    described = hub.describe(golden("batch_norm"))
    w, average = described.variables
    renamed = (
        dataclasses.replace(w, name="average"),
        dataclasses.replace(average, key="other", shape=(5,), name="w"),
    )
    found = difference(
        dataclasses.replace(described, checkpoint=None),
        dataclasses.replace(described, checkpoint=None, variables=renamed),
    )
    assert found.variables == (
        Change(("average",), "float32 [3], not trainable", None),
        Change(("w",), None, "float32 [5], not trainable"),
    )
