"""Predictions of a file beside what is kept of its rows: in order, exact, in both forms."""

from __future__ import annotations

import csv
import dataclasses
import io
import json

import pytest
import tensorflow as tf

from hub_estimator import errors, training
from hub_estimator.training.inputs.json_file import JsonlFile
from hub_estimator.training.inputs.text_file import TextFile
from hub_estimator.training.running.loaded_model import LoadedModel
from tests.training import runs, text_runs
from tests.training.training_data import write_csv

TEXTS = ["plain", 'a "quote"', "two\nlines", "comma, too", "ü\r\nend", "", " spaces "]


@pytest.fixture(scope="module")
def trained(text_module, data_file, tmp_path_factory):
    """A model folder with one checkpoint, and what was trained."""
    path = str(tmp_path_factory.mktemp("predict") / "model")
    return path, text_runs.trained(path, text_module, data_file).model


def predict(trained, source, path, output, **settings):
    model_dir, model = trained
    made = runs.experiment(model, source)
    return training.predict(made, model_dir, path, output, **settings)


def rows_of(output):
    if output.suffix == ".jsonl":
        return [json.loads(line) for line in output.read_text(encoding="utf-8").split("\n")[:-1]]
    with open(output, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("batch_size", [1, 3, 7, 100])
@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_rows_and_their_columns_stay_together(trained, tmp_path, batch_size, suffix):
    data = [(number, TEXTS[number % len(TEXTS)]) for number in range(20)]
    path = write_csv(tmp_path / "new.csv", data, ("id", "text"))
    source = TextFile(path, batch_size=batch_size)
    plain, output = tmp_path / f"plain.{suffix}", tmp_path / f"out.{suffix}"
    made = predict(trained, source, path, output, keep=["text", "id"])
    predict(trained, source, path, plain)
    rows = rows_of(output)
    assert made.num_rows == len(rows) == 20
    assert list(rows[0])[:4] == ["row", "text", "id", "class"]
    assert [(row["id"], row["text"]) for row in rows] == [(str(n), text) for n, text in data]
    without = [{name: row[name] for name in row if name not in ("id", "text")} for row in rows]
    assert without == rows_of(plain)


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_values_of_json_stay_what_they_are(trained, tmp_path, suffix):
    values = [7, 1.5, None, "x", [1, 2], {"a": [True]}, ""]
    lines = [json.dumps({"text": "good", "id": value}) for value in values]
    (tmp_path / "new.jsonl").write_text("\n".join(lines))
    source, output = JsonlFile(tmp_path / "new.jsonl"), tmp_path / f"out.{suffix}"
    predict(trained, source, tmp_path / "new.jsonl", output, keep=["id"])
    found = [row["id"] for row in rows_of(output)]
    as_csv = ["7", "1.5", "", "x", "[1, 2]", '{"a": [true]}', ""]
    assert found == (values if suffix == "jsonl" else as_csv)


def test_columns_of_a_file_without_names(trained, tmp_path):
    (tmp_path / "new.csv").write_text("a,good\nb,bad\n")
    source = TextFile(tmp_path / "new.csv", texts={"text": 1}, header=False)
    predict(trained, source, tmp_path / "new.csv", tmp_path / "out.csv", keep=["0"])
    assert [row["0"] for row in rows_of(tmp_path / "out.csv")] == ["a", "b"]


@pytest.mark.parametrize(
    ("keep", "error", "message"),
    [
        (
            ["id", "name"],
            errors.ColumnNotFoundError,
            "The data file {path!r} has no column 'name'. Its first row names: id, text, class.",
        ),
        (
            ["class"],
            errors.DuplicateNameError,
            (
                "The column 'class' cannot be kept: that is what the output calls something of its "
                "own. It has: row, class, class_id, probability_0, probability_1. Rename the column "
                "in the data."
            ),
        ),
        (
            "id",
            errors.InvalidSettingError,
            "predict.keep is 'id'; it must be a list of columns in quotes, as in ['id'].",
        ),
    ],
)
def test_columns_that_cannot_be_kept(trained, tmp_path, keep, error, message):
    path = write_csv(tmp_path / "new.csv", [(1, "good", "x")], ("id", "text", "class"))
    with pytest.raises(error) as caught:
        predict(trained, TextFile(path), path, tmp_path / "out.csv", keep=keep)
    assert str(caught.value) == message.format(path=path)
    assert not (tmp_path / "out.csv").exists()


def test_names_that_lines_of_json_have(trained, tmp_path):
    path = write_csv(tmp_path / "new.csv", [("good", "x")], ("text", "probabilities"))
    with pytest.raises(errors.DuplicateNameError) as caught:
        predict(trained, TextFile(path), path, tmp_path / "o.jsonl", keep=["probabilities"])
    assert "It has: row, class, class_id, probabilities. " in str(caught.value)
    predict(trained, TextFile(path), path, tmp_path / "out.csv", keep=["probabilities"])
    assert rows_of(tmp_path / "out.csv")[0]["probabilities"] == "x"


class OwnInput:
    """An input of somebody else, which knows nothing of what is kept."""

    def __init__(self, source):
        self._source = source

    @property
    def feature_names(self):
        return self._source.feature_names

    def prediction_fn(self, spec, path=None):
        return self._source.prediction_fn(spec, path)

    check = training_fn = evaluation_fn = None


def test_inputs_of_somebody_else(trained, tmp_path):
    path = write_csv(tmp_path / "new.csv", [("good",)], ("text",))
    made = predict(trained, OwnInput(TextFile(path)), path, tmp_path / "out.csv")
    assert made.num_rows == 1
    with pytest.raises(errors.ColumnNotFoundError) as caught:
        predict(trained, OwnInput(TextFile(path)), path, tmp_path / "o.csv", keep=["id", "b"])
    assert str(caught.value) == (
        "OwnInput gives the features of its examples alone, so it has no 'id', 'b' to keep. The "
        "inputs of columns do: TextFile, JsonlFile, Frame, Arrays."
    )


def test_an_open_file_gets_each_batch(trained, tmp_path):
    path = write_csv(tmp_path / "new.csv", [("good",), ("bad",), ("good",)], ("text",))

    flushed = []

    class Seen(io.BytesIO):
        def flush(self):
            flushed.append(self.getvalue().count(b"\n"))

    output = Seen()
    made = predict(trained, TextFile(path, batch_size=2), path, output)
    assert (made.path, made.num_rows, flushed) == ("", 3, [3, 4])
    predict(trained, TextFile(path), path, tmp_path / "out.csv")
    assert output.getvalue() == (tmp_path / "out.csv").read_bytes()
    lines = io.BytesIO()
    predict(trained, TextFile(path), path, lines, form="jsonl")
    predict(trained, TextFile(path), path, tmp_path / "out.jsonl", form="jsonl")
    assert lines.getvalue() == (tmp_path / "out.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("name", "form", "message"),
    [
        (None, "tsv", "predict.form is 'tsv'; it must be one of 'csv', 'jsonl'."),
        (
            "out.csv",
            "jsonl",
            (
                "predict.form is 'jsonl', but the output 'out.csv' is csv by its name. Leave form "
                "out, or rename the output."
            ),
        ),
    ],
)
def test_forms(trained, name, form, message):
    with pytest.raises(errors.InvalidSettingError) as caught:
        predict(trained, TextFile("new.csv"), "new.csv", name or io.BytesIO(), form=form)
    assert str(caught.value) == message


@pytest.fixture
def calls(monkeypatch):
    """How many calls of a model were allowed at once, of each prediction."""
    seen = []
    read = LoadedModel.calls_at_once.fget

    def noting(model):
        seen.append(read(model))
        return seen[-1]

    monkeypatch.setattr(LoadedModel, "calls_at_once", property(noting))
    return seen


def with_interaction(trained, interaction):
    model_dir, model = trained
    return model_dir, dataclasses.replace(model, interaction=interaction)


def test_batches_of_texts_are_predicted_two_at_once(trained, calls, tmp_path):
    path = write_csv(tmp_path / "new.csv", [(text,) for text in TEXTS], ("text",))
    predict(trained, TextFile(path, batch_size=2), path, tmp_path / "out.csv")
    by_chance = with_interaction(trained, lambda outputs: tf.nn.dropout(outputs[0], rate=0.5))
    lines = []
    for name in ("a.csv", "b.csv"):
        predict(by_chance, TextFile(path, batch_size=2), path, tmp_path / name)
        lines.append((tmp_path / name).read_bytes())
    assert calls == [2, 1, 1]
    assert lines[0] == lines[1] != (tmp_path / "out.csv").read_bytes()


@pytest.fixture
def hooked(trained):
    """What is trained, with a hook that looks for its graph, and asks to stop after so many batches."""
    model_dir, model = trained
    ran = []

    class Counting(tf.compat.v1.train.SessionRunHook):
        def __init__(self, most):
            self._most = most

        def _note(self, what):
            ran.append((what, tf.compat.v1.train.get_global_step() is not None))

        def after_run(self, run_context, run_values):
            self._note("run")
            if len(ran) == self._most:
                run_context.request_stop()

        def end(self, session):
            self._note("end")

    def make(most=99):
        class WithHook:
            def __getattr__(self, name):
                return getattr(model, name)

            def model_fn(self, *args, **settings):
                return model.model_fn(*args, **settings)._replace(prediction_hooks=[Counting(most)])

        return model_dir, WithHook()

    return make, ran


def test_the_hooks_of_a_model(hooked, calls, tmp_path):
    make, ran = hooked
    path = write_csv(tmp_path / "new.csv", [(text,) for text in TEXTS], ("text",))
    source = TextFile(path, batch_size=2)
    predict(make(), source, path, tmp_path / "out.csv")
    assert ran == [("run", True)] * 4 + [("end", True)] and calls == [1]
    ran.clear()
    predict(make(2), source, path, tmp_path / "part.csv")
    assert ran == [("run", True)] * 2 + [("end", True)]
    whole = (tmp_path / "out.csv").read_bytes()
    part = (tmp_path / "part.csv").read_bytes()
    assert whole.startswith(part) and part.count(b"\n") == 5


def test_hooks_are_not_told_of_an_end_that_is_none(hooked, tmp_path):
    class Broken(io.BytesIO):
        def write(self, content):
            raise BrokenPipeError

    make, ran = hooked
    path = write_csv(tmp_path / "new.csv", [(text,) for text in TEXTS], ("text",))
    with pytest.raises(BrokenPipeError):
        predict(make(), TextFile(path, batch_size=2), path, Broken())
    assert ran and ("end", True) not in ran


def test_a_model_never_sees_what_is_kept(trained, tmp_path):
    seen = []
    model_dir, model = trained
    model_fn = model.model_fn

    class Looking:
        def __getattr__(self, name):
            return getattr(model, name)

        def model_fn(self, features, labels, mode, params=None, config=None):
            seen.append(sorted(features))
            return model_fn(features, labels, mode, params=params, config=config)

    path = write_csv(tmp_path / "new.csv", [("good", 1)], ("text", "id"))
    predict((model_dir, Looking()), TextFile(path), path, tmp_path / "out.csv", keep=["id"])
    assert seen and all(names == ["text"] for names in seen)
