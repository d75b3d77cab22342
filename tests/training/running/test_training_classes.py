"""Classes, and their balanced weights, from the training data: in training and in what follows."""

from __future__ import annotations

import csv
import functools
import json
import os

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import errors, evaluate, export, predict, train, training
from hub_estimator.training.labels.any_classes import AnyClasses
from hub_estimator.training.labels.class_counts import Classes
from hub_estimator.training.labels.numbers import Numbers
from hub_estimator.training.labels.one_class import OneClass
from hub_estimator.training.model.canned_model import estimator_class
from hub_estimator.training.model_folder.model_folder import ModelFolder
from hub_estimator.training.running import training_classes
from tests.training import runs
from tests.training.record_data import example
from tests.training.training_data import write_csv

NAMES = ("bad", "good", "so-so")
ROWS = [(NAMES[n % 3] + " film", NAMES[n % 3]) for n in range(12)] + [("good one", "good")] * 4
BALANCED = training.SoftmaxLoss(class_weights="balanced")
COUNTS = Classes(3, NAMES, (4, 8, 4))


@pytest.fixture
def data(tmp_path):
    return write_csv(tmp_path / "data.csv", ROWS)


@pytest.fixture
def model(make_model):
    return make_model(head=training.MultiClassHead(loss_fn=BALANCED))


@pytest.fixture
def trained(tmp_path, data, model):
    """The folder of a run."""
    source = training.TextFile(data, batch_size=4)
    result = runs.train(tmp_path / "model", model, source, source, 3, 3)
    return ModelFolder(result.model_dir)


def test_a_run_keeps_what_the_data_told(trained):
    assert trained.class_names() == NAMES
    assert trained.training_classes() == {"": COUNTS}
    with open(f"{trained.path}/training_classes.json", encoding="utf-8") as file:
        assert json.load(file) == {
            "": {"size": 3, "names": ["bad", "good", "so-so"], "counts": [4, 8, 4]}
        }


def test_it_is_the_model_whose_classes_and_weights_were_given(tmp_path, trained, data, make_model):
    loss = training.SoftmaxLoss(class_weights=[16 / 12, 16 / 24, 16 / 12])
    head = training.MultiClassHead(label_vocabulary=NAMES, loss_fn=loss)
    source = training.TextFile(data, batch_size=4)
    given = runs.train(tmp_path / "given", make_model(head=head), source, source, 3, 3)
    mine = trained.history().evaluations()[-1]
    assert mine["loss"] == pytest.approx(given.metrics["loss"], rel=1e-6)
    assert not os.path.exists(tmp_path / "given" / "training_classes.json")


def test_what_follows_needs_no_training_data(tmp_path, trained, data, model):
    other = write_csv(tmp_path / "other.csv", ROWS[:3])
    os.remove(data)
    source = training.TextFile(other)
    (found,) = runs.evaluate(trained.path, model, source)
    assert found["step"] == 3
    runs.predict(trained.path, other, tmp_path / "out.csv", model, source)
    with open(tmp_path / "out.csv", newline="") as file:
        header, *rows = csv.reader(file)
    assert header[1:] == ["class", "class_id", *(f"probability_{name}" for name in NAMES)]
    assert len(rows) == 3 and {row[1] for row in rows} <= set(NAMES)
    runs.export(trained.path, tmp_path / "served", model, what="model")
    assert (tmp_path / "served" / "saved_model.pb").exists()


def test_a_label_that_training_lacks(tmp_path, trained, model):
    other = write_csv(tmp_path / "other.csv", [*ROWS[:2], ("what", "new")])
    message = (
        f"The label 'new' in row 4 of '{other}' is not a class of the model's head. It has: bad, "
    )
    with pytest.raises(errors.LabelError) as caught:
        runs.evaluate(trained.path, model, training.TextFile(other))
    assert str(caught.value) == f"{message}good, so-so."
    train_input = training.TextFile(f"{tmp_path}/data.csv")
    with pytest.raises(errors.LabelError) as caught:
        runs.train(tmp_path / "new", model, train_input, training.TextFile(other), 1, 1)
    assert str(caught.value) == f"{message}good, so-so." and not (tmp_path / "new").exists()


