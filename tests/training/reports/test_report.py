"""The report of a run: what is written, and that it is of the examples that were evaluated."""

from __future__ import annotations

import os

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import errors
from hub_estimator.compat import head_class
from hub_estimator.training.charts import plots
from hub_estimator.training.inputs.text_file import TextFile
from hub_estimator.training.model.encoders import Encoder
from hub_estimator.training.model_folder.model_folder import ModelFolder
from hub_estimator.training.reports import outcomes
from hub_estimator.training.reports.report import Report
from hub_estimator.training.running.trained_model import TrainedModel
from tests.training import runs
from tests.training.training_data import write_csv

FILES = [
    *("calibration.png", "classes.csv", "confusion_matrix.csv", "confusion_matrix.png"),
    *("precision_recall.png", "report.md", "roc.png", "worst_mistakes.csv"),
]


@pytest.fixture
def run(make_model, examples, tmp_path):
    """Trains two steps with a report; keyword arguments replace those of the loop."""

    def train(**changes):
        arguments = {
            "model_dir": tmp_path / "model",
            "model": make_model(),
            "train_input": examples,
            "eval_input": examples,
            "max_steps": 2,
            "eval_every_steps": 2,
            "report": Report(),
            **changes,
        }
        return runs.train(**arguments), arguments

    return train


def tags(folder):
    return {
        value.tag
        for path in folder.glob("events.*")
        for event in tf.compat.v1.train.summary_iterator(str(path))
        for value in event.summary.value
    }


def test_a_run_ends_with_a_report(run, examples, tmp_path, caplog, monkeypatch):
    pytest.importorskip("matplotlib")
    caplog.set_level("INFO", "hub_estimator")
    result, arguments = run()
    folder = tmp_path / "model" / "report"
    assert sorted(os.listdir(folder)) == FILES
    assert f"The report of step 2 is in {folder}/report.md." in caplog.messages
    text = (folder / "report.md").read_text()
    assert text.startswith("# Evaluation at step 2\n\n```\n  accuracy ")
    (module,) = ModelFolder(result.model_dir).modules().values()
    shown = f"- Module module: {module.handle}, SHA-256 {module.sha256}\n".replace("_", "\\_")
    data = (
        f"- Data: {examples.path}, 64 examples\n- Settings: [experiment.txt](../experiment.txt)\n"
    )
    where = f"- Checkpoint: model.ckpt-2 in {tmp_path / 'model'}\n"
    about = where.replace("_", "\\_") + shown + data.replace("_", "\\_", data.count("_"))
    assert f"```\n\n## What was evaluated\n\n{about}\n### Classes ([CSV](classes.csv))" in text
    for title in ("Worst mistakes ([CSV]", "Receiver operating characteristic\n", "Calibration\n"):
        assert text.count(f"### {title}") == 1
    for name in FILES:
        assert name == "report.md" or f"({name})" in text
    wanted = {"report/classes", "report/worst_mistakes", "report/roc", "report/confusion_matrix"}
    assert wanted <= tags(tmp_path / "model" / "eval")
    # What the metrics say of the same examples.
    experiment = runs.experiment(arguments["model"])
    made = TrainedModel.of(experiment, ModelFolder(result.model_dir))
    input_fn = examples.evaluation_fn(made.spec)
    (found,) = outcomes.collect(made, input_fn, result.checkpoint, 1000).values()
    accuracy = np.mean(found.predicted.argmax(axis=1) == found.truth)
    assert accuracy == pytest.approx(result.metrics["accuracy"])
    assert found.truth.tolist() == [number % 2 for number in range(64)]
    assert [found.text("text", row) for row in (0, 1)] == ["bad", "good"]
    few = outcomes.collect(made, input_fn, result.checkpoint, 10)[""]
    assert len(few.truth) == len(few.predicted) == len(few.texts["text"]) == 10
    # Of more classes fewer examples fit into memory.
    monkeypatch.setattr(outcomes, "_MOST_NUMBERS", 6)
    few = outcomes.collect(made, input_fn, result.checkpoint, 10)[""]
    assert len(few.truth) == 3


