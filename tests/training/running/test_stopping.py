"""Early stopping: the decision, and runs that it ends."""

from __future__ import annotations

import dataclasses
import math
import os
import types

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import compat, errors
from hub_estimator.training.early_stopping import EarlyStopping
from hub_estimator.training.model_folder.model_folder import ModelFolder
from hub_estimator.training.objective import Objective
from hub_estimator.training.running.stopping import EarlyEnd, Stopping, check_process
from tests.training import runs


def history(*values, name="auc"):
    return [{"step": 10 * number, name: value} for number, value in enumerate(values)]


@pytest.mark.parametrize(
    ("values", "stops"),
    [
        ([], False),
        ([0.5], False),
        ([0.5, 0.4], False),
        ([0.5, 0.4, 0.5], True),  # as good is no improvement
        ([0.5, 0.4, 0.6], False),
        ([0.5, 0.4, 0.4, 0.6], False),  # patience was given since
        ([0.5, 0.6, 0.55, 0.59], True),
        ([math.nan], False),
        ([math.nan, 0.1], False),
        ([0.5, math.nan, None], True),
        ([math.nan, None], True),
    ],
)
def test_patience(values, stops):
    assert EarlyStopping(Objective("auc", True), patience=2).should_stop(history(*values)) == stops


def test_lower_is_better():
    stopping = EarlyStopping(Objective("loss", False), patience=1)
    assert not stopping.should_stop(history(3.0, 2.0, name="loss"))
    assert stopping.should_stop(history(2.0, 3.0, name="loss"))


def test_min_delta():
    values = history(0.5, 0.55, 0.58)
    assert not EarlyStopping(Objective("auc", True), patience=2).should_stop(values)
    assert EarlyStopping(Objective("auc", True), patience=2, min_delta=0.1).should_stop(values)
    # Measured from the best one, so that small improvements add up.
    assert not EarlyStopping(Objective("auc", True), patience=2, min_delta=0.07).should_stop(values)


def test_the_order_is_that_of_steps_and_a_step_counts_once():
    values = history(0.5, 0.4, 0.6)
    stopping = EarlyStopping(Objective("auc", True), patience=2)
    assert not stopping.should_stop(values[::-1])
    assert not stopping.should_stop([*values, values[1], values[1]])
    assert stopping.should_stop([*values, {"step": 20, "auc": 0.1}])


def test_an_unknown_metric():
    values = [{"step": 1, "auc": 0.5, "loss": 1.0, "global_step": 1, "checkpoint": "model.ckpt-1"}]
    with pytest.raises(errors.MetricNotFoundError) as caught:
        EarlyStopping(Objective("acc", True)).should_stop(values)
    assert str(caught.value) == (
        "EarlyStopping looks for the metric 'acc', which evaluations do not give. They give: auc, "
        "loss."
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"objective": "auc"},
            "EarlyStopping.objective is 'auc'; give it a part like @Objective().",
        ),
        ({"patience": 0}, "EarlyStopping.patience is 0; it must be at least 1."),
        ({"min_delta": -1.0}, "EarlyStopping.min_delta is -1.0; it must be at least 0."),
    ],
)
def test_settings(settings, message):
    with pytest.raises(errors.ModelError) as caught:
        EarlyStopping(**{"objective": Objective("auc"), **settings})
    assert str(caught.value) == message


CLUSTER = tf.train.ClusterSpec({"chief": ["localhost:1"]})


def test_a_cluster():
    config = types.SimpleNamespace(cluster_spec=CLUSTER, train_distribute=None)
    with pytest.raises(errors.ModelError) as caught:
        check_process(EarlyStopping(Objective("auc", True)), config)
    assert str(caught.value) == (
        "Early stopping needs training and evaluation in one process, and this run is one task of "
        "the cluster in TF_CONFIG. Remove Experiment.early_stopping."
    )
    check_process(None, config)
    assert not Stopping(None, []).requested


def test_a_strategy_in_a_cluster():
    mirrored = tf.distribute.MirroredStrategy(["/cpu:0"])
    config = types.SimpleNamespace(cluster_spec=CLUSTER, train_distribute=mirrored)
    if not compat.ships_estimator():
        check_process(None, config)
        return
    with pytest.raises(errors.ClusterConfigError) as caught:
        check_process(None, config)
    assert str(caught.value) == (
        "TF_CONFIG describes a cluster and there is a strategy, with which TensorFlow "
        f"{tf.__version__} takes each task for the chief. Remove Experiment.distribute and give the "
        "cluster a 'ps', or use TensorFlow 2.16 or newer."
    )


def test_what_an_evaluation_beside_training_says_of_step_0_does_not_count():
    once = EarlyStopping(Objective("auc", True), patience=1)
    assert once.should_stop(history(0.9, 0.5))
    assert not Stopping(once, history(0.9, 0.5)).requested
    assert Stopping(once, history(0.9, 0.5, 0.5)).requested


class Recorder(hub.estimator.Exporter):
    """Exports nothing; keeps the steps of the checkpoints, and whether the export is final."""

    name = "recorder"

    def __init__(self):
        self.calls = []

    def export(self, estimator, export_path, checkpoint_path, eval_result, is_the_final_export):
        assert export_path.endswith("/export/recorder")
        self.calls.append((eval_result["global_step"], is_the_final_export))


@pytest.fixture
def run(make_regression, examples, tmp_path):
    def train(recorder, **changes):
        return runs.train(
            tmp_path, train_input=examples, eval_input=examples, eval_every_steps=2,
            exporters=[lambda serving_input_fn: recorder],
            **{"model": make_regression(), "max_steps": 40, **changes},
        )  # fmt: skip

    return train


