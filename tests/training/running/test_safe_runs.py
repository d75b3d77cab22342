"""A run in a model folder that another run uses, that was damaged, or whose module was swapped."""

from __future__ import annotations

import functools
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys

import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import compat, errors
from hub_estimator.compat import head_class
from hub_estimator.training.early_stopping import EarlyStopping
from hub_estimator.training.feature_cache import FeatureCache
from hub_estimator.training.inputs.text_file import TextFile
from hub_estimator.training.model.canned_model import CannedModel, estimator_class
from hub_estimator.training.model.encoders import Encoder
from hub_estimator.training.model_folder.choice import CheckpointChoice
from hub_estimator.training.model_folder.model_folder import ModelFolder
from hub_estimator.training.objective import Objective
from tests.training import runs

pytestmark = pytest.mark.one_tensorflow

ROOT = str(pathlib.Path(__file__).parents[3])
DATA = "data-00000-of-00001"


@pytest.fixture
def run(make_regression, examples, tmp_path):
    """Trains in a folder of the test; keyword arguments replace those of the loop."""

    def train(encoder=None, **changes):
        arguments = {
            "model_dir": tmp_path / "model",
            "model": make_regression(encoder),
            "train_input": examples,
            "eval_input": examples,
            "max_steps": 4,
            "eval_every_steps": 2,
            **changes,
        }
        return runs.train(**arguments)

    return train


@pytest.fixture
def folder(tmp_path):
    return ModelFolder(str(tmp_path / "model"))


# --- two at once -----------------------------------------------------------------------------