def test_an_evaluation_replaces_the_report(run, examples, tmp_path, monkeypatch, caplog):
    _, arguments = run(report=None)
    assert not (tmp_path / "model" / "report").exists()
    (tmp_path / "model" / "report").mkdir()
    (tmp_path / "model" / "report" / "old").touch()
    monkeypatch.setattr(plots, "are_possible", lambda: False)
    caplog.set_level("INFO", "hub_estimator")
    runs.evaluate(tmp_path / "model", arguments["model"], examples, report=Report())
    names = sorted(os.listdir(tmp_path / "model" / "report"))
    assert names == [name for name in FILES if not name.endswith(".png")]
    assert ".png" not in (tmp_path / "model" / "report" / "report.md").read_text()
    message = "The report has no pictures: they need pip install 'hub_estimator[plots]'."
    assert caplog.messages.count(message) == 1
    assert not [name for name in os.listdir(tmp_path / "model") if "tmp" in name]


def test_several_heads(run, make_model, tmp_path):
    heads = [
        head_class("BinaryClassHead")(name="tone", label_vocabulary=["bad", "good"]),
        head_class("RegressionHead")(name="stars"),
    ]
    rows = [("good" if n % 2 else "bad", n % 2) for n in range(64)]
    path = write_csv(
        tmp_path / "two.csv", [(text, text, n) for text, n in rows], ("text", "tone", "stars")
    )
    source = TextFile(path, label={"tone": "tone", "stars": "stars"}, batch_size=8)
    run(
        model=make_model(head=head_class("MultiHead")(heads)),
        train_input=source, eval_input=source, report=Report(pictures=False),
    )  # fmt: skip
    folder = tmp_path / "model" / "report"
    assert sorted(os.listdir(folder)) == ["report.md", "stars", "tone"]
    assert sorted(os.listdir(folder / "stars")) == ["errors.csv", "worst_mistakes.csv"]
    assert (folder / "tone" / "classes.csv").read_text().splitlines()[1].startswith("bad,32,")
    assert ModelFolder(str(tmp_path / "model")).class_names() == {"tone": ("bad", "good")}


class OwnHead:
    """A head of which nothing is known but that it works: its labels are of the kind "any"."""

    def __init__(self):
        self._head = head_class("BinaryClassHead")()

    def __getattr__(self, name):
        return getattr(self._head, name)


def numbers_module_fn():
    numbers = tf.compat.v1.placeholder(tf.float32, [None, 1])
    hub.add_signature(inputs={"numbers": numbers}, outputs=2 * numbers)


def test_a_head_of_which_nothing_is_known(run, make_model, tmp_path):
    path = write_csv(tmp_path / "numbers.csv", [(n, n % 2) for n in range(8)], ("number", "label"))
    source = TextFile(path, numbers={"numbers": ["number"]}, batch_size=8)
    encoder = Encoder(hub.create_module_spec(numbers_module_fn), feature="numbers")
    model = make_model(encoders=[encoder], head=OwnHead())
    run(model=model, train_input=source, eval_input=source)
    folder = tmp_path / "model" / "report"
    assert os.listdir(folder) == ["report.md"]
    assert "accuracy" in (folder / "report.md").read_text()


def test_without_matplotlib(monkeypatch):
    monkeypatch.setattr(plots, "are_possible", lambda: False)
    with pytest.raises(errors.MissingExtraError) as caught:
        Report(pictures=True).check()
    assert str(caught.value) == (
        "The pictures of a report need the library matplotlib: pip install 'hub_estimator[plots]'. "
        "Report.pictures = False leaves them out."
    )
    for pictures in (None, False):
        Report(pictures=pictures).check()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_examples": 0}, "Report.max_examples is 0; it must be at least 1."),
        ({"max_classes": "a"}, "Report.max_classes is 'a'; it must be a whole number."),
        ({"max_worst": 0}, "Report.max_worst is 0; it must be at least 1."),
        ({"pictures": 3}, "Report.pictures is 3; it must be True, False or None."),
        (
            {"keep": "id"},
            "Report.keep is 'id'; it must be a list of columns in quotes, as in ['id'].",
        ),
    ],
)
def test_settings(settings, message):
    with pytest.raises(errors.ModelError) as caught:
        Report(**settings)
    assert str(caught.value) == message
