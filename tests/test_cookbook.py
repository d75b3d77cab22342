"""Each recipe of the cookbook: all that a run checks before it writes, and each setting is read."""

from __future__ import annotations

import pathlib
import re
from typing import Any

import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import errors, training
from hub_estimator.training.model_folder.model_folder import ModelFolder
from hub_estimator.training.running import preflight
from hub_estimator.training.serving import ServingInput
from tests.training.training_data import write_csv

PAGE = pathlib.Path(__file__).parent.parent / "docs" / "cookbook.md"
RECIPES = [
    (section.partition("\n")[0], block)
    for section in PAGE.read_text(encoding="utf-8").split("\n## ")[1:]
    for block in re.findall(r"```gin\n(.*?)```", section, re.DOTALL)
]
VERDICTS = ("critic against", "critic for", "viewer against", "viewer for")


def module_fn():
    """Texts `[B]` to their hash's row of a table, `[B, 4]`, and a layer on it."""
    text = tf.compat.v1.placeholder(tf.string, [None])
    table = tf.compat.v1.get_variable("embeddings", [8, 4])
    rows = tf.nn.embedding_lookup(table, tf.strings.to_hash_bucket_fast(text, 8))
    kernel = tf.compat.v1.get_variable("encoder/layer/4/kernel", [4, 4])
    hub.add_signature(inputs={"text": text}, outputs=rows @ kernel)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A module, and data with each column that a recipe reads."""
    folder = tmp_path_factory.mktemp("cookbook")
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        module = hub.Module(hub.create_module_spec(module_fn))
        session.run(tf.compat.v1.global_variables_initializer())
        module.export(str(folder / "module"), session)
    columns = ("text", "review", "label", "verdict", "answer", "sure", "author", "stars", "tags")
    rows = [
        (f"text {n}", f"review {n}", n % 2, VERDICTS[n % 4], ("no", "yes")[n % 2], n / 80, n % 40,
         n % 5, "a|b" if n % 3 else "b")
        for n in range(160)
    ]  # fmt: skip
    write_csv(folder / "data.csv", rows, columns)
    return folder


def prepared(files, folder, recipe) -> Any:
    """Makes all of a run but the run; returns what the checks found."""
    (folder / "mine.gin").write_text(recipe)
    module, data = str(files / "module"), str(files / "data.csv")
    given = {"MODULE": module, "TRAIN_DATA": data, "EVAL_DATA": data, "OTHER_MODULE": module}
    if "EVAL_DATA =" in recipe:
        del given["EVAL_DATA"]
    if "OTHER_MODULE" not in recipe:
        del given["OTHER_MODULE"]
    bindings = [f"{name} = {value!r}" for name, value in given.items()]
    with training.from_gin([str(folder / "mine.gin")], bindings) as experiment:
        checked = preflight.check(experiment, ModelFolder(str(folder / "model")))
        serving = ServingInput(checked.spec)
        exporters = [exporter(serving_input_fn=serving) for exporter in experiment.exporters]
        preflight.check_exporters(
            ModelFolder(str(folder / "model")), exporters, checked.metric_names
        )
        experiment.source.check_all_read(experiment)
    return checked


@pytest.mark.parametrize(
    "recipe",
    [block for _, block in RECIPES],
    ids=[f"{n}-{name}" for n, (name, _) in enumerate(RECIPES)],
)
def test_a_recipe_can_run(files, tmp_path, recipe):
    assert prepared(files, tmp_path, recipe).metric_names


def test_a_recipe_that_says_nothing_of_use_is_found(files, tmp_path):
    with pytest.raises(errors.UnreadBindingError):
        prepared(files, tmp_path, "include 'multi_class.gin'\nSigmoidLoss.label_smoothing = 0.1\n")


def test_the_classes_are_those_of_the_data(files, tmp_path):
    recipe = "include 'multi_class.gin'\n"
    assert prepared(files, tmp_path, recipe).spec.class_names == VERDICTS