def test_training_goes_on_with_the_weights_that_it_began_with(tmp_path, trained, data, model):
    source = training.TextFile(write_csv(data, [*ROWS, ("bad too", "bad")]), batch_size=4)
    result = runs.train(trained.path, model, source, source, 4, 4)
    assert result.step == 4 and trained.training_classes() == {"": COUNTS}
    anew = runs.train(tmp_path / "anew", model, source, source, 1, 1)
    assert ModelFolder(anew.model_dir).training_classes()[""].counts == (5, 8, 4)


@pytest.mark.parametrize(
    ("rows", "now"),
    [
        ([*ROWS, ("what", "new")], "bad, good, new, so-so"),
        ([(text, str(NAMES.index(name))) for text, name in ROWS], "0, 1, 2"),
    ],
)
def test_training_does_not_go_on_with_other_labels(trained, data, model, rows, now):
    source = training.TextFile(write_csv(data, rows), batch_size=4)
    with pytest.raises(errors.ModelFolderError) as caught:
        runs.train(trained.path, model, source, source, 4, 4)
    assert str(caught.value) == (
        f"The model in '{trained.path}' was trained on the classes bad, good, so-so; the data now has "
        f"{now}. Give it the same classes in the same order, or choose another model folder."
    )


def test_a_folder_that_does_not_tell_the_classes(trained, data, model):
    os.remove(f"{trained.path}/training_classes.json")
    with pytest.raises(errors.ModelFolderError) as caught:
        runs.evaluate(trained.path, model, training.TextFile(data))
    assert str(caught.value) == (
        f"The model folder '{trained.path}' does not tell the classes of the model's head: it was "
        "trained with other settings. Give n_classes, or the settings of its training."
    )


@pytest.mark.parametrize(
    "content",
    [
        *("[]", "{", "[" * 100_000, '{"": {"size": 2}}'),
        '{"": {"size": 2, "names": ["a"], "counts": null}}',
    ],
    ids=["list", "cut", "nested", "fields", "number"],
)
def test_classes_of_a_folder_that_are_damaged(trained, data, model, content):
    path = f"{trained.path}/training_classes.json"
    with open(path, "w") as file:
        file.write(content)
    with pytest.raises(errors.ModelFolderError) as caught:
        runs.evaluate(trained.path, model, training.TextFile(data))
    said = str(caught.value)
    assert said.startswith(f"'{path}' does not hold classes of training data: ")
    assert said.endswith(". Correct or remove it.")


def test_names_of_the_input_are_taken_without_counting(tmp_path, make_model):
    with tf.io.TFRecordWriter(f"{tmp_path}/a.tfrecord") as writer:
        for number in range(8):
            writer.write(example(text=[b"x"], label=[number % 2]))
    source = training.Records(f"{tmp_path}/a.tfrecord", class_names=["c", "b", "a"])
    model = make_model(head=training.MultiClassHead())
    result = runs.train(tmp_path / "model", model, source, source, 1, 1)
    folder = ModelFolder(result.model_dir)
    assert folder.training_classes() == {"": Classes(3, ("c", "b", "a"))}
    assert folder.class_names() == ("c", "b", "a")


def test_classes_of_records_are_counted(tmp_path, make_model, model):
    with tf.io.TFRecordWriter(f"{tmp_path}/a.tfrecord") as writer:
        for text, name in ROWS:
            writer.write(example(text=[text.encode()], label=[name.encode()]))
    source = training.Records(f"{tmp_path}/a.tfrecord", batch_size=4)
    result = runs.train(tmp_path / "model", model, source, source, 1, 1)
    assert ModelFolder(result.model_dir).training_classes() == {"": COUNTS}


def test_any_of_several_classes(tmp_path, make_model):
    path = write_csv(tmp_path / "a.csv", [("x", "b|a"), ("y", ""), ("z", "b")])
    loss = training.SigmoidLoss(class_weights="balanced")
    model = make_model(head=training.MultiLabelHead(loss_fn=loss))
    source = training.TextFile(path, batch_size=2)
    result = runs.train(tmp_path / "model", model, source, source, 1, 1)
    assert ModelFolder(result.model_dir).training_classes() == {"": Classes(2, ("a", "b"), (1, 2))}


