"""The evaluations of a model folder: one line a step, one truth, whatever is interrupted."""

from __future__ import annotations

import errno
import fcntl
import json
import multiprocessing
import os

import numpy as np
import pytest

from hub_estimator import errors
from hub_estimator.training.model_folder import history
from hub_estimator.training.model_folder.history import History
from hub_estimator.training.objective import Objective


@pytest.fixture
def kept(tmp_path) -> History:
    return History(str(tmp_path / "model" / "metrics.jsonl"))


def record(kept, step, **metrics):
    return kept.record(f"/m/model.ckpt-{step}", {"global_step": np.int64(step), **metrics})


def test_a_line_is_an_object_with_the_step_first(kept):
    record(kept, 7, loss=np.float32(0.9), auc=float("nan"), accuracy=1, picture=b"png")
    line = b'{"step": 7, "checkpoint": "model.ckpt-7", "accuracy": 1.0, "auc": null, "loss": 0.9}\n'
    with open(kept.path, "rb") as file:
        assert file.read() == line
    assert kept.evaluations() == [json.loads(line)]


def test_nothing_was_evaluated(kept):
    assert kept.evaluations() == []


def test_a_step_evaluated_again_has_one_line(kept):
    record(kept, 1, loss=3.0)
    record(kept, 2, loss=2.0)
    record(kept, 1, loss=1.0)
    assert [(each["step"], each["loss"]) for each in kept.evaluations()] == [(1, 1.0), (2, 2.0)]


def test_lines_are_in_the_order_of_steps(kept):
    for step in (3, 1, 2):
        record(kept, step)
    assert [each["step"] for each in kept.evaluations()] == [1, 2, 3]


def test_training_that_goes_back_forgets(kept):
    for step in (1, 2, 3):
        record(kept, step)
    kept.forget_after(2)
    assert [each["step"] for each in kept.evaluations()] == [1, 2]


@pytest.mark.parametrize(
    "line",
    [
        "[" * 9999,
        "[1]",
        '{"step": 1}',
        '{"step": Infinity, "checkpoint": "a"}',
        '{"step": 1, "checkpoint": ["a"]}',
        '{"step": 1, "checkpoint": "../a"}',
        '{"step": 1, "step": 2, "checkpoint": "a"}',
        "\x1b[2J",
        "",
    ],
)
def test_lines_that_are_no_evaluations(kept, line):
    record(kept, 1)
    with open(kept.path, "a") as file:
        file.write(f"{line}\n")
    with pytest.raises(errors.DataFileError) as caught:
        kept.evaluations()
    assert str(caught.value) == (
        f"Line 2 of {kept.path!r} is not an evaluation: {line[:60]!r}. Remove the line, or the file."
    )


def test_the_best_is_by_numbers():
    odd = [{**EVALUATIONS[0], "step": 0, "loss": value} for value in ("0", [0])]
    assert history.best([*odd, EVALUATIONS[0]], Objective("loss")) == EVALUATIONS[0]


def test_a_damaged_line(kept, tmp_path):
    record(kept, 1)
    with open(kept.path, "a") as file:
        file.write('{"loss": 1}\n')
    with pytest.raises(errors.DataFileError) as caught:
        kept.evaluations()
    assert str(caught.value) == (
        f"Line 2 of {kept.path!r} is not an evaluation: '{{\"loss\": 1}}'. Remove the line, or the "
        "file."
    )


def _record_many(path, first):
    for step in range(first, first + 20):
        record(History(path), step)


def test_processes_lose_none_of_each_other(kept):
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_record_many, args=(kept.path, n)) for n in (0, 100)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert len(kept.evaluations()) == 40


def test_a_filesystem_without_locks(kept, monkeypatch):
    def none(descriptor, operation):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", none)
    record(kept, 1)
    kept.forget_after(0)
    assert kept.evaluations() == []


EVALUATIONS = [
    {"step": 1, "checkpoint": "a", "loss": 0.5, "accuracy": 0.8, "mean_error": 3.0},
    {"step": 2, "checkpoint": "b", "loss": 0.4, "accuracy": 0.9, "mean_error": 2.0},
    {"step": 3, "checkpoint": "c", "loss": 0.4, "accuracy": 0.9, "mean_error": 4.0, "auc": None},
]


@pytest.mark.parametrize(
    ("metric", "higher_is_better", "step"),
    [
        ("loss", None, 2),
        ("mean_error", False, 2),
        ("accuracy", None, 2),
        ("accuracy", False, 1),
        ("loss", True, 1),
    ],
)
def test_the_best(metric, higher_is_better, step):
    assert history.best(EVALUATIONS, Objective(metric, higher_is_better))["step"] == step


@pytest.mark.parametrize(
    ("evaluations", "has"),
    [
        (EVALUATIONS, "They have: accuracy, auc, loss, mean_error."),
        ([], "There is none."),
    ],
)
def test_no_evaluation_has_the_metric(evaluations, has):
    with pytest.raises(errors.MetricNotFoundError) as caught:
        history.best(evaluations, Objective("auc"))
    assert str(caught.value) == f"No evaluation in the model folder has the metric 'auc'. {has}"
