"""The loop: train, evaluate, export, go on, stop."""

from __future__ import annotations

import functools
import json
import os
import re
import signal

import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import errors
from hub_estimator.training.inputs.text_file import TextFile
from hub_estimator.training.model.layers import DenseLayers
from hub_estimator.training.model_folder.model_folder import ModelFolder
from hub_estimator.training.running.result import Result
from hub_estimator.training.running.train_and_evaluate import prepare
from hub_estimator.training.settings_text import GinSource
from tests.training import runs


@pytest.fixture
def run(make_regression, examples, tmp_path):
    """Trains in a folder of the test; keyword arguments replace those of the loop."""

    def train(encoder=None, **changes) -> Result:
        arguments = {
            "model_dir": tmp_path / "model",
            "model": make_regression(encoder),
            "train_input": examples,
            "eval_input": examples,
            "max_steps": 4,
            "eval_every_steps": 4,
            "exporters": [functools.partial(hub.LatestModuleExporter, "modules")],
            **changes,
        }
        return runs.train(**arguments)

    return train


def test_a_run(run, make_model, tmp_path):
    result = run(model=make_model())
    assert result.step == 4 and 0 <= result.metrics["accuracy"] <= 1
    assert result.checkpoint == f"{tmp_path}/model/model.ckpt-4"
    (module,) = result.modules
    assert module.startswith(f"{tmp_path}/model/export/modules/") and module.endswith("/text")
    assert os.path.isfile(f"{module}/tfhub_module.pb")


def test_two_runs_with_a_seed_are_equal(run, tmp_path):
    first, second, other = (
        run(
            {"trainable": True}, model_dir=tmp_path / name, seed=seed, max_steps=2, exporters=[]
        ).metrics
        for name, seed in [("a", 3), ("b", 3), ("c", 4)]
    )
    assert first == second
    assert first["loss"] != other["loss"]


def test_it_goes_on(run, trained_folder, caplog):
    caplog.set_level("INFO", "hub_estimator")
    assert run(max_steps=5).step == 5
    assert any(
        message.startswith("Training goes on from the checkpoint of step 4 in ")
        for message in caplog.messages
    )


def test_throughput_and_profiles(run, tmp_path, caplog):
    caplog.set_level("INFO", "hub_estimator")
    run(log_every_steps=2, profile_every_steps=2, exporters=[])
    lines = [each for each in caplog.messages if each.startswith("step ")]
    rates = [re.fullmatch(r"step (\d) of 4, loss .*, (\d+) steps/s, (\d+) examples/s", each)
             for each in lines]  # fmt: skip
    assert [int(each[1]) for each in rates] == [2, 4]
    for each in rates:  # a batch has eight examples; the steps are rounded
        assert abs(int(each[3]) - 8 * int(each[2])) <= 5
    tags = {
        value.tag
        for path in (tmp_path / "model").glob("events.*")
        for event in tf.compat.v1.train.summary_iterator(str(path))
        for value in event.summary.value
    }
    assert {"examples/sec", "global_step/sec"} <= tags
    assert list((tmp_path / "model" / "profile").glob("timeline-*.json"))


def test_a_strategy(run, make_model):
    strategy = functools.partial(tf.distribute.MirroredStrategy, ["/cpu:0"])
    model = make_model({"trainable": True})
    mirrored = run(model=model, max_steps=2, exporters=[], distribute=strategy)
    assert mirrored.step == 2 and 0 <= mirrored.metrics["accuracy"] <= 1


def test_an_evaluator_needs_no_place_among_workers_that_mirror(
    make_model, examples, folder, monkeypatch
):
    """TensorFlow would look for it there; it evaluates as the only process of a run does."""
    cluster = {"chief": ["localhost:1"], "worker": ["localhost:2"]}
    task = {"type": "evaluator", "index": 0}
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": task}))
    strategy = tf.distribute.MultiWorkerMirroredStrategy
    made = runs.experiment(make_model(), examples, examples, distribute=strategy)
    config = prepare(made, folder).config
    assert config.task_type == "evaluator" and not config.cluster_spec
    assert config.train_distribute is None and not config.is_chief


