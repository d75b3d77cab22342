"""Settings and objectives of runs out of the texts in model folders."""

from __future__ import annotations

import pytest

from hub_estimator import errors
from hub_estimator.training import configurables
from hub_estimator.training.model_folder import run_texts
from hub_estimator.training.objective import Objective


@pytest.fixture
def read(tmp_path):
    """Writes a configuration into a model folder, and reads it."""

    def write(text):
        (tmp_path / "operative_config.gin").write_text(text)
        (found,) = run_texts.read([str(tmp_path)])
        return found

    return write


@pytest.mark.parametrize(
    ("text", "objective"),
    [
        ("", Objective()),
        ("Experiment.objective = None", Objective()),
        ("Objective.metric = 'auc'", Objective()),
        ("Experiment.objective = @Objective()\nObjective.metric = 'auc'", Objective("auc")),
        (
            (
                "A = %B\nB = 'f1'\nExperiment.objective = @Objective()\nObjective.metric = %A\n"
                "Objective.higher_is_better = True"
            ),
            Objective("f1", True),
        ),
        (
            (
                "Experiment.objective = @best/Objective()\nObjective.metric = 'auc'\n"
                "best/Objective.metric = 'recall'"
            ),
            Objective("recall"),
        ),
        ("A = %B\nB = %A\nExperiment.objective = %A", Objective()),
    ],
)
def test_objectives(read, text, objective):
    assert read(text).objective == objective


def test_an_objective_that_is_none(read):
    with pytest.raises(errors.ConfigError) as caught:
        read("Experiment.objective = @Objective()\nObjective.metric = 'f1'")
    assert str(caught.value) == (
        "The settings have an objective that is none: Objective.metric is 'f1', whose name does not "
        "say whether greater values are better. Set Objective.higher_is_better to True or False."
    )


def test_settings_as_they_are_written(read):
    text = "a/F.x = [@G(), %M, 'a']\nF.y = (1,)\nF.z = {'k': @s/G}\nimport os.path"
    with pytest.raises(errors.ConfigError):
        read("F.x = ")
    found = read(text).settings
    assert {name: setting.text for name, setting in found.items()} == {
        "a/F.x": "[@G(), %M, 'a']",
        "F.y": "(1,)",
        "F.z": "{'k': @s/G}",
    }


def test_what_of_the_settings_has_changed(tmp_path, monkeypatch):
    configurables.declare()  # which settings are paths
    monkeypatch.chdir(tmp_path)
    before = tmp_path / "before.gin"
    before.write_text(
        "A = 0.05\nB = 'x'\nC = [1, @part]\nD = 'data.csv'\nE = 1\nG = 'a\\0'\n"
        "TextFile.path = [%D, %G]\n"
    )
    (tmp_path / "data.csv").touch()
    now = (
        f"A = 9.0\nB = 'x'\nC = [1, @part()]\nD = '{tmp_path}/data.csv'\nF = 2\nG = 'b\\0'\n"
        "TextFile.path = [%D, %G]\n"
    )
    assert run_texts.changed_settings(str(before), now) == [
        "A was 0.05, is 9.0",
        "C was [1, @part], is [1, @part()]",
        "G was 'a\\x00', is 'b\\x00'",
    ]
    before.write_text("A = (")
    assert run_texts.changed_settings(str(before), now) == []