# Nothing improves by a million.
IMPATIENT = EarlyStopping(Objective("loss", False), patience=2, min_delta=1e6)


def test_a_run_that_ends_early(run, caplog):
    caplog.set_level("INFO", "hub_estimator")
    recorder = Recorder()
    result = run(recorder, early_stopping=IMPATIENT)
    # The first evaluation is the best one, and two follow it.
    assert result.step == 6 and result.checkpoint.endswith("/model.ckpt-6")
    assert recorder.calls == [(2, False), (4, False), (6, True)]
    message = "Training ends early, at step 6: loss has not improved for 2 evaluations."
    assert message in caplog.messages


def test_a_run_that_ended_early_stays_ended(run, tmp_path, caplog):
    recorder = Recorder()
    assert run(recorder, early_stopping=IMPATIENT, max_steps=3).step == 3
    kept = ModelFolder(str(tmp_path)).history()
    for step, loss in enumerate([1.0, 2.0, 3.0], 1):
        kept.record(f"model.ckpt-{step}", {"global_step": step, "loss": loss})
    caplog.set_level("INFO", "hub_estimator")
    assert run(recorder, early_stopping=IMPATIENT).step == 3
    assert recorder.calls == [(2, False), (3, True), (3, True)]
    assert f"Training in {tmp_path} is already finished, at step 3." in caplog.messages
    assert (
        "It ended early, at step 3 of 40: loss has not improved for 2 evaluations, since that of "
        "step 1 (EarlyStopping.patience is 2). It goes on with a greater EarlyStopping.patience, or without "
        "Experiment.early_stopping; with more steps alone it does not."
    ) in caplog.messages


def test_what_a_run_that_ended_early_goes_on_with(run):
    first = run(Recorder(), early_stopping=IMPATIENT)
    assert first.step == 6 and first.early_end == EarlyEnd(6, 40, "loss", 2, 2, patience=2)
    again = run(Recorder(), early_stopping=IMPATIENT, max_steps=80)
    assert again.step == 6 and again.early_end == EarlyEnd(6, 80, "loss", 2, 2, patience=2)
    last = run(Recorder(), early_stopping=IMPATIENT, max_steps=6)
    assert last.early_end == EarlyEnd(6, 6, "loss", 2, 2, patience=2)
    assert last.early_end.is_at_last_step and not again.early_end.is_at_last_step
    patient = dataclasses.replace(IMPATIENT, patience=4)
    longer = run(Recorder(), early_stopping=patient)
    assert longer.step == 10 and longer.early_end.evaluations == 4
    ended = run(Recorder(), max_steps=12)
    assert ended.step == 12 and ended.early_end is None


def test_a_metric_that_never_was_a_number():
    end = EarlyEnd(step=3, max_steps=9, metric="auc", evaluations=3, best_step=None, patience=3)
    assert (
        str(end)
        == "at step 3 of 9: auc has not improved for 3 evaluations (EarlyStopping.patience is 3)"
    )
    assert EarlyStopping(Objective("auc")).standstill(history(math.nan, None)).best_step is None


def test_evaluations_from_before_the_model_had_the_metric_do_not_count():
    stopping = Stopping(EarlyStopping(Objective("f1", True), patience=1), history(0.9, 0.8))
    stopping.evaluated({"global_step": 20, "f1": 0.5})
    assert not stopping.requested


def test_evaluations_of_earlier_runs_count():
    before = [{"step": 1, "loss": 0.5}, {"step": 2, "loss": None}]
    stopping = Stopping(IMPATIENT, before)
    assert not stopping.requested
    stopping.evaluated({"global_step": 2, "loss": 0.4})  # the second one, done again
    assert not stopping.requested
    stopping.evaluated({"global_step": 3, "loss": 0.4})
    assert stopping.requested


def test_a_metric_that_evaluations_will_not_give(run, make_model, tmp_path):
    stopping = EarlyStopping(Objective("acuracy", True))
    with pytest.raises(errors.MetricNotFoundError) as caught:
        run(Recorder(), model=make_model(), early_stopping=stopping)
    assert str(caught.value) == (
        "EarlyStopping looks for the metric 'acuracy', which evaluations do not give. They give: "
        "accuracy, accuracy_baseline, auc, auc_precision_recall, average_loss, label/mean, loss, "
        "precision, prediction/mean, recall."
    )
    assert os.listdir(tmp_path) == []


def test_what_is_no_early_stopping(run):
    with pytest.raises(errors.ModelError) as caught:
        run(Recorder(), early_stopping=EarlyStopping)
    assert str(caught.value) == (
        "Experiment.early_stopping is @EarlyStopping, which nothing has called: write "
        "@EarlyStopping(), with ()."
    )


@pytest.mark.parametrize("percent", range(30, 99, 7))
def test_a_restart_and_a_process_beside_decide_as_the_training_did(tmp_path, percent):
    # As a float32, some of these differ by more than their texts do, and some by less.
    settings = EarlyStopping(Objective("accuracy", True), patience=1, min_delta=0.01)
    folder = ModelFolder(str(tmp_path))
    stopping = Stopping(settings, [])
    for step, value in ((1, percent), (2, percent + 1)):
        metrics = {"global_step": step, "accuracy": np.float32(value / 100)}
        stopping.evaluated(metrics)
        folder.history().record(f"model.ckpt-{step}", metrics)
    assert settings.has_ended(folder.history().evaluations()) == stopping.requested