def test_several_heads(tmp_path, make_model):
    rows = [(text, name, number / 2) for number, (text, name) in enumerate(ROWS)]
    path = write_csv(tmp_path / "a.csv", rows, ("text", "kind", "stars"))
    source = training.TextFile(path, label={"kind": "kind", "stars": "stars"}, batch_size=4)
    heads = [
        training.MultiClassHead(name="kind", loss_fn=BALANCED),
        training.RegressionHead(name="stars"),
    ]
    model = make_model(head=training.MultiHead(heads))
    result = runs.train(tmp_path / "model", model, source, source, 2, 2)
    folder = ModelFolder(result.model_dir)
    assert folder.training_classes() == {"kind": COUNTS}
    assert folder.class_names() == {"kind": NAMES}
    assert np.isfinite(runs.evaluate(folder.path, model, source)[0]["loss"])


class Counting:
    """An input of somebody else, that does not tell its classes."""

    class_names = None
    check = training_fn = evaluation_fn = None


def test_an_input_that_cannot_tell(tmp_path, model):
    with pytest.raises(errors.PartsMismatchError) as caught:
        runs.train(tmp_path / "model", model, Counting(), Counting(), 1, 1)
    assert str(caught.value) == (
        "The model's head takes its classes from the training data, but Counting does not tell them. "
        "Give n_classes or label_vocabulary, and numbers as class_weights."
    )


GIN = """
include 'model.gin'
include 'table.gin'
MAX_STEPS = 4
BATCH_SIZE = 4
LEARNING_RATE = 0.1
Experiment.eval_every_steps = 2
Encoder.export_name = 'text'
Model.head = @MultiClassHead()
MultiClassHead.loss_fn = @SoftmaxLoss()
SoftmaxLoss.class_weights = 'balanced'
DenseLayers.units = [4]
"""
# Enough of each class for both sides.
MANY = [(f"{name} {number}", name) for number in range(20) for name in NAMES]


