"""A run as one value: made, changed, written as text."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest
import tensorflow as tf

from hub_estimator import errors, training
from hub_estimator.training.model_folder.model_folder import ModelFolder
from tests.training import runs

GIN = """
Experiment.model = @Model()
Experiment.train_input = @TextFile()
Experiment.eval_input = @TextFile()
Experiment.max_steps = %STEPS
Experiment.eval_every_steps = 2
Experiment.feature_cache = False
STEPS = 2
TextFile.batch_size = 8
Model.encoders = [@Encoder()]
Model.head = @BinaryClassHead()
Model.optimization = @Optimization()
Optimization.optimizer = @AdagradOptimizer
Optimization.learning_rate = 0.1
AdagradOptimizer.initial_accumulator_value = 0.2
"""


UNCALLED = (
    "Experiment.train_input is @TextFile, which nothing has called: write @TextFile(), with ()."
)


@pytest.fixture
def gin_file(tmp_path, text_module, data_file):
    path = tmp_path / "experiment.gin"
    path.write_text(f"{GIN}Encoder.handle = {text_module!r}\nTextFile.path = {data_file!r}\n")
    return str(path)


def test_making_one_reads_and_builds_nothing():
    missing = training.TextFile("nothing.csv")
    model = training.Model(
        [training.Encoder("/nothing")],
        training.BinaryClassHead(),
        training.Optimization(tf.compat.v1.train.AdagradOptimizer, 0.1),
    )
    made = training.Experiment(model, missing, missing, 10, 5)
    assert tf.compat.v1.get_default_graph().get_operations() == []
    longer = dataclasses.replace(made, max_steps=20)
    assert (made.max_steps, longer.max_steps) == (10, 20) and longer.model is model
    assert made == dataclasses.replace(longer, max_steps=10)
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.max_steps = 3
    with pytest.raises(errors.InvalidSettingError):
        dataclasses.replace(made, max_steps=0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_steps": 1.5}, "Experiment.max_steps is 1.5; it must be a whole number."),
        ({"seed": -1}, "Experiment.seed is -1; it must be at least 0."),
        ({"profile_every_steps": 0}, "Experiment.profile_every_steps is 0; it must be at least 1."),
        (
            {"exporters": 3},
            "Experiment.exporters is 3; give it a list, as in [@LatestModuleExporter].",
        ),
        ({"hooks": 3}, "Experiment.hooks is 3; give it a list, as in [@MyHook]."),
        ({"objective": "auc"}, "Experiment.objective is 'auc'; give it a part like @Objective()."),
        ({"report": 3}, "Experiment.report is 3; give it a part like @Report()."),
        (
            {"feature_cache": training.FeatureCache},
            "Experiment.feature_cache is @FeatureCache; it must be True, False or @FeatureCache().",
        ),
        (
            {"train_input": training.TextFile},
            UNCALLED,
        ),
    ],
)
def test_settings(make_model, examples, settings, message):
    with pytest.raises(errors.InvalidSettingError) as caught:
        dataclasses.replace(runs.experiment(make_model(), examples), **settings)
    assert str(caught.value) == message


def test_one_that_was_made_in_python_is_text_for_people(make_model, examples, tmp_path):
    made = runs.experiment(make_model(), examples, examples, max_steps=2, eval_every_steps=2)
    text = made.text()
    assert text.startswith("Experiment(model=Model(encoders=[Encoder(handle='")
    assert "max_steps=2," in text and " at 0x" not in text and "source" not in text
    training.train_and_evaluate(made, tmp_path / "model")
    assert (tmp_path / "model" / "experiment.txt").read_text() == text
    assert not (tmp_path / "model" / "operative_config.gin").exists()
    with pytest.raises(errors.ModelFolderError) as caught:
        ModelFolder(str(tmp_path / "model")).check()
    assert str(caught.value) == (
        f"The run in {str(tmp_path / 'model')!r} was made in Python, so commands do not know its "
        "settings. In Python, give the same experiment to training.evaluate, training.predict or "
        "training.export, or to training.predictor(model_dir, experiment=...)."
    )


def test_one_of_a_gin_file(gin_file, tmp_path):
    folder = tmp_path / "model"
    with training.from_gin([gin_file], ["STEPS = 4"]) as experiment:
        assert experiment.max_steps == 4 and experiment.model.encoders[0].name == "module"
        result = training.train_and_evaluate(experiment, folder)
        text = experiment.text(str(folder))
    assert result.step == 4
    written = (folder / "operative_config.gin").read_text()
    assert "Experiment.max_steps = %STEPS" in written
    assert "AdagradOptimizer.initial_accumulator_value = 0.2" in written
    assert "Experiment.max_steps = %STEPS" in text
    with training.from_gin([str(folder / "operative_config.gin")]) as again:
        assert again.max_steps == 4
        [found] = training.evaluate(again, folder)
    assert found["loss"] == pytest.approx(result.metrics["loss"])


def test_what_is_changed_in_python_is_in_the_text(gin_file, tmp_path):
    folder = tmp_path / "model"
    with training.from_gin([gin_file]) as experiment:
        changed = dataclasses.replace(experiment, max_steps=3, report=training.Report())
        assert changed.source.changes(changed).keys() == {"max_steps", "report"}
        training.train_and_evaluate(changed, folder)
    settings = folder / "operative_config.gin"
    assert settings.read_text().endswith(
        "\n# Changed in Python:\nExperiment.max_steps = 3\nExperiment.report = %gin.REQUIRED\n"
    )
    with pytest.raises(errors.MissingSettingError) as caught, training.from_gin([str(settings)]):
        pass
    assert str(caught.value) == (
        "The configuration needs Experiment.report. Give it in a gin file or by "
        '--gin_bindings="Experiment.report=...".'
    )
    with training.from_gin([str(settings)], ["Experiment.report = None"]) as again:
        assert again.max_steps == 3


def test_a_setting_that_nothing_reads(gin_file, tmp_path):
    with training.from_gin([gin_file], ["DenseLayers.units = [3]"]) as experiment:
        with pytest.raises(errors.UnreadBindingError, match=r"Nothing reads this setting: DenseL"):
            training.train_and_evaluate(experiment, tmp_path / "model")
        assert not (tmp_path / "model").exists()
        # Where a part was replaced, settings of the old one are of no use and no fault.
        model = dataclasses.replace(experiment.model, layers=training.DenseLayers([2]))
        changed = dataclasses.replace(experiment, model=model)
        assert training.train_and_evaluate(changed, tmp_path / "model").step == 2


def test_errors_of_parts_that_are_called_late_do_not_speak_of_gin(gin_file, tmp_path):
    bindings = ["AdagradOptimizer.initial_accumulator_value = -1.0"]
    with (
        pytest.raises(errors.Error) as caught,
        training.from_gin([gin_file], bindings) as experiment,
    ):
        training.train_and_evaluate(experiment, tmp_path / "model")
    assert "In call to configurable" not in str(caught.value) and "positive" in str(caught.value)


def test_a_run_in_python_takes_the_place_of_a_run_of_gin(tmp_path):
    folder = ModelFolder(str(tmp_path))
    folder.save_settings("a = 1\n", is_gin=True)
    folder.check()
    folder.save_settings("Experiment()\n", is_gin=False)
    with pytest.raises(errors.ModelFolderError, match="was made in Python"):
        folder.check()
    folder.save_settings("a = 1\n", is_gin=True)
    folder.check()


def test_the_face_of_training_imports_no_tensorflow():
    program = (
        "import sys, hub_estimator.training as training; dir(training); "
        "print('tensorflow' in sys.modules)"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert found.stdout == "False\n"
