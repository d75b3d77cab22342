"""A kind of labels that nothing in the package knows: it is read, learned, written and reported."""

from __future__ import annotations

import csv
import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from hub_estimator import errors, training
from hub_estimator.compat import head_class
from hub_estimator.training import cells, step_checks
from hub_estimator.training.charts.report_table import ReportTable
from hub_estimator.training.example_spec import ExampleSpec
from hub_estimator.training.labels.label_spec import LabelSpec
from hub_estimator.training.labels.predicted_and_true import WORST, Contents
from hub_estimator.training.labels.prediction_lines import NUMBER, Part
from tests.training.labels.label_contract import Given, LabelContract
from tests.training.training_data import TEXT, write_csv


@dataclasses.dataclass(frozen=True)
class Angles(LabelSpec):
    """Directions: degrees in the data and in what is written, quarters of a turn for the head."""

    @property
    def dtype(self):
        return tf.float32

    def read_columns(self, columns, setting, separator):
        [column] = columns
        column = dataclasses.replace(column, no_number="is no angle")
        return cells.convert(column, np.dtype(np.float32)) / 90

    def read_tensors(self, stored, where):
        degrees = tf.cast(stored, tf.float32)
        return step_checks.finite(degrees, where, ("The label", ""), errors.LabelError) / 90

    @property
    def prediction_key(self):
        return "predictions"

    def written(self, form, head):
        template = NUMBER if form == "csv" else f'"degrees": {NUMBER}'
        return Part(("degrees",), template, lambda quarters: [quarters[:, 0] * 90 % 360])

    def truth(self, labels):
        return labels.reshape(-1)

    def report(self, outcomes, title, max_classes, max_worst):
        # The short way around.
        gaps = np.abs((outcomes.predicted[:, 0] - outcomes.truth + 2) % 4 - 2) * 90
        worst = np.argsort(-gaps, kind="stable")[:max_worst]
        return Contents(
            {
                "turns": ReportTable(("measure", "degrees"), [("mean error", float(gaps.mean()))]),
                WORST: outcomes.examples(worst, ("error",), lambda row: (gaps[row],)),
            },
            {},
        )


class TestAngles(LabelContract):
    given = Given(
        Angles(),
        cells=["90", "0", "135"],
        stored=[[90.0], [0.0], [135.0]],
        taken=[1, 0, 1.5],
        wrong_cell=("north", "'north'", "is no angle"),
        wrong_stored=([float("inf")], "inf", "is not a finite number"),
        predicted=[[5], [0], [-0.5]],
        row={"degrees": 90},
    )


@dataclasses.dataclass(frozen=True)
class Turning:
    """Somebody else's model: the same angle for all texts."""

    def check(self, mode, feature_names):
        pass

    def example_spec(self):
        return ExampleSpec(TEXT, Angles())

    def model_fn(self, features, labels, mode, params=None, config=None):
        angle = tf.compat.v1.get_variable("angle", [], initializer=tf.ones_initializer())
        logits = tf.fill([tf.size(features["text"]), 1], angle)

        def train_op(loss):
            step = tf.compat.v1.train.get_global_step()
            return tf.compat.v1.train.GradientDescentOptimizer(0.0).minimize(loss, step)

        return head_class("RegressionHead")().create_estimator_spec(
            features=features, mode=mode, logits=logits, labels=labels, train_op_fn=train_op
        )


def rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_a_run_of_it(tmp_path):
    data = training.TextFile(write_csv(tmp_path / "a.csv", [("up", "0"), ("left", "270")]))
    report = training.Report(pictures=False)
    experiment = training.Experiment(Turning(), data, data, 1, 1, report=report)
    result = training.train_and_evaluate(experiment, tmp_path / "model")
    assert result.metrics["loss"] == pytest.approx((1 + 4) / 2)
    folder = tmp_path / "model" / "report"
    assert rows(folder / "turns.csv") == [["measure", "degrees"], ["mean error", "135"]]
    assert rows(folder / "worst_mistakes.csv") == [
        ["row", "error", "text"], ["2", "180", "left"], ["1", "90", "up"],
    ]  # fmt: skip
    assert "### Turns ([CSV](turns.csv))" in (folder / "report.md").read_text()
    output = tmp_path / "out.csv"
    training.predict(experiment, tmp_path / "model", data.path, output)
    assert rows(output) == [["row", "degrees"], ["1", "90"], ["2", "90"]]
    training.predict(experiment, tmp_path / "model", data.path, tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl").read_text().startswith('{"row": 1, "degrees": 90}\n')