@pytest.fixture
def commands(tmp_path, text_module, monkeypatch):
    """Runs commands in a folder with data and a configuration."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.gin").write_text(f"{GIN}MODULE = {text_module!r}\n")
    write_csv(tmp_path / "all.csv", MANY)
    return tmp_path


def test_a_held_out_part_from_the_command_line(commands, capsys):
    settings = ["--gin_bindings=TRAIN_DATA='all.csv'", "--gin_bindings=EVAL_DATA=0.3"]
    assert train.run(["train", "--gin_file=own.gin", *settings, "--model_dir=model"]) == 0
    folder = ModelFolder("model")
    source = training.TextFile("all.csv")
    _, held_out = source.divided(0.3)
    counts = folder.training_classes()[""].counts
    assert sum(counts) + held_out.num_examples == len(MANY)
    trained = folder.history().evaluations()[-1]
    # Later commands evaluate the same part, and predict for other files whole.
    assert evaluate.run(["evaluate", "--model_dir=model"]) == 0
    assert folder.history().evaluations()[-1]["loss"] == pytest.approx(trained["loss"], rel=1e-6)
    assert predict.run(["predict", "--model_dir=model", "--input=all.csv", "--output=o.csv"]) == 0
    assert len((commands / "o.csv").read_text().splitlines()) == 1 + len(MANY)
    write_csv("new.csv", MANY[:5])
    os.remove("all.csv")
    arguments = ["--model_dir=model", "--gin_bindings=EVAL_DATA='new.csv'", "--name=new"]
    assert evaluate.run(["evaluate", *arguments]) == 0
    assert export.run(["export", "--model_dir=model", "--export_path=out"]) == 0
    capsys.readouterr()
    assert train.run(["train", "--gin_file=own.gin", *settings, "--model_dir=model"]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "error: There is no data file 'all.csv'."


def test_the_configuration_of_a_folder_says_all_of_it(commands, capsys):
    settings = ["--gin_bindings=TRAIN_DATA='all.csv'", "--gin_bindings=EVAL_DATA=0.3"]
    assert train.run(["train", "--gin_file=own.gin", *settings, "--model_dir=a/model"]) == 0
    text = (commands / "a" / "model" / "operative_config.gin").read_text()
    for line in (
        "EVAL_DATA = 0.3",
        "eval/TextFile.path = %EVAL_DATA",
        "MultiClassHead.n_classes = None",
    ):
        assert line in text.splitlines()
    again = ["--gin_file=a/model/operative_config.gin", "--model_dir=b"]
    assert train.run(["train", *again]) == 0
    first, second = (ModelFolder(path).history().evaluations()[-1] for path in ("a/model", "b"))
    assert first["loss"] == second["loss"]


def test_a_canned_model(tmp_path, text_module, data):
    model = training.CannedModel(
        functools.partial(estimator_class("DNNEstimator"), hidden_units=[4]),
        training.MultiClassHead(loss_fn=BALANCED),
        [functools.partial(hub.text_embedding_column, "text", text_module)],
    )
    source = training.TextFile(data, batch_size=4)
    result = runs.train(tmp_path / "model", model, source, source, 1, 1)
    assert ModelFolder(result.model_dir).training_classes() == {"": COUNTS}


@pytest.mark.parametrize("loss", [None, BALANCED])
def test_a_head_that_knows_how_many_classes_gets_their_names(tmp_path, data, make_model, loss):
    model = make_model(head=training.MultiClassHead(3, loss_fn=loss))
    source = training.TextFile(data, batch_size=4)
    result = runs.train(tmp_path / "model", model, source, source, 1, 1)
    assert ModelFolder(result.model_dir).class_names() == NAMES
    (evaluation,) = runs.evaluate(result.model_dir, model, source)
    assert evaluation["accuracy"] == result.metrics["accuracy"]


@pytest.mark.parametrize(
    ("labels", "rows", "names"),
    [
        (OneClass(2), ["yes", "no", "yes"], ("no", "yes")),
        (OneClass(2), ["1", "0", "1"], None),
        (OneClass(2), ["yes", "1", "no"], None),  # reading it says which row is no number
        (OneClass(2), ["yes", "", "no"], None),
        (OneClass(2, ("a", "b"), True), ["yes", "no", "x"], None),
        (AnyClasses(2), ["yes|no", "", "no"], ("no", "yes")),
        (AnyClasses(2), ["yes|1", "0", "no"], None),
        (Numbers(1), ["yes", "no", "x"], None),
    ],
)
def test_names_that_labels_are(tmp_path, labels, rows, names):
    source = training.TextFile(write_csv(tmp_path / "data.csv", [("x", label) for label in rows]))
    assert training_classes.names_of_data(labels, source) == names
    train_part, _ = source.divided(0.5)
    assert training_classes.names_of_data(labels, train_part) == names


@pytest.mark.parametrize(
    ("size", "rows", "message"),
    [
        (
            *(5, ["a", "b", "c"]),
            (
                "n_classes is 5, the data has 3 classes: a, b, c. Leave n_classes out, or correct the "
                "column of the labels."
            ),
        ),
        (
            *(3, ["a", "a"]),
            (
                "n_classes is 3, the data has 1 class: a. Leave n_classes out, or correct the column of "
                "the labels."
            ),
        ),
        (
            *(2, ["a", "b", "c"]),
            (
                "The model's head takes two classes, the data has 3 classes: a, b, c. Take MultiClassHead "
                "for more of them, or correct the column of the labels."
            ),
        ),
    ],
)
def test_other_numbers_of_names(tmp_path, size, rows, message):
    source = training.TextFile(write_csv(tmp_path / "data.csv", [("x", label) for label in rows]))
    with pytest.raises(errors.LabelError) as caught:
        training_classes.names_of_data(OneClass(size), source)
    assert str(caught.value) == message


@pytest.mark.parametrize("number", [1, 2])
def test_a_multi_class_head_of_too_few_classes(number):
    with pytest.raises(errors.InvalidSettingError) as caught:
        training.MultiClassHead(number)
    assert str(caught.value) == (
        f"MultiClassHead.n_classes is {number}; such a head takes three or more. Leave n_classes out "
        "where the data has so many; for two take BinaryClassHead, in gin files Model.head = "
        "@BinaryClassHead()."
    )


def test_names_of_the_data_beside_those_of_the_head(tmp_path):
    data = write_csv(tmp_path / "data.csv", [("x", "a"), ("y", "b")])
    source = training.TextFile(data, class_names=["a", "b"])
    assert training_classes.names_of_data(OneClass(2, ("a", "b"), True), source) == ("a", "b")
    assert training_classes.names_of_data(OneClass(2), source) == ("a", "b")
    with pytest.raises(errors.PartsMismatchError) as caught:
        training_classes.names_of_data(OneClass(2, ("b", "a"), True), source)
    assert str(caught.value) == (
        "TextFile.class_names is a, b, but the label_vocabulary of the model's head is b, a. Leave one "
        "of them out."
    )