def test_what_is_no_strategy(run, tmp_path):
    message = folder_message(run, errors.ModelError, tmp_path, distribute="mirrored")
    assert message == (
        "Experiment.distribute is 'mirrored'; give it what makes one, without (): @MirroredStrategy."
    )
    assert folder_message(run, errors.ModelError, tmp_path, distribute=lambda: 3) == (
        "What Experiment.distribute makes is 3; give it a part like MirroredStrategy()."
    )


def test_profiles_need_a_number_of_steps(run, tmp_path):
    message = folder_message(run, errors.ModelError, tmp_path, profile_every_steps=0)
    assert message == "Experiment.profile_every_steps is 0; it must be at least 1."


def test_dropout_is_the_same_after_an_interruption(run, make_regression, tmp_path):
    layers = DenseLayers(units=[16], dropout=0.5, input_dropout=0.2)
    model = make_regression({"trainable": True}, layers=layers)
    whole = run(model=model, model_dir=tmp_path / "whole", max_steps=6, exporters=[])
    again = run(model=model, model_dir=tmp_path / "again", max_steps=6, exporters=[])
    run(model=model, model_dir=tmp_path / "parts", max_steps=3, exporters=[])
    parts = run(model=model, model_dir=tmp_path / "parts", max_steps=6, exporters=[])
    other = run(model=model, model_dir=tmp_path / "other", max_steps=6, exporters=[], seed=2)
    assert whole.metrics == again.metrics == parts.metrics
    assert whole.metrics["loss"] != other.metrics["loss"]


def test_each_evaluation_is_kept(run, tmp_path):
    result = run(max_steps=5, eval_every_steps=2)
    kept = ModelFolder(result.model_dir).history().evaluations()
    assert [each["step"] for each in kept] == [2, 4, 5]
    assert kept[-1]["checkpoint"] == "model.ckpt-5"
    assert kept[-1]["loss"] == pytest.approx(result.metrics["loss"])
    run(max_steps=5)  # finished: it is evaluated again
    assert ModelFolder(result.model_dir).history().evaluations() == kept


def test_training_that_starts_anew_forgets_evaluations(run, trained_folder, tmp_path):
    for path in (tmp_path / "model").glob("*ckpt*"):
        path.unlink()
    (tmp_path / "model" / "checkpoint").unlink()
    run(max_steps=1)
    kept = trained_folder.history().evaluations()
    assert [each["step"] for each in kept] == [1]


def test_a_moved_folder_goes_on(run, trained_folder, tmp_path, caplog):
    (tmp_path / "model").rename(tmp_path / "moved")
    caplog.set_level("INFO", "hub_estimator")
    assert run(model_dir=tmp_path / "moved", max_steps=5).step == 5
    assert any("goes on from the checkpoint of step 4" in each for each in caplog.messages)


class NamedExamples(TextFile):
    class_names = ("bad", "good")


def test_class_names_are_kept_and_their_order_checked(run, make_model, data_file, tmp_path):
    named, model = NamedExamples(data_file, batch_size=8), make_model()
    run(model=model, train_input=named, max_steps=2)
    assert ModelFolder(f"{tmp_path}/model").class_names() == ("bad", "good")
    named.class_names = ("good", "bad")
    with pytest.raises(errors.ModelFolderError) as caught:
        run(model=model, train_input=named, max_steps=3)
    assert str(caught.value) == (
        f"The model in '{tmp_path}/model' was trained on the classes bad, good; the data now has "
        "good, bad. Give it the same classes in the same order, or choose another model folder."
    )


def test_a_finished_run_evaluates_and_exports(run, caplog, tmp_path):
    first = run()
    caplog.set_level("INFO", "hub_estimator")
    again = run()
    assert f"Training in {tmp_path}/model is already finished, at step 4." in caplog.messages
    assert again.metrics == first.metrics and again.step == 4
    assert again.modules == first.modules  # exported once, however often it is run


