"""What a run is checked for before it starts."""

from __future__ import annotations

import dataclasses
import os
import types

import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import errors, files
from hub_estimator.training.early_stopping import EarlyStopping
from hub_estimator.training.model_folder.model_folder import ModelFolder
from hub_estimator.training.objective import Objective
from hub_estimator.training.running import preflight
from hub_estimator.training.running.keeping import Keeping
from hub_estimator.training.running.stopping import Stopping
from tests.training import runs

METRICS = {"loss", "accuracy"}  # of every evaluation here


def test_nothing_stays_in_the_default_graph_or_on_disk(make_model, examples, tmp_path):
    preflight.check(
        runs.experiment(make_model(), examples, examples), ModelFolder(str(tmp_path / "model"))
    )
    assert tf.compat.v1.get_default_graph().get_operations() == []
    assert list(tmp_path.iterdir()) == []


def test_what_tensorflow_refuses_is_said_in_one_sentence(make_model, examples, tmp_path):
    model = make_model(optimization={"optimizer": lambda learning_rate: None})
    with pytest.raises(errors.ModelError) as caught:
        preflight.check(runs.experiment(model, examples, examples), ModelFolder(str(tmp_path)))
    assert str(caught.value) == (
        "The model cannot be built: 'NoneType' object has no attribute 'compute_gradients'. Check "
        "its settings, and those of its parts."
    )


def test_a_model_folder_without_a_name():
    with pytest.raises(errors.ModelFolderError) as caught:
        preflight.check_folder("")
    assert str(caught.value) == "The model folder has an empty name. Give it a path."


def test_both_inputs_must_give_the_features(make_model, examples, tmp_path):
    class Other(type(examples)):
        feature_names = ("title",)

    other = Other(examples.path)
    with pytest.raises(errors.FeatureNotFoundError, match=r"It gives: title\.$"):
        preflight.check(runs.experiment(make_model(), other, examples), ModelFolder(str(tmp_path)))


def test_variables_without_a_known_shape(make_model, tmp_path):
    class Unknown(type(make_model())):
        def model_fn(self, features, labels, mode, *args):
            value = tf.compat.v1.placeholder_with_default(1.0, None)
            tf.compat.v1.Variable(value, validate_shape=False, use_resource=False, name="any")
            return super().model_fn(features, labels, mode, *args)

    model, folder = make_model(), ModelFolder(str(tmp_path))
    made = Unknown(**{each.name: getattr(model, each.name) for each in dataclasses.fields(model)})
    with tf.Graph().as_default() as graph, tf.compat.v1.Session() as session:
        tf.compat.v1.train.create_global_step()
        made.model_fn({"text": tf.constant(["good"])}, None, "infer")
        assert graph.get_tensor_by_name("any:0").shape.rank is None
        session.run(tf.compat.v1.global_variables_initializer())
        tf.compat.v1.train.Saver().save(session, f"{tmp_path}/model.ckpt", global_step=1)
    preflight.check_graph(folder, made, made.example_spec(), "infer", None)


def exporter(name="mine", **settings):
    return hub.LatestModuleExporter(name, lambda: None, **settings)


@pytest.fixture
def check_exporters(tmp_path):
    folder = ModelFolder(str(tmp_path / "model"))
    return lambda *exporters: preflight.check_exporters(folder, exporters, METRICS)


def test_exporters_that_are_fine(check_exporters, tmp_path):
    (tmp_path / "model" / "export").mkdir(parents=True)
    check_exporters(exporter("a", stable_path=True), exporter("b"), types.SimpleNamespace(name="c"))


@pytest.mark.parametrize("name", ["../../x", "/x", "a/b"])
def test_names_of_exporters_of_somebody_else(check_exporters, name):
    with pytest.raises(errors.InvalidPathNameError) as caught:
        check_exporters(types.SimpleNamespace(name=name))
    reason = "it starts with a dot" if name.startswith(".") else "it holds a slash"
    assert str(caught.value) == (
        f"SimpleNamespace.name is {name!r}, which cannot be the name of a file or folder: {reason}."
        " Choose a name of letters, digits, '_' and '-'."
    )


def test_two_exporters_of_one_name(check_exporters):
    with pytest.raises(errors.ModelError) as caught:
        check_exporters(exporter(), types.SimpleNamespace(name="mine"))
    assert str(caught.value) == ("Two exporters are called 'mine'. Give each a name of its own.")


def test_no_exporter_is_called_like_those_of_a_run_itself(folder):
    objective = Objective("loss", False)
    stopping, keeping = Stopping(EarlyStopping(objective), []), Keeping(folder, 1, objective)
    for each in (*stopping.exporters([]), keeping.after_evaluation()):
        with pytest.raises(errors.InvalidPathNameError):
            files.check_name("The name", each.name)


@pytest.mark.parametrize("above", ["model", "model/export", "model/export/mine"])
def test_a_file_in_the_place_of_an_export_folder(check_exporters, tmp_path, above):
    path = tmp_path / above
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("mine")
    for each in (exporter(), types.SimpleNamespace(name="mine")):
        with pytest.raises(errors.ExportError) as caught:
            check_exporters(each)
        assert str(caught.value) == (
            f"The export folder {str(tmp_path / 'model/export/mine')!r} cannot be made or used: "
            f"{str(path)!r} is not a folder. Choose another place, or remove what is there."
        )


@pytest.mark.parametrize("above", ["model/export", "model/export/mine"])
def test_a_link_in_the_place_of_an_export_folder(check_exporters, tmp_path, above):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / above).parent.mkdir(parents=True)
    (tmp_path / above).symlink_to(tmp_path / "elsewhere")
    folder = str(tmp_path / "model/export/mine")
    with pytest.raises(errors.ExportError) as caught:
        check_exporters(exporter())
    assert str(caught.value) == (
        f"The export folder {folder!r} is below the model folder {str(tmp_path / 'model')!r} by its "
        f"name, but a link leads to {os.path.realpath(folder)!r}, where nothing is written or "
        "removed. Put a folder in place of the link, or link the whole model folder."
    )


def test_a_model_folder_that_is_a_link(tmp_path):
    (tmp_path / "elsewhere/export/mine").mkdir(parents=True)
    (tmp_path / "model").symlink_to(tmp_path / "elsewhere")
    preflight.check_exporters(ModelFolder(str(tmp_path / "model")), [exporter()], METRICS)


def test_a_folder_in_the_place_of_the_stable_path(check_exporters, tmp_path):
    (tmp_path / "model/export/mine/latest").mkdir(parents=True)
    check_exporters(exporter())
    with pytest.raises(errors.ExportError, match="that is no link"):
        check_exporters(exporter(stable_path=True))


def test_a_module_named_like_a_file_of_exporters(make_model, examples, tmp_path):
    model = make_model({"export_name": "metrics.json"})
    with pytest.raises(errors.ExportError) as caught:
        preflight.check(
            runs.experiment(model, examples, examples), ModelFolder(str(tmp_path / "model"))
        )
    assert str(caught.value) == (
        "A module is registered as 'metrics.json', which is a file that exporters write beside it. "
        "Register it under another name."
    )
