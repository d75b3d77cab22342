"""What every kind of labels must do: its test class inherits these tests and gives examples."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from hub_estimator import errors
from hub_estimator.training.example_spec import ExampleSpec
from hub_estimator.training.inputs.failures import clear_errors
from hub_estimator.training.inputs.records import Records
from hub_estimator.training.inputs.text_file import TextFile
from hub_estimator.training.labels.label_spec import LabelSpec
from hub_estimator.training.labels.predicted_and_true import WORST, Outcomes
from hub_estimator.training.running.prediction_formats import Writer
from tests.training.inputs.input_contract import batches
from tests.training.record_data import example
from tests.training.training_data import TEXT, write_csv

PNG = b"\x89PNG\r\n\x1a\n"


@dataclasses.dataclass(frozen=True)
class Given:
    """Three labels of a kind, and a head that is wrong in the last one.

    Attributes:
      labels: what the head takes.
      cells: the labels, each as a text of a table.
      stored: the same, each as a list of values of a record.
      taken: the same, as the head takes them.
      wrong_cell: a text that is no label, and what is said of it: how it is shown, and why.
      wrong_stored: a list of values of a record that is no label, and what is said of it.
      predicted: what the head predicts, float `[3, size]`.
      row: the first prediction as it is written as JSON, without its number.
    """

    labels: LabelSpec
    cells: list[str]
    stored: list[list[Any]]
    taken: list[Any]
    wrong_cell: tuple[str, str, str]
    wrong_stored: tuple[list[Any], str, str]
    predicted: list[list[float]] = dataclasses.field(default_factory=list)
    row: dict[str, Any] = dataclasses.field(default_factory=dict)


class ReadLabelContract:
    """How labels are read, from a table and from records; somebody else may have made the head."""

    given: Given

    @property
    def labels(self):
        return self.given.labels

    def read(self, source):
        [(_, labels)] = batches(source.evaluation_fn(ExampleSpec(TEXT, self.labels))())
        return labels

    def table(self, path, cells):
        return TextFile(write_csv(path, [("x", cell) for cell in cells]))

    def records(self, path, stored):
        with tf.io.TFRecordWriter(str(path)) as writer:
            for values in stored:
                writer.write(example(text=[b"x"], label=values))
        return Records(path, class_names=self.labels.class_names)

    def test_it_is_a_value(self):
        same = dataclasses.replace(self.labels)
        assert same == self.labels and hash(same) == hash(self.labels)
        assert dataclasses.replace(self.labels, size=7) != self.labels
        with pytest.raises(dataclasses.FrozenInstanceError):
            self.labels.size = 7

    def test_names_of_classes(self):
        names = tuple(f"name {number}" for number in range(self.labels.size))
        named = self.labels.with_class_names(names)
        assert type(named) is type(self.labels) and named.size == self.labels.size
        if self.labels.class_names is not None:
            assert named == self.labels and len(self.labels.class_names) == self.labels.size
        else:
            assert named.class_names in (None, names)

    def test_labels_of_a_table(self, tmp_path):
        found = self.read(self.table(tmp_path / "a.csv", self.given.cells))
        assert found.tolist() == self.given.taken
        assert found.dtype == self.labels.dtype.as_numpy_dtype or not self.labels.is_known

    def test_what_is_no_label_in_a_table(self, tmp_path):
        cell, shown, why = self.given.wrong_cell
        source = self.table(tmp_path / "a.csv", [*self.given.cells, cell])
        path = str(tmp_path / "a.csv")
        with pytest.raises(errors.LabelError) as caught:
            source.check(ExampleSpec(TEXT, self.labels))
        assert str(caught.value) == f"The label {shown} in row 5 of {path!r} {why}."

    def test_labels_of_records(self, tmp_path):
        source = self.records(tmp_path / "a", self.given.stored)
        source.check(ExampleSpec(TEXT, self.labels))
        found = self.read(source)
        assert found.tolist() == self.given.taken
        assert found.dtype == self.labels.dtype.as_numpy_dtype or not self.labels.is_known

    def test_what_is_no_label_in_records(self, tmp_path):
        values, shown, why = self.given.wrong_stored
        source = self.records(tmp_path / "a", [*self.given.stored, values])
        with pytest.raises(errors.LabelError) as caught, clear_errors():
            self.read(source)
        path = str(tmp_path / "a")
        assert str(caught.value) == f"The label {shown} in a record of {path!r} {why}."

    def test_types_that_labels_cannot_have(self):
        for wanted in (self.labels.wanted_instead, self.labels.wanted_instead_in_records):
            answers = [wanted(dtype) for dtype in (tf.string, tf.int64, tf.float32)]
            assert all(isinstance(answer, str) for answer in answers) and "" in answers

    def test_one_class_of_each_example(self):
        names = tuple(f"name {number}" for number in range(self.labels.size))
        labels = self.labels.with_class_names(names)
        numbers = np.array([0, labels.size - 1, 0])
        found = labels.from_one_class(numbers, labels.class_names or names, "The data")
        assert found is None or (len(found) == 3 and found[0] == found[2])

    def test_labels_for_metrics(self):
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            taken = tf.constant(self.given.taken, self.labels.dtype)
            numbers = session.run(self.labels.for_metrics(taken))
        assert numbers.dtype.kind in "if" and len(numbers) == 3


class LabelContract(ReadLabelContract):
    """What is predicted of them and reported, too."""

    @property
    def predictions(self):
        return np.array(self.given.predicted, np.float32)

    def lines(self, labels, form):
        writer = Writer(labels, form)
        lines = writer.lines(dict.fromkeys(writer.keys, self.predictions))
        return (writer.header() + lines).decode()

    def test_what_is_predicted(self):
        assert self.labels.is_known and self.predictions.shape == (3, self.labels.size)
        assert Writer(self.labels, "csv").keys == [self.labels.prediction_key]

    def test_predictions_as_json(self):
        rows = [json.loads(line) for line in self.lines(self.labels, "jsonl").splitlines()]
        assert rows[0] == {"row": 1, **self.given.row} and [row["row"] for row in rows] == [1, 2, 3]

    def test_predictions_as_csv(self):
        header, *rows = csv.reader(io.StringIO(self.lines(self.labels, "csv")))
        assert len(rows) == 3 and len(set(header)) == len(header)
        assert all(len(row) == len(header) for row in rows)

    def test_predictions_of_several_heads(self):
        heads = {"a%s": self.labels, "b": self.labels}
        alone, *_ = csv.reader(io.StringIO(self.lines(self.labels, "csv")))
        header, *_ = csv.reader(io.StringIO(self.lines(heads, "csv")))
        assert header == ["row", *(f"{head}.{name}" for head in heads for name in alone[1:])]
        row = json.loads(self.lines(heads, "jsonl").splitlines()[0])
        assert row == {"row": 1, "a%s": self.given.row, "b": self.given.row}

    def report(self):
        taken = np.array(self.given.taken, self.labels.dtype.as_numpy_dtype)
        truth = self.labels.truth(taken)
        assert truth.dtype.kind in "if" and len(truth) == 3
        texts = {"text": np.array([b"one", b"two", b"three"], object)}
        found = Outcomes(self.labels, truth, self.predictions, texts)
        return self.labels.report(found, "step 1", max_classes=2, max_worst=1)

    def test_tables_of_a_report(self):
        tables = self.report().tables
        for table in tables.values():
            header, *rows = csv.reader(io.StringIO(table.csv().decode()))
            assert rows and all(len(row) == len(header) for row in rows)
        [worst] = tables[WORST].rows
        assert worst[0] == 3 and worst[-1] == "three"

    def test_pictures_of_a_report(self):
        pytest.importorskip("matplotlib")
        for draw in self.report().pictures.values():
            assert draw().startswith(PNG)
