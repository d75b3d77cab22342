"""Exporting one checkpoint of a model folder."""

from __future__ import annotations

import dataclasses
import json
import os

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import errors, files
from hub_estimator.compat import head_class
from hub_estimator.training.inputs.text_file import TextFile
from hub_estimator.training.model.encoders import Encoder
from hub_estimator.training.model.layers import DenseLayers
from hub_estimator.training.model.model_fn import Model
from hub_estimator.training.model_folder.choice import CheckpointChoice
from hub_estimator.training.objective import Objective
from hub_estimator.training.optimization.optimization import Optimization
from hub_estimator.training.running import export_checkpoint
from tests.training import runs

WORDS = ["good", "bad", "other"]


@pytest.fixture(scope="module")
def trained(text_module, data_file, tmp_path_factory):
    """A model folder with the checkpoints of steps 0, 2 and 4, of which 2 and 4 were evaluated."""
    model = Model(
        [Encoder(text_module, trainable=True, export_name="text")],
        head_class("BinaryClassHead")(),
        Optimization(tf.compat.v1.train.AdagradOptimizer, 0.1),
        layers=DenseLayers([4]),
        export_name="composed",
    )
    folder = str(tmp_path_factory.mktemp("trained") / "model")
    examples = TextFile(data_file, batch_size=8)
    runs.train(folder, model, examples, examples, max_steps=4, eval_every_steps=2)
    return folder, model


def embeddings(checkpoint, name="module/embeddings"):
    return tf.train.load_variable(checkpoint, name)


def test_the_modules_of_the_latest_checkpoint(trained, tmp_path):
    folder, model = trained
    path = str(tmp_path / "deep" / "out")
    made = runs.export(folder, path, model)
    assert made == export_checkpoint.Exported(path, (f"{path}/composed", f"{path}/text"), 4)
    assert np.array_equal(
        embeddings(f"{path}/text/variables/variables", "embeddings"),
        embeddings(f"{folder}/model.ckpt-4"),
    )
    with tf.Graph().as_default():
        assert hub.Module(f"{path}/composed")(WORDS).shape.as_list() == [3, 4]
    metrics = json.loads((tmp_path / "deep" / "out" / "metrics.json").read_text())
    assert metrics["global_step"] == 4 and 0 <= metrics["accuracy"] <= 1
    assert os.listdir(tmp_path / "deep") == ["out"]


@pytest.mark.parametrize(
    "choice, step",
    [
        (CheckpointChoice(2), 2),
        (CheckpointChoice("best", Objective("loss")), 4),
        (CheckpointChoice("best", Objective("loss", True)), 2),
    ],
)
def test_another_checkpoint(trained, tmp_path, choice, step):
    folder, model = trained
    made = runs.export(folder, tmp_path / "out", model, checkpoint=choice)
    assert made.step == step and (tmp_path / "out" / "global_step").read_text() == f"{step}\n"
    assert np.array_equal(
        embeddings(f"{made.path}/text/variables/variables", "embeddings"),
        embeddings(f"{folder}/model.ckpt-{step}"),
    )
    source = json.loads((tmp_path / "out" / "checkpoint.json").read_text())
    assert source["name"] == f"model.ckpt-{step}"


def test_the_whole_model(trained, tmp_path):
    folder, model = trained
    made = runs.export(folder, tmp_path / "out", model, what="model", receives="examples")
    assert made.modules == ()
    with tf.compat.v1.Session() as session:
        loaded = tf.compat.v1.saved_model.load(session, ["serve"], made.path)
    assert list(loaded.signature_def["predict"].inputs) == ["examples"]


def test_a_checkpoint_that_was_not_evaluated_has_no_metrics(trained, tmp_path):
    folder, model = trained
    runs.export(folder, tmp_path / "out", model, checkpoint=CheckpointChoice(0))
    assert sorted(os.listdir(tmp_path / "out")) == [
        "checkpoint.json", "composed", "global_step", "text",
    ]  # fmt: skip


def message(trained, tmp_path, error_type, model=None, **arguments):
    """The message of an export that writes nothing."""
    folder, made = trained
    before = os.listdir(tmp_path)
    with pytest.raises(error_type) as caught:
        runs.export(folder, tmp_path / "out", model or made, **arguments)
    assert os.listdir(tmp_path) == before
    return str(caught.value)


def test_nothing_is_written_over(trained, tmp_path):
    (tmp_path / "out").mkdir()
    assert message(trained, tmp_path, errors.ExportError) == (
        f"There is something at {str(tmp_path / 'out')!r} already. Give another export_path, or "
        "remove that."
    )


def test_nothing_is_written_through_a_link(trained, tmp_path):
    (tmp_path / "out").symlink_to("elsewhere")
    assert message(trained, tmp_path, errors.ExportError).startswith("There is something at ")


def test_what_another_process_makes_meanwhile_stays(trained, tmp_path, monkeypatch):
    flush = files.flush_tree

    def late(path):
        flush(path)
        os.makedirs(tmp_path / "new" / "out" / "mine", exist_ok=True)

    monkeypatch.setattr(files, "flush_tree", late)
    with pytest.raises(errors.ExportError) as caught:
        runs.export(trained[0], tmp_path / "new" / "out", trained[1])
    assert str(caught.value).startswith(f"There is something at '{tmp_path}/new/out' already.")
    assert os.listdir(tmp_path / "new") == ["out"] and os.listdir(tmp_path / "new/out") == ["mine"]


def test_a_path_that_ends_in_a_slash(trained, tmp_path):
    made = runs.export(trained[0], f"{tmp_path}/out/", trained[1])
    assert made.path == f"{tmp_path}/out" and os.listdir(tmp_path) == ["out"]


def test_a_path_that_is_empty(trained):
    with pytest.raises(errors.ExportError) as caught:
        runs.export(trained[0], "", trained[1])
    assert str(caught.value) == "The export_path is empty, or the root of all. Give it a path."


def test_a_file_above_the_path(trained, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(errors.ExportError) as caught:
        runs.export(trained[0], tmp_path / "file" / "out", trained[1])
    assert str(caught.value) == (
        f"The export folder '{tmp_path}/file/out' cannot be made or used: '{tmp_path}/file' is not "
        "a folder. Choose another place, or remove what is there."
    )


def test_no_module_has_a_name(trained, text_module, tmp_path):
    unnamed = [Encoder(text_module, trainable=True)]
    model = dataclasses.replace(trained[1], encoders=unnamed, export_name=None)
    assert message(trained, tmp_path, errors.ExportError, model) == (
        "The model has no module to export. Set Encoder.export_name or Model.export_name, or "
        "the export_name of a feature column, or export the whole model for serving."
    )


def test_another_model(trained, text_module, tmp_path):
    model = dataclasses.replace(trained[1], encoders=[Encoder(text_module, name="other")])
    text = message(trained, tmp_path, errors.ModelFolderError, model)
    assert "has a checkpoint of another model: the variable 'other/embeddings'" in text


def test_what_and_receives(trained, tmp_path):
    assert message(trained, tmp_path, errors.ModelError, what="all") == (
        "export.what is 'all'; it must be one of 'modules', 'model'."
    )
    assert message(trained, tmp_path, errors.ModelError, receives="jpeg") == (
        "export.receives is 'jpeg'; it must be one of 'features', 'files', 'examples'."
    )
