"""Files that modules carry."""

from __future__ import annotations

import os

import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import errors
from hub_estimator.graph.defining.assets import AssetNames
from tests import modules
from tests.modules import TRAIN, tf1


def test_names_of_files():
    names = AssetNames()
    assert names.name("/a/v.txt") == "v.txt"
    assert names.name("/a/v.txt") == "v.txt"
    assert names.name("/b/v.txt") == "v_1.txt"
    assert names.name("/c/v.txt") == "v_2.txt"
    assert names.name("/c/v_1.txt") == "v_1_1.txt"
    assert names.name("/a/v.tar.gz") == "v.tar.gz"
    assert names.name("relative") == "relative"
    assert names.name("gs://bucket/v.txt") == "v_3.txt"
    assert names.paths["v_1.txt"] == "/b/v.txt"


def test_one_source_is_stored_once(tmp_path):
    spec = modules.define(hub, "same_base_names", str(tmp_path / "sources"))
    path = modules.export(hub, spec, str(tmp_path / "module"))
    assert sorted(os.listdir(os.path.join(path, "assets"))) == ["v.txt", "v_1.txt"]
    again = modules.export(hub, path, str(tmp_path / "again"))
    assert sorted(os.listdir(os.path.join(again, "assets"))) == ["v.txt", "v_1.txt"]


def test_variants_with_files_of_their_own(tmp_path):
    files = {
        name: modules.write_lines(str(tmp_path), f"{name}/v.txt", [name])
        for name in ("serve", "train", "both")
    }

    def module_fn(name):
        contents = {}
        for key in (name, "both"):
            path = tf.constant(files[key])
            tf1.add_to_collection(tf1.GraphKeys.ASSET_FILEPATHS, path)
            contents["default" if key == name else "both"] = tf.io.read_file(path)
        hub.add_signature(outputs=contents)

    spec = hub.create_module_spec(
        module_fn, [(set(), {"name": "serve"}), (TRAIN, {"name": "train"})]
    )
    path = modules.export(hub, spec, str(tmp_path / "module"))
    for tags, name in ((None, "serve"), (TRAIN, "train")):
        module = hub.Module(path, tags=tags)
        with tf1.Session() as session:
            found = session.run(module(as_dict=True))
        assert found == {"default": f"{name}\n".encode(), "both": b"both\n"}
    assert sorted(os.listdir(os.path.join(path, "assets"))) == ["v.txt", "v_1.txt", "v_2.txt"]


def test_one_constant_listed_twice(tmp_path):
    file = modules.write_lines(str(tmp_path), "v.txt", ["a"])

    def module_fn():
        path = tf.constant(file)
        for _ in range(2):
            tf1.add_to_collection(tf1.GraphKeys.ASSET_FILEPATHS, path)
        hub.add_signature(outputs=tf.io.read_file(path))

    path = modules.export(hub, hub.create_module_spec(module_fn), str(tmp_path / "module"))
    module = hub.Module(path)
    with tf1.Session() as session:
        assert session.run(module()) == b"a\n"
    assert os.listdir(os.path.join(path, "assets")) == ["v.txt"]


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda: tf1.placeholder(tf.string, [], "asset"), "Placeholder"),
        (lambda: tf.constant(["a", "b"], name="asset"), "Const"),
        (lambda: tf.constant(["a"], name="asset"), "Const"),
        (lambda: tf.constant(5, name="asset"), "Const"),
    ],
)
def test_assets_that_are_no_paths(make, kind):
    def module_fn():
        tf1.add_to_collection(tf1.GraphKeys.ASSET_FILEPATHS, make())
        hub.add_signature(outputs=tf.constant(1))

    with pytest.raises(errors.DefinitionError) as raised:
        hub.create_module_spec(module_fn)
    assert str(raised.value) == (
        f"The asset 'asset' is a {kind}, not a scalar string constant. Add the path itself to the "
        "ASSET_FILEPATHS collection: tf.constant(path)."
    )


def test_tables_of_one_file_with_another_in_its_path(tmp_path):
    """A path that starts with another's is renamed as a whole, or not at all."""
    one = modules.write_lines(str(tmp_path), "v", ["a", "b"])
    two = modules.write_lines(str(tmp_path), "v2", ["b", "a"])

    def table(path):
        return tf.lookup.StaticHashTable(
            tf.lookup.TextFileInitializer(
                path,
                tf.string,
                tf.lookup.TextFileIndex.WHOLE_LINE,
                tf.int64,
                tf.lookup.TextFileIndex.LINE_NUMBER,
            ),
            -1,
        )

    def module_fn():
        x = tf1.placeholder(tf.string, [None])
        outputs = {"default": table(one).lookup(x), "two": table(two).lookup(x)}
        hub.add_signature(inputs=x, outputs=outputs)

    path = modules.export(hub, hub.create_module_spec(module_fn), str(tmp_path / "module"))
    call = modules.Call({"default": [b"a", b"b"]})
    assert modules.outputs(hub, path, (call,)) == [{"default": [0, 1], "two": [1, 0]}]
    with open(os.path.join(path, "saved_model.pb"), "rb") as file:
        assert os.fsencode(tmp_path) not in file.read()