def test_a_loss_that_is_not_a_number(run, make_regression):
    descent = tf.compat.v1.train.GradientDescentOptimizer
    model = make_regression({"trainable": True}, {"optimizer": descent, "learning_rate": 1e30})
    with pytest.raises(errors.ModelError) as caught:
        run(model=model, max_steps=50, eval_every_steps=50)
    assert str(caught.value) == (
        "The loss is not a number any more, after the checkpoint of step 0. Lower "
        "Optimization.learning_rate."
    )


class SignalHook(tf.compat.v1.train.SessionRunHook):
    """Sends a signal to this process after some steps, once or twice."""

    def __init__(self, number, times=1):
        self._left, self._number, self._times = 3, number, times

    def after_run(self, run_context, run_values):
        self._left -= 1
        if self._left == 0:
            for _ in range(self._times):
                os.kill(os.getpid(), self._number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_a_checkpoint_and_stops(run, number):
    before = signal.getsignal(number)
    with pytest.raises(errors.InterruptedRunError) as caught:
        run(max_steps=1000, eval_every_steps=500, hooks=[lambda: SignalHook(number)])
    name = signal.Signals(number).name
    assert str(caught.value) == (
        f"Stopped by {name} at step 3; the checkpoint is saved. Run the same command again to go "
        "on."
    )
    assert caught.value.signal == number
    assert signal.getsignal(number) is before
    assert run(max_steps=4).step == 4


def test_a_second_signal_stops_at_once(run):
    with pytest.raises(errors.StoppedAtOnceError) as caught:
        run(max_steps=1000, hooks=[lambda: SignalHook(signal.SIGTERM, times=2)])
    assert caught.value.signal == signal.SIGTERM


class StoppedExporter(hub.LatestModuleExporter):
    """Gets a SIGTERM before it exports the first module."""

    def __init__(self, serving_input_fn):
        def signalling():
            os.kill(os.getpid(), signal.SIGTERM)
            return serving_input_fn()

        super().__init__("modules", signalling)


class StoppedInput(TextFile):
    """Gets a SIGTERM when it is evaluated on, once its `arm` made a hook for training."""

    armed = False

    def evaluation_fn(self, spec):
        input_fn = super().evaluation_fn(spec)

        def signalling():
            if self.armed:
                os.kill(os.getpid(), signal.SIGTERM)
            return input_fn()

        return signalling

    def arm(self):
        self.armed = True
        return tf.compat.v1.train.SessionRunHook()


def test_a_signal_during_the_last_evaluation_of_a_finished_run(
    run, trained_folder, tmp_path, monkeypatch
):
    export = hub.Module.export

    def stopped(*args, **kwargs):
        export(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(hub.Module, "export", stopped)
    with pytest.raises(errors.StoppedAtOnceError) as caught:
        run()
    assert caught.value.signal == signal.SIGTERM
    assert os.listdir(tmp_path / "model" / "export" / "modules") == []


def test_a_signal_during_an_evaluation_in_training(run, data_file):
    source = StoppedInput(data_file, batch_size=8)
    with pytest.raises(errors.InterruptedRunError, match="^Stopped by SIGTERM at step 2; the "):
        run(eval_input=source, eval_every_steps=2, hooks=[source.arm])


def test_a_signal_during_the_last_export_in_training(run, tmp_path):
    with pytest.raises(errors.InterruptedRunError, match="^Stopped by SIGTERM at step 4; the "):
        run(exporters=[StoppedExporter])
    assert len(os.listdir(tmp_path / "model" / "export" / "modules")) == 1


class Recorded:
    def __init__(self, fails=False):
        self.fails = fails

    def check_all_read(self):
        if self.fails:
            raise errors.UnreadBindingError("Nothing reads x.")

    def operative_text(self, model_dir):
        return "x = 1\n"


def test_settings_are_saved_and_shown(run, tmp_path):
    run(source=GinSource(Recorded(), {}), exporters=[])
    folder = tmp_path / "model"
    assert (folder / "operative_config.gin").read_text() == "x = 1\n"
    shown = [
        tf.make_ndarray(value.tensor).item()
        for path in folder.glob("events.*")
        for event in tf.compat.v1.train.summary_iterator(str(path))
        for value in event.summary.value
        if value.tag == "settings"
    ]
    assert shown == [b"    x = 1"]


def folder_message(run, error_type, tmp_path, **changes):
    """The message of a run that fails before it writes anything."""
    with pytest.raises(error_type) as caught:
        run(**changes)
    assert not (tmp_path / "model").exists()
    return str(caught.value)


def test_unread_settings_stop_the_run_before_it_writes(run, tmp_path):
    message = folder_message(
        run, errors.UnreadBindingError, tmp_path, source=GinSource(Recorded(fails=True), {})
    )
    assert message == "Nothing reads x."


@pytest.mark.parametrize(
    "name", ["max_steps", "eval_every_steps", "keep_checkpoints", "log_every_steps"]
)
def test_numbers(run, tmp_path, name):
    message = folder_message(run, errors.ModelError, tmp_path, **{name: 0})
    assert message == f"Experiment.{name} is 0; it must be at least 1."


def test_the_evaluation_data_is_checked_too(run, tmp_path):
    message = folder_message(
        run, errors.DataFileNotFoundError, tmp_path, eval_input=TextFile("nothing.csv")
    )
    assert message == "There is no data file 'nothing.csv'."


def test_a_model_folder_that_is_a_file(run, tmp_path):
    (tmp_path / "file").write_text("")
    model_dir = str(tmp_path / "file" / "model")
    with pytest.raises(errors.ModelFolderError) as caught:
        run(model_dir=model_dir)
    assert str(caught.value) == (
        f"The model folder {model_dir!r} cannot be made or used: {str(tmp_path / 'file')!r} is not "
        "a folder."
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to every folder")
def test_a_model_folder_that_cannot_be_written(run, tmp_path):
    (tmp_path / "locked").mkdir(mode=0o555)
    with pytest.raises(errors.ModelFolderError, match=r"locked' cannot be written to\.$"):
        run(model_dir=tmp_path / "locked" / "model")


def test_a_checkpoint_of_another_model(run, make_regression, trained_folder, tmp_path):
    with pytest.raises(errors.ModelFolderError) as caught:
        run(model=make_regression(layers=DenseLayers(units=[5])))
    assert str(caught.value) == (
        f"The model folder {str(tmp_path / 'model')!r} has a checkpoint of another model: the "
        "variable 'hidden_0/kernel' of shape [4, 5] is with shape [4, 4]. Choose another model "
        "folder, or remove this one."
    )


def test_another_optimizer_needs_another_folder(run, make_regression, trained_folder):
    with pytest.raises(errors.ModelFolderError, match=r"of shape \[.*\] is not there\."):
        run(model=make_regression(optimization={"optimizer": tf.compat.v1.train.AdamOptimizer}))


def test_a_folder_whose_checkpoints_leave_frozen_variables_out(
    run, make_regression, examples, tmp_path
):
    model = make_regression(save_frozen=False)
    run(model=model, max_steps=2)
    again = run(model=model, max_steps=4)
    assert again.step == 4
    folder, output = tmp_path / "model", tmp_path / "out.csv"
    [found] = runs.evaluate(folder, model, examples)
    assert found["loss"] == pytest.approx(again.metrics["loss"])
    assert runs.predict(folder, examples.path, output, model, examples).num_rows == 64
    made = runs.export(folder, tmp_path / "module", model)
    assert made.modules == (f"{tmp_path}/module/text",)


class KilledExporter(hub.LatestModuleExporter):
    """Dies before it exports anything."""

    def __init__(self, serving_input_fn):
        def dying():
            raise errors.StoppedAtOnceError(signal.SIGTERM)

        super().__init__("modules", dying)


def test_what_a_kill_in_an_export_left_undone_is_done_first(run, tmp_path):
    with pytest.raises(errors.StoppedAtOnceError):
        run(max_steps=6, eval_every_steps=2, exporters=[KilledExporter])
    run(max_steps=6, eval_every_steps=2)
    folder = ModelFolder(str(tmp_path / "model"))
    assert [each["step"] for each in folder.history().evaluations()] == [2, 4, 6]
    exported = sorted((tmp_path / "model/export/modules").glob("*/global_step"))
    assert [int(each.read_text()) for each in exported] == [2, 4, 6]
