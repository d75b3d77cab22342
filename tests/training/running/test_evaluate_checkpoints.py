"""Which checkpoints are evaluated, also while training saves and removes them."""

from __future__ import annotations

import os

import pytest

from hub_estimator import errors
from hub_estimator.training.early_stopping import EarlyStopping
from hub_estimator.training.inputs.text_file import TextFile
from hub_estimator.training.model_folder.choice import CheckpointChoice
from hub_estimator.training.model_folder.model_folder import ModelFolder
from hub_estimator.training.objective import Objective
from hub_estimator.training.running.following import Following
from tests.training import runs


def steps(found):
    return [each.step for each in found]


def test_choices(folder, save):
    for step in (1, 2):
        save(step)
        folder.history().record(f"model.ckpt-{step}", {"global_step": step, "loss": step})
    assert steps(CheckpointChoice("all").every(folder, Objective())) == [1, 2]
    assert steps(CheckpointChoice().every(folder, Objective())) == [2]
    assert steps(CheckpointChoice("best").every(folder, Objective())) == [1]
    assert steps(CheckpointChoice("best", Objective("loss", True)).every(folder, Objective())) == [
        2
    ]
    assert (
        steps(CheckpointChoice("1").every(folder, Objective()))
        == steps(CheckpointChoice(1).every(folder, Objective()))
        == [1]
    )


@pytest.fixture
def trained(make_regression, examples, trained_folder):
    """Makes a model folder with the checkpoints of steps 0, 2 and 4; returns arguments."""
    return {
        "model_dir": trained_folder.path,
        "model": make_regression(),
        "eval_input": examples,
    }


class RemovingInput(TextFile):
    """Removes a checkpoint when the graph that is to restore it is built."""

    folder: ModelFolder
    calls = 0

    def evaluation_fn(self, spec):
        input_fn = super().evaluation_fn(spec)

        def removing():
            self.calls += 1
            if self.calls == 2:  # the first call checks the input
                for checkpoint in self.folder.checkpoints()[:2]:
                    for suffix in ("index", "data-00000-of-00001", "meta"):
                        os.remove(f"{checkpoint.path}.{suffix}")
            return input_fn()

        return removing


def test_checkpoints_that_are_removed_meanwhile(trained, folder, data_file, caplog):
    caplog.set_level("INFO", "hub_estimator")
    before = folder.history().evaluations()
    source = RemovingInput(data_file, batch_size=8)
    source.folder = folder
    found = runs.evaluate(**{**trained, "eval_input": source}, checkpoints=CheckpointChoice("all"))
    # That of step 0 is being evaluated when it goes, that of step 2 has not begun.
    assert [each["step"] for each in found] == [0, 4]
    assert found[1] == before[1]
    assert any("model.ckpt-2' was removed meanwhile." in each for each in caplog.messages)
    assert not [name for name in os.listdir(folder.path) if "tmp" in name]


def test_following_a_finished_training(trained, folder):
    following = Following(1e9, 0.01)
    found = runs.evaluate(**trained, max_steps=4, checkpoints=following, name="other")
    assert [each["step"] for each in found] == [0, 2, 4]
    again = runs.evaluate(**trained, max_steps=4, checkpoints=following, name="other")
    assert again == []


def test_following_a_training_that_ended_early(trained, folder):
    never_better = EarlyStopping(Objective("loss"), patience=1, min_delta=1e6)
    found = runs.evaluate(
        **trained, max_steps=9, early_stopping=never_better, checkpoints=Following(1e9, 0.01)
    )
    assert [each["step"] for each in found] == [0]  # training evaluated the others


@pytest.mark.parametrize("checkpoints", [CheckpointChoice(), Following(0.02, 0.01)])
def test_a_folder_without_a_checkpoint(make_regression, examples, tmp_path, checkpoints):
    with pytest.raises(errors.ModelFolderError, match="has no checkpoint. Train first"):
        runs.evaluate(tmp_path, make_regression(), examples, checkpoints=checkpoints)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": None}, "Experiment.model is None; give it a part like @Model()."),
        ({"eval_input": "x"}, "Experiment.eval_input is 'x'; give it a part like @TextFile()."),
        ({"seed": -1}, "Experiment.seed is -1; it must be at least 0."),
    ],
)
def test_settings(make_regression, examples, tmp_path, changes, message):
    arguments = {"model_dir": tmp_path, "model": make_regression(), "eval_input": examples}
    with pytest.raises(errors.ModelError) as caught:
        runs.evaluate(**{**arguments, **changes})
    assert str(caught.value) == message


@pytest.mark.parametrize("name", ["../../x", "/x"])
def test_names_of_evaluations(trained, folder, name):
    before = sorted(os.listdir(folder.path))
    with pytest.raises(errors.InvalidPathNameError, match=r"^The name of an evaluation is '.*/x',"):
        runs.evaluate(**trained, name=name)
    for place in (folder.report, folder.evaluation, folder.history):
        with pytest.raises(errors.InvalidPathNameError):
            place(name)
    assert sorted(os.listdir(folder.path)) == before
