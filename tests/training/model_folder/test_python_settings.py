"""Settings out of the text that a model folder has of a run in Python."""

from __future__ import annotations

import pytest

from hub_estimator.training import settings_text
from hub_estimator.training.early_stopping import EarlyStopping
from hub_estimator.training.inputs.text_file import TextFile
from hub_estimator.training.model_folder import python_settings
from hub_estimator.training.objective import Objective
from tests.training import runs


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("E(a=1, b='x, y)', c=[1, 2])\n", {"E.a": "1", "E.b": "'x, y)'", "E.c": "[1, 2]"}),
        ("E(a=M(b=N(c='it\\'s'),\n    d=()))", {"E.a.b.c": "'it\\'s'", "E.a.d": "()"}),
        ("E(a=[P(x=1), P(x=2)])", {"E.a[0].x": "1", "E.a[1].x": "2"}),
        ("E(a=f(1, 2), b=<class 'x, y'>)", {"E.a": "f(1, 2)", "E.b": "<class 'x, y'>"}),
        ("something  else", {"settings": "something else"}),
        ("E()", {"E": "E()"}),
        ("", {"settings": ""}),
        ("E(a=(((", {"settings": "E(a=((("}),
    ],
)
def test_texts(text, settings):
    assert python_settings.read(text) == settings


def test_a_text_that_is_nested_without_end():
    text = "E(a=" * 5000 + "1" + ")" * 5000
    (name,) = python_settings.read(text)
    assert name.startswith("E.a.a") and len(name) < 100


def test_the_text_of_an_experiment(make_model):
    made = runs.experiment(
        make_model(), TextFile("a.csv"), early_stopping=EarlyStopping(Objective("auc"), patience=2)
    )
    found = python_settings.read(settings_text.of_python(made))
    assert found["Experiment.early_stopping.objective.metric"] == "'auc'"
    assert found["Experiment.early_stopping.patience"] == "2"
    assert found["Experiment.max_steps"] == "1" and "Experiment.seed" in found
