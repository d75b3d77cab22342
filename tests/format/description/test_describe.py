"""What modules are: each kind of them, without running one."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import tarfile

import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import description_text, digests, errors, json_text
from hub_estimator.format.description.module_description import (
    AssetDescription,
    MessageDescription,
    ModuleKind,
    SignatureDescription,
    TableDescription,
    TensorDescription,
    Totals,
    VariableDescription,
)
from hub_estimator.format.operation_rules import UNKNOWN
from tests import modules
from tests.format.description import saved_models
from tests.format.description.saved_models import GOLDENS, golden
from tests.format.editing import edited, export
from tests.modules import tf1


def dense(name, dtype, *shape):
    return TensorDescription(name, "dense", dtype, shape)


def types(tensors):
    return {tensor.name: tensor.type_text() for tensor in tensors}


# --- TF1 Hub modules -------------------------------------------------------------------------


def test_a_module_with_a_variant_for_training():
    found = hub.describe(golden("batch_norm"))
    assert found.kind is ModuleKind.HUB_MODULE
    assert found.handle == found.path == golden("batch_norm")
    assert found.digest == digests.of_module(found.path)
    assert found.checkpoint == os.path.join(found.path, "variables", "variables")
    assert (found.graph_bytes, found.value_bytes) == (9934, 200)
    inference, train = found.variants
    assert (inference.tags, train.tags) == ((), ("train",))
    assert inference.tensorflow_version == "2.15.1"
    assert inference.signatures == train.signatures == (
        SignatureDescription(
            "default", (dense("default", "float32", None, 3),), (dense("default", "float32", None, 3),)
        ),
    )  # fmt: skip
    assert (inference.operations, train.operations) == (29, 38)
    assert (inference.regularization_losses, train.regularization_losses) == (1, 1)
    assert (inference.update_operations, train.update_operations) == (0, 1)
    assert found.variables == (
        VariableDescription("w", "w", "float32", (3, 3), 36, True),
        VariableDescription("average", "average", "float32", (3,), 12, False),
    )
    assert found.totals == Totals("", 2, 12, 48, 1, 9)
    assert found.scopes == (found.totals,)
    assert found.other_values == () and found.assets == ()


def test_partitioned_and_reference_variables():
    found = hub.describe(golden("partitioned"))
    assert [(one.name, one.shape, one.parts, one.bytes) for one in found.variables] == [
        ("big", (13, 2), 11, 104),
        ("two", (13, 3), 2, 156),
        ("ref", (13, 1), 3, 52),
        ("one", (13, 1), 1, 52),
    ]
    found = hub.describe(golden("ref_variables"))
    assert [(one.name, one.dtype, one.is_trainable) for one in found.variables] == [
        ("w", "float32", True),
        ("counter", "int32", False),
    ]


def test_scopes_in_the_order_of_the_variables():
    scopes = hub.describe(golden("nested")).scopes
    assert scopes == (Totals("middle", 2, 10, 40, 2, 10), Totals("inner", 1, 8, 32, 0, 0))


def test_variants_without_values():
    found = hub.describe(golden("different_variables"))
    assert [(one.tags, one.without_values) for one in found.variants] == [
        ((), ()),
        (("disc",), ("disc/w",)),
    ]
    assert found.variables[-1] == VariableDescription("disc/w", None, "float32", (3, 2), 24, True)


def test_sparse_and_ragged_inputs_and_outputs():
    (signature,) = hub.describe(golden("sparse")).variants[0].signatures
    assert types(signature.inputs) == {"default": "sparse float32 [?, 3]"}
    assert types(signature.outputs) == {
        "default": "float32 [?, 2]",
        "sparse": "sparse float32 [?, ?]",
    }
    (signature,) = hub.describe(golden("ragged")).variants[0].signatures
    assert types(signature.inputs) == {"default": "ragged float32 [?, ?]"}
    assert types(signature.outputs) == {"default": "ragged float32 [?, ?]", "n": "int64 []"}


def test_tables_and_assets():
    found = hub.describe(golden("file_table"))
    assert found.variants[0].tables == (
        TableDescription("hash_table", "string", "int64", "vocabulary.txt", 3),
    )
    sha256 = digests.of_file(os.path.join(found.path, "assets", "vocabulary.txt"))
    assert found.assets == (AssetDescription("vocabulary.txt", 6, sha256),)
    (table,) = hub.describe(golden("key_value_table")).variants[0].tables
    assert table == TableDescription("hash_table", "string", "float32", None, 2)


def test_images_and_messages(tmp_path):
    path = saved_models.export_images(tmp_path / "a", (7, 9), None, "image_feature_vector")
    (variant,) = hub.describe(path).variants
    assert variant.image_size == (7, 9)
    (message,) = variant.messages
    assert message == MessageDescription("image_module_info", 6, message.sha256)
    path = saved_models.export_images(tmp_path / "b", None, 5, "image_feature_vector")
    (variant,) = hub.describe(path).variants
    assert (variant.image_size, variant.messages) == ((5, 5), ())

    def of_no_size():
        hub.attach_message("image_module_info", tf1.GraphDef(versions={"producer": 3}))
        images = tf1.placeholder(tf.float32, [None, None, 5, 3])
        hub.add_signature(inputs={"images": images}, outputs=images)

    (variant,) = hub.describe(export(of_no_size, tmp_path / "c")).variants
    assert variant.image_size is None


@pytest.mark.parametrize("name", sorted(os.listdir(GOLDENS)))
def test_all_goldens(name):
    if not os.path.isdir(golden(name)):
        return
    found = hub.describe(golden(name))
    assert json.loads(json_text.text(found))["kind"] == "TF1 Hub module"
    lines = description_text.description_text(found).splitlines()
    assert all(len(line) <= 100 for line in lines[1:])


# --- SavedModels -----------------------------------------------------------------------------


def test_a_tf2_saved_model(tmp_path):
    found = hub.describe(saved_models.save_words(tmp_path))
    assert found.kind is ModuleKind.TF2_SAVED_MODEL
    (variant,) = found.variants
    assert variant.tags == ("serve",) and variant.tensorflow_version == tf.__version__
    texts, vectors = dense("inputs", "string", None), dense("default", "float32", None, 4)
    call, split = variant.functions
    assert call == SignatureDescription("__call__", (texts,), (vectors,), ("training",))
    assert types(split.inputs) == {"segments/0": "string [?]", "flag": "bool []"}
    assert types(split.outputs) == {"pieces": "ragged string [?, ?]", "flag": "bool []"}
    (signature,) = variant.signatures
    assert types(signature.outputs) == {"vectors": "float32 [?, 4]"}
    assert (variant.regularization_losses, variant.update_operations) == (1, 0)
    assert variant.tables == (
        TableDescription("seen", "string", "int64", None, None),
        TableDescription("table", "string", "int64", "vocabulary.txt", 3),
    )
    end = "/.ATTRIBUTES/VARIABLE_VALUE"
    assert set(found.variables) == {
        VariableDescription("embeddings", f"embeddings{end}", "float32", (3, 4), 48, True),
        VariableDescription("bias", f"bias{end}", "float32", (4,), 16, True),
        VariableDescription("scale", f"scale{end}", "float32", (), 4, True),
    }
    assert [one.key for one in found.other_values] == [
        "seen/.ATTRIBUTES/table-keys",
        "seen/.ATTRIBUTES/table-values",
    ]
    assert [asset.name for asset in found.assets] == ["vocabulary.txt"]
    assert variant.side_effects == () and variant.library_operations == ()


def test_what_the_object_lists_is_trainable(tmp_path):
    path = saved_models.save(
        tmp_path / "listed",
        a=lambda made: tf.Variable([1.0], name="a"),
        b=lambda made: tf.Variable([1.0], name="b"),
        trainable_variables=lambda made: [made.b],
    )
    found = hub.describe(path)
    assert {one.name: one.is_trainable for one in found.variables} == {
        "a": False,
        "b": True,
        "save_counter": False,  # that of the object itself
    }


def test_a_saved_model_without_variables(tmp_path):
    modules.in_thread(lambda: tf.saved_model.save(tf.Module(), str(tmp_path)))
    found = hub.describe(tmp_path)
    assert (found.variables, found.other_values, found.totals.variables) == ((), (), 0)
    shutil.rmtree(tmp_path / "variables")
    found = hub.describe(tmp_path)
    assert (found.checkpoint, found.value_bytes, found.variables) == (None, 0, ())


def test_a_tf1_saved_model(tmp_path):
    found = hub.describe(saved_models.save_tf1(tmp_path))
    assert found.kind is ModuleKind.TF1_SAVED_MODEL
    (variant,) = found.variants
    assert [one.name for one in variant.signatures] == ["serving_default"]
    assert variant.tables == (TableDescription("hash_table", "string", "int64", "words.txt", 3),)
    assert found.scopes == (
        Totals("encoder", 2, 15, 60, 1, 12),
        Totals("", 1, 1, 8, 0, 0),
    )


def test_types_of_other_programs_are_named(tmp_path):
    path = saved_models.save_words(tmp_path)
    with edited(path) as meta_graph:
        for function in meta_graph.object_graph_def.concrete_functions.values():
            for pair in function.output_signature.dict_value.fields.values():
                if pair.type_spec_value.num_flat_components:
                    pair.type_spec_value.type_spec_class = 0
                    pair.type_spec_value.type_spec_class_name = "their.Spec"
    split = hub.describe(path).variants[0].functions[1]
    assert types(split.outputs) == {"pieces": "their.Spec [...]", "flag": "bool []"}


def test_operations_that_tensorflow_does_not_know(tmp_path):
    path = saved_models.save_words(tmp_path)
    with edited(path) as meta_graph:
        for function in meta_graph.graph_def.library.function:
            for node in function.node_def:
                if node.op == "StringSplitV2":
                    node.op = "Their>Split"
    with pytest.raises(errors.UnsupportedModuleError, match="knows no operation"):
        hub.load(path)
    (variant,) = hub.describe(path).variants
    assert variant.library_operations == ("Their>Split",)
    assert {effect.kind for effect in variant.side_effects} == {UNKNOWN}


# --- checkpoints -----------------------------------------------------------------------------


@pytest.fixture
def checkpoints(tmp_path):
    saved_models.save_tf1(tmp_path)
    shutil.rmtree(tmp_path / "tf1")
    return tmp_path


@pytest.mark.parametrize("name", ["model.ckpt-7", "model.ckpt-7.index", ""])
def test_a_checkpoint(checkpoints, name):
    found = hub.describe(checkpoints / name)
    assert found.kind is ModuleKind.CHECKPOINT
    assert found.path == found.checkpoint == str(checkpoints / "model.ckpt-7")
    assert found.digest == digests.of_checkpoint(found.path)
    assert (found.variants, found.assets, found.common_signatures) == ((), (), ())
    assert found.variables == (
        VariableDescription("encoder/b", "encoder/b", "float32", (3,), 12, None),
        VariableDescription("encoder/w", "encoder/w", "float32", (4, 3), 48, None),
        VariableDescription("global_step", "global_step", "int64", (), 8, None),
    )
    assert found.totals == Totals("", 3, 16, 68, None, None)


def test_a_checkpoint_of_objects(tmp_path):
    path = saved_models.save_words(tmp_path)
    found = hub.describe(os.path.join(path, "variables", "variables"))
    assert found.kind is ModuleKind.CHECKPOINT
    assert [one.name for one in found.variables] == ["bias", "embeddings", "scale"]
    assert len(found.other_values) == 2


def test_no_checkpoint_is_named(checkpoints):
    with pytest.raises(errors.HandleNotFoundError) as raised:
        hub.describe(checkpoints / "model.ckpt-8")
    prefix = str(checkpoints / "model.ckpt")
    assert str(raised.value) == (
        f"There is nothing at {prefix + '-8'!r}: check the path of the module. In "
        f"{str(checkpoints)!r} there are: model.ckpt-7."
    )
    (checkpoints / "checkpoint").unlink()
    with pytest.raises(errors.NotAModuleError) as raised:
        hub.describe(checkpoints)
    assert str(raised.value) == (
        f"{checkpoints} is a folder of checkpoints. Give the prefix of one. In "
        f"{str(checkpoints)!r} there are: model.ckpt-7."
    )


def test_a_damaged_checkpoint(checkpoints):
    index = checkpoints / "model.ckpt-7.index"
    index.write_bytes(index.read_bytes()[:-9])
    with pytest.raises(errors.DamagedCheckpointError) as raised:
        hub.describe(index)
    assert str(raised.value) == (
        f"The checkpoint {str(checkpoints / 'model.ckpt-7')!r} is damaged: model.ckpt-7.index is no "
        "index of a checkpoint any more. Give another one."
    )
    index.unlink()
    os.mkfifo(index)
    with pytest.raises(errors.NotAFileError) as raised:
        hub.describe(checkpoints / "model.ckpt-7")
    assert str(raised.value) == f"{str(index)!r} is a named pipe; a regular file is needed here."


# --- handles, and what is none of these ------------------------------------------------------


def test_an_archive(tmp_path, monkeypatch):
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "cache"))
    archive = tmp_path / "dense.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(golden("dense"), ".")
    found = hub.describe(archive)
    assert found.handle == str(archive) and found.path.startswith(str(tmp_path / "cache"))
    assert found.digest == hub.describe(golden("dense")).digest


def test_nothing_known(tmp_path):
    with pytest.raises(errors.HandleNotFoundError):
        hub.describe(tmp_path / "nothing")
    (tmp_path / "notes.txt").touch()
    with pytest.raises(errors.NotAModuleError) as raised:
        hub.describe(tmp_path)
    assert str(raised.value) == (
        f"{tmp_path} is no module, SavedModel or checkpoint: it has no saved_model.pb and no "
        "checkpoint's index. It holds: notes.txt. Give the folder that has the saved_model.pb, or the "
        "prefix of a checkpoint."
    )


def test_links_out_of_the_folder_are_refused(tmp_path):
    path = saved_models.save_words(tmp_path)
    asset = pathlib.Path(path, "assets", "vocabulary.txt")
    asset.unlink()
    asset.symlink_to("/etc/hostname")
    with pytest.raises(errors.UnsafeLinkError):
        hub.describe(path)


def test_objects_that_are_not_there(tmp_path):
    path = saved_models.save_words(tmp_path)
    with edited(path) as meta_graph:
        meta_graph.object_graph_def.nodes[0].children[0].node_id = 10_000
    with pytest.raises(errors.BrokenModuleError) as raised:
        hub.describe(path)
    assert str(raised.value) == (
        f"The SavedModel {path} is damaged (IndexError: list index out of range). Fetch or export "
        "the module again."
    )


def test_objects_in_circles_and_far_from_the_root(tmp_path):
    path = saved_models.save_words(tmp_path)
    with edited(path) as meta_graph:
        nodes = meta_graph.object_graph_def.nodes
        nodes[1].children.add(node_id=0, local_name="root")
        last = 0
        for _ in range(3000):
            nodes[last].children.add(node_id=len(nodes), local_name="next")
            last = len(nodes)
            nodes.add().variable.dtype = tf.float32.as_datatype_enum
    found = hub.describe(path)
    names = [one.name for one in found.variables]
    assert len(names) == len(set(names)) == 3003
    assert max(map(len, names)) <= 500 and names[-1].startswith("(object ")


def test_nothing_is_run_or_built(tmp_path, monkeypatch):
    written = tmp_path / "written"

    def module_fn():
        with tf.control_dependencies([tf.io.write_file(str(written), "x", name="write")]):
            hub.add_signature(outputs=tf.constant(1.0))

    path = export(module_fn, tmp_path / "module")
    other = saved_models.save_words(tmp_path)
    written.unlink(missing_ok=True)
    for name in ("Session", "import_graph_def"):
        monkeypatch.setattr(tf1, name, None)
    monkeypatch.setattr(tf.saved_model, "load", None)
    (variant,) = hub.describe(path).variants
    assert [(one.op_type, one.name) for one in variant.side_effects] == [("WriteFile", "write")]
    hub.describe(other)
    assert not written.exists()
    assert not tf1.get_default_graph().get_operations()


def test_each_key_of_the_json_form():
    found = json.loads(json_text.text(hub.describe(golden("file_table"))))
    variant = found["variants"][0]
    assert list(found) == [
        *(
            "handle",
            "path",
            "kind",
            "digest",
            "checkpoint",
            "graph_bytes",
            "value_bytes",
            "variants",
        ),
        *("variables", "other_values", "assets", "common_signatures", "totals", "scopes"),
    ]
    assert list(variant) == [
        *("tags", "tensorflow_version", "operations", "signatures", "functions"),
        *("regularization_losses", "update_operations", "tables", "messages", "image_size"),
        *("side_effects", "library_operations", "without_values"),
    ]
    assert variant["signatures"][0] == {
        "name": "default",
        "inputs": [{"name": "default", "kind": "dense", "dtype": "string", "shape": [None]}],
        "outputs": [
            {"name": "default", "kind": "dense", "dtype": "float32", "shape": [None, 2]},
            {"name": "rows", "kind": "dense", "dtype": "int64", "shape": [None]},
        ],
        "settings": [],
    }
    assert found["variables"] == [
        {
            "name": "embeddings", "key": "embeddings", "dtype": "float32", "shape": [4, 2],
            "bytes": 32, "is_trainable": True, "parts": 1, "parameters": 8,
        }
    ]  # fmt: skip
    assert found["totals"] == found["scopes"][0] == {
        "name": "", "variables": 1, "parameters": 8, "bytes": 32,
        "trainable_variables": 1, "trainable_parameters": 8,
    }  # fmt: skip
    assert found["common_signatures"][0] == {"name": "text", "missing": [], "is_fulfilled": True}


def test_a_defined_module_keeps_its_numbers(tmp_path):
    path = modules.export(hub, modules.define(hub, "batch_norm", ""), str(tmp_path / "module"))
    assert hub.describe(path).scopes == hub.describe(golden("batch_norm")).scopes