HOLD = """
import sys
from hub_estimator.files import locks
with locks.held_alone(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other_training(folder):
    """Another process that holds the folder as a training does; gives its number."""
    os.mkdir(folder.path)
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, f"{folder.path}/.training.lock"],
        env={**os.environ, "PYTHONPATH": ROOT}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_training_says_who_trains(run, folder, other_training):
    before = sorted(os.listdir(folder.path))
    with pytest.raises(errors.LockHeldError) as caught:
        run()
    message = str(caught.value)
    assert message.startswith(
        f"Somebody else trains in the model folder {folder.path!r}: process {other_training.pid} "
        f"on {socket.gethostname()!r} since "
    )
    assert message.endswith(". Wait until that ends, or choose another model folder.")
    assert sorted(os.listdir(folder.path)) == before
    other_training.kill()
    other_training.wait()
    assert run(max_steps=1).step == 1


def test_what_is_done_beside_a_training(
    make_regression, examples, trained_folder, folder, tmp_path
):
    with folder.trained_alone():
        model = make_regression()
        assert runs.evaluate(folder.path, model, examples)[0]["step"] == 4
        made = runs.predict(folder.path, examples.path, tmp_path / "o.csv", model, examples)
        assert made.num_rows == 64
        assert runs.export(folder.path, tmp_path / "out", model).step == 4


def test_the_folder_is_free_while_data_is_checked_and_held_while_it_trains(run, folder, data_file):
    seen = []

    class Watching(TextFile):
        def check(self, spec):
            seen.append(os.path.exists(folder.path))
            super().check(spec)

    class Watch(tf.compat.v1.train.SessionRunHook):
        def after_create_session(self, session, coord):
            with pytest.raises(errors.LockHeldError, match=f": process {os.getpid()} on "):
                folder.check_free()
            seen.append("held")

    run(train_input=Watching(data_file, batch_size=8), hooks=[Watch], max_steps=2)
    assert seen == [False, "held"]
    folder.check_free()


def test_a_filesystem_without_locks(run, folder, monkeypatch, caplog):
    def none(path):
        raise OSError(37, "No locks available", path)

    monkeypatch.setattr("hub_estimator.files.locks.held_alone", none)
    assert run(max_steps=2).step == 2
    assert f"No lock can be held in {folder.path} (No locks available): start no" in caplog.text


# --- damaged checkpoints ---------------------------------------------------------------------


def damage(folder, step, ending=DATA):
    path = f"{folder.path}/model.ckpt-{step}.{ending}"
    size = os.path.getsize(path)
    with open(path, "wb") as file:
        file.write(b"\0" * size)


def test_training_goes_on_from_the_newest_whole_one_as_if_nothing_had_been(run, folder, caplog):
    whole = run({"trainable": True}, model_dir=f"{folder.path}_whole", max_steps=8)
    run({"trainable": True}, max_steps=6)
    damage(folder, 6)
    again = run({"trainable": True}, max_steps=8)
    assert (
        f"The checkpoint of step 6 in {folder.path} is damaged: model.ckpt-6.{DATA} does not hold "
        "what was saved: its checksum is another one. Training goes on from that of step 4."
    ) in caplog.messages
    assert again.step == 8 and again.metrics == whole.metrics
    found = [each["step"] for each in folder.history().evaluations()]
    assert found == [2, 4, 6, 8]


def test_early_stopping_forgets_what_was_found_after_the_newest_whole_one(run, folder):
    run(max_steps=6)
    damage(folder, 6, "index")
    best = {"step": 6, "global_step": 6, "loss": -1.0}
    folder.history().record("model.ckpt-6", best)
    stopping = EarlyStopping(Objective("loss"), patience=3)
    assert run(early_stopping=stopping, max_steps=8).step == 8
    assert min(each["loss"] for each in folder.history().evaluations()) >= 0


def test_commands_say_which_file_is_damaged_and_offer_another(
    make_regression, examples, trained_folder, folder, tmp_path
):
    damage(folder, 4)
    model = make_regression()
    expected = (
        f"The checkpoint of step 4 in {folder.path!r} is damaged: model.ckpt-4.{DATA} does not "
        "hold what was saved: its checksum is another one. The newest whole one is that of step 2: "
        "--checkpoint=2."
    )
    calls = [
        functools.partial(
            runs.evaluate, folder.path, model, examples, checkpoints=CheckpointChoice(4)
        ),
        functools.partial(
            runs.predict, folder.path, examples.path, tmp_path / "o.csv", model, examples
        ),
        functools.partial(runs.export, folder.path, tmp_path / "out", model),
    ]
    before = sorted(os.listdir(tmp_path))
    for call in calls:
        with pytest.raises(errors.DamagedCheckpointError) as caught:
            call()
        assert str(caught.value) == expected
    assert sorted(os.listdir(tmp_path)) == before


def test_of_all_checkpoints_damaged_ones_are_left_out(
    make_regression, examples, trained_folder, folder, caplog
):
    damage(folder, 4)
    found = runs.evaluate(
        folder.path, make_regression(), examples, checkpoints=CheckpointChoice("all"), name="again"
    )
    assert [each["step"] for each in found] == [0, 2]
    assert "The checkpoint of step 4 in " in caplog.text
    for step in (0, 2):
        damage(folder, step, "index")
    with pytest.raises(errors.DamagedCheckpointError, match="There is no other whole one: train"):
        runs.evaluate(folder.path, make_regression(), examples, checkpoints=CheckpointChoice("all"))


# --- saving ----------------------------------------------------------------------------------


def test_checkpoints_are_flushed(run, make_regression):
    found = []

    class Savers(tf.compat.v1.train.SessionRunHook):
        def after_create_session(self, session, coord):
            found.extend(tf.compat.v1.get_collection(tf.compat.v1.GraphKeys.SAVERS))

    run(hooks=[Savers], max_steps=2)
    run(hooks=[Savers], model=make_regression(save_frozen=False), max_steps=4)
    first, second = map(type, found)
    assert first is compat.FlushedSaver and issubclass(second, compat.FlushedSaver)


class Terminated(tf.compat.v1.train.SessionRunHook):
    def after_run(self, run_context, run_values):
        os.kill(os.getpid(), signal.SIGTERM)


def test_a_signal_saves_a_checkpoint_without_frozen_variables(run, make_regression, folder):
    model = make_regression(save_frozen=False)
    with pytest.raises(errors.InterruptedRunError, match="^Stopped by SIGTERM at step 1; the "):
        run(model=model, max_steps=100, eval_every_steps=50, hooks=[Terminated])
    assert folder.latest_step() == 1


# --- swapped modules -------------------------------------------------------------------------


@pytest.fixture
def swapped(text_module, tmp_path):
    """A copy of the module with other values."""
    path = str(tmp_path / "swapped")
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        module = hub.Module(text_module, trainable=True)
        session.run(tf.compat.v1.global_variables_initializer())
        session.run([tf.compat.v1.assign(each, each + 1) for each in module.variables])
        module.export(path, session)
    return path


def test_a_swapped_module_is_refused(
    run, make_regression, examples, trained_folder, folder, swapped, text_module, tmp_path
):
    expected = (
        f"The model was trained on another module 'module': it was {text_module!r}, this is "
        f"{swapped!r}, and their contents differ. Give it the module that it was trained on, or "
        "train in another model folder. To use this one with the values that the checkpoints have "
        f"all the same, remove '{folder.path}/modules.json'."
    )
    model = make_regression({"handle": swapped})
    before = sorted(os.listdir(folder.path))
    calls = [
        functools.partial(run, model=model, max_steps=6),
        functools.partial(runs.evaluate, folder.path, model, examples),
        functools.partial(
            runs.predict, folder.path, examples.path, tmp_path / "o.csv", model, examples
        ),
        functools.partial(runs.export, folder.path, tmp_path / "out", model),
    ]
    for call in calls:
        with pytest.raises(errors.ModuleChangedError) as caught:
            call()
        assert str(caught.value) == expected
    assert sorted(os.listdir(folder.path)) == before
    os.remove(f"{folder.path}/modules.json")
    assert run(model=model, max_steps=6).step == 6
    with pytest.raises(errors.ModuleChangedError, match=f"it was {swapped!r}, this is "):
        run(max_steps=8)


def test_a_module_that_moved_is_fine(run, trained_folder, text_module, tmp_path):
    shutil.copytree(text_module, tmp_path / "moved")
    assert run({"handle": str(tmp_path / "moved")}, max_steps=6).step == 6


def test_a_training_from_the_start_takes_any_module(run, trained_folder, folder, swapped):
    for name in os.listdir(folder.path):
        if "ckpt" in name:
            os.remove(f"{folder.path}/{name}")
    assert run({"handle": swapped}, max_steps=2).step == 2
    assert swapped in pathlib.Path(f"{folder.path}/modules.json").read_text()


def test_two_encoders_whose_modules_change_places(run, make_regression, swapped, text_module):
    def model(*handles):
        encoders = [Encoder(each, name=name) for each, name in zip(handles, "ab", strict=True)]
        return make_regression(encoders=encoders)

    run(model=model(text_module, swapped))
    with pytest.raises(errors.ModuleChangedError, match="another module 'a'"):
        run(model=model(swapped, text_module), max_steps=6)
    assert run(model=model(text_module, swapped), max_steps=6).step == 6


def test_a_swapped_module_in_a_feature_column(run, swapped, text_module):
    def model(handle):
        estimator = functools.partial(estimator_class("DNNEstimator"), hidden_units=[4])
        columns = [hub.text_embedding_column("text", handle)]
        return CannedModel(estimator, head_class("RegressionHead")(), columns)

    run(model=model(text_module))
    with pytest.raises(errors.ModuleChangedError, match="another module 'module': it was "):
        run(model=model(swapped), max_steps=6)


class Embeddings(tf.train.Checkpoint):
    """Texts to rows of a table, as a TF2 SavedModel."""

    def __init__(self, value):
        super().__init__()
        self.table = tf.Variable(tf.fill([8, 4], value))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def __call__(self, texts):
        return tf.nn.embedding_lookup(self.table, tf.strings.to_hash_bucket_fast(texts, 8))


@pytest.fixture(scope="module")
def saved_models(tmp_path_factory):
    """Two TF2 SavedModels that differ in their values."""
    folder = tmp_path_factory.mktemp("saved_models")
    with tf.init_scope():
        for value in (1.0, 2.0):
            tf.saved_model.save(Embeddings(value), str(folder / str(value)))
    return str(folder / "1.0"), str(folder / "2.0")


def test_a_swapped_saved_model(run, saved_models, tmp_path):
    first, second = saved_models
    plain = {"export_name": None}
    run({"handle": first, **plain})
    with pytest.raises(errors.ModuleChangedError, match="another module 'module': it was "):
        run({"handle": second, **plain}, max_steps=6)
    shutil.copytree(first, tmp_path / "moved")
    assert run({"handle": str(tmp_path / "moved"), **plain}, max_steps=6).step == 6


# --- what is read and what is written --------------------------------------------------------


@pytest.fixture
def refused(run, tmp_path):
    """Trains, which is refused before anything is written; gives the message."""

    def refused(**changes):
        before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
        with pytest.raises(errors.OutputIsInputError) as caught:
            run(**changes)
        assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
        return str(caught.value)

    return refused


def test_a_module_as_the_model_folder(refused, make_regression, swapped, tmp_path):
    os.symlink(swapped, tmp_path / "link")
    model = make_regression({"handle": swapped})
    assert refused(model=model, model_dir=tmp_path / "link") == (
        f"The model folder '{tmp_path}/link' is the module 'module' itself, {swapped!r}, which is "
        "read and must stay as it is. Choose another place."
    )
    assert " is in the module 'module', " in refused(model=model, model_dir=f"{swapped}/model")
    cache = FeatureCache(f"{swapped}/assets")
    message = refused(model=model, feature_cache=cache)
    assert message.startswith(f"FeatureCache.folder '{swapped}/assets' is in the module 'module', ")


def test_a_module_where_the_run_removes_modules(refused, make_regression, folder, swapped):
    path = f"{folder.path}/export/module/1"
    os.makedirs(os.path.dirname(path))
    shutil.move(swapped, path)
    assert refused(model=make_regression({"handle": path})) == (
        f"{path!r}, the module 'module', is in the model folder {folder.path!r}, where runs write, "
        "replace and remove 'export' themselves. Choose another place."
    )


def test_data_where_the_run_keeps_its_own(refused, make_regression, examples, folder, data_file):
    path = f"{folder.path}/report/data.csv"
    os.makedirs(os.path.dirname(path))
    shutil.copy(data_file, path)
    message = refused(eval_input=TextFile(path, batch_size=8))
    assert message.startswith(f"{path!r}, the data of eval_input, is in the model folder ")


def test_data_beside_it_in_the_model_folder_is_fine(run, folder, data_file):
    os.makedirs(folder.path)
    shutil.copy(data_file, f"{folder.path}/data.csv")
    assert run(eval_input=TextFile(f"{folder.path}/data.csv", batch_size=8)).step == 4


@pytest.fixture
def trained(make_regression, trained_folder):
    return {"model_dir": trained_folder.path, "model": make_regression()}


def test_predictions_over_what_is_read(trained, examples, folder, text_module, tmp_path):
    path = shutil.copy(examples.path, tmp_path / "data.csv")
    os.symlink(path, tmp_path / "link.csv")
    os.link(path, tmp_path / "hard.csv")

    def message(output):
        with pytest.raises(errors.OutputIsInputError) as caught:
            runs.predict(**trained, input_path=path, output_path=output, eval_input=examples)
        return str(caught.value)

    stays = "which is read and must stay as it is. Choose another place."
    assert message(path) == f"The output {str(path)!r} is the input itself, {stays}"
    for name in ("link.csv", "hard.csv"):
        expected = f"The output '{tmp_path}/{name}' is the input itself, {str(path)!r}, {stays}"
        assert message(tmp_path / name) == expected
    assert " is in the module 'module', " in message(f"{text_module}/out.csv")
    assert message(f"{folder.path}/metrics.jsonl") == (
        f"'{folder.path}/metrics.jsonl', the output, is in the model folder {folder.path!r}, where "
        "runs write, replace and remove 'metrics.jsonl' themselves. Choose another place."
    )
    assert path.read_text() == pathlib.Path(examples.path).read_text()
    made = runs.predict(
        **trained, input_path=path, output_path=f"{folder.path}/o.csv", eval_input=examples
    )
    assert made.num_rows == 64


@pytest.mark.parametrize("place", ["{module}/out", "{model}/export/module/9", "{model}/report"])
def test_exports_into_what_is_read(trained, folder, text_module, place):
    path = place.format(module=text_module, model=folder.path)
    with pytest.raises(errors.OutputIsInputError):
        runs.export(export_path=path, **trained)
    assert not os.path.exists(path)


def test_evaluations_of_what_they_would_write_over(trained, examples, folder):
    path = shutil.copy(examples.path, f"{folder.path}/metrics_x.jsonl")
    with pytest.raises(errors.OutputIsInputError, match="the data of eval_input, is in the model"):
        runs.evaluate(**trained, eval_input=TextFile(path, batch_size=8), name="x")


# --- choosing checkpoints --------------------------------------------------------------------


def test_checkpoints_named_by_their_files(trained, folder, tmp_path):
    model = trained["model"]
    names = ["model.ckpt-2", "model.ckpt-2.index", f"{folder.path}/model.ckpt-2.meta"]
    os.symlink(folder.path, tmp_path / "link")
    for name in [*names, f"{tmp_path}/link/model.ckpt-2.{DATA}"]:
        assert CheckpointChoice(name).one(folder, Objective()).step == 2
    with pytest.raises(errors.ModelFolderError) as caught:
        runs.export(
            folder.path, tmp_path / "out", model, checkpoint=CheckpointChoice("/old/model.ckpt-2")
        )
    assert str(caught.value) == (
        f"The checkpoint '/old/model.ckpt-2' is not in the model folder {folder.path!r}. Give its "
        "step, 2, where that was moved, or the model folder that it is in."
    )
    with pytest.raises(errors.ModelFolderError) as caught:
        CheckpointChoice("newest").one(folder, Objective())
    assert str(caught.value) == (
        "There is no checkpoint 'newest'. Give 'latest', 'best' or a step."
    )


@pytest.mark.parametrize("path", ["zzz://x", "http://example.invalid/model"])
def test_a_filesystem_that_nobody_knows(run, make_regression, examples, path):
    scheme = path.split(":")[0]
    with pytest.raises(errors.ModelFolderError) as caught:
        run(model_dir=path)
    assert str(caught.value) == (
        f"The model folder {path!r} cannot be reached: File system scheme {scheme!r} not "
        f"implemented (file: {path!r}). Give a local path, or one that tf.io.gfile reads."
    )
    with pytest.raises(errors.ModelFolderError, match="cannot be reached"):
        ModelFolder(path).check()


def test_a_store_that_tensorflow_does_not_write_to():
    with pytest.raises(errors.ModelFolderError) as caught:
        ModelFolder("s3://me:password@bucket/model").check()
    assert str(caught.value) == (
        "The model folder 's3://bucket/model' cannot be reached: TensorFlow has no filesystem s3://. "
        "Give a local path, or one that tf.io.gfile reads."
    )
