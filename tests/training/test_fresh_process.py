"""Runs in processes of their own."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

import pytest

from hub_estimator import errors, training
from hub_estimator.training.model_folder.model_folder import ModelFolder
from tests import text_data

TEXT = """
include 'smoke.gin'
MODULE = 'module'
TRAIN_DATA = 'data.csv'
EVAL_DATA = 'data.csv'
"""
LEAN = "\n".join([TEXT, *text_data.LEAN])
pytestmark = pytest.mark.one_tensorflow


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fresh")
    text_data.write_module(folder / "module")
    text_data.write_data(folder / "data.csv")
    return folder


@pytest.fixture(autouse=True)
def in_folder(here, monkeypatch):
    monkeypatch.chdir(here)


@pytest.fixture(scope="module")
def trained(here):
    before = os.getcwd()
    os.chdir(here)
    try:
        log = here / "log.txt"
        return training.run_in_fresh_process(TEXT, "model", log_path=log), log.read_text()
    finally:
        os.chdir(before)


def test_a_run(trained):
    result, log = trained
    assert isinstance(result, training.Result)
    assert (
        result.step == 20 and result.model_dir == "model" and 0 <= result.metrics["accuracy"] <= 1
    )
    [module] = result.modules
    assert os.path.isfile(f"{module}/tfhub_module.pb")
    assert list(result.exports) == ["module", "best_module"] and result.early_end is None
    assert result.best["step"] in (10, 20) and result.objective == "accuracy"
    assert "step 20 of 20" in log and "Traceback" not in log and "Fatal" not in log


def test_the_other_verbs(trained):
    settings = "include 'model/operative_config.gin'"
    best = training.CheckpointChoice("best", training.Objective("accuracy"))
    [found] = training.run_in_fresh_process(
        settings, "model", "evaluate", checkpoints=best, name="x", log_path="log"
    )
    assert found["accuracy"] == max(
        each["accuracy"] for each in ModelFolder("model").history().evaluations()
    )
    made = training.run_in_fresh_process(
        settings, "model", "predict", input_path="data.csv", output_path="o.csv", log_path="log"
    )
    assert made.path == "o.csv" and made.step == 20 and made.num_rows == 64
    made = training.run_in_fresh_process(
        settings, "model", "export", export_path="out", what="modules", log_path="log"
    )
    assert made.path == "out" and made.modules == ("out/text",)
    speed = training.run_in_fresh_process(settings, "model", "rows_per_second", log_path="log")
    assert isinstance(speed, float) and speed > 0
    with pytest.raises(errors.UnreadBindingError, match="Nothing reads this setting: BACTH_SIZE "):
        training.run_in_fresh_process(
            settings, "model", "rows_per_second", ["BACTH_SIZE = 8"], log_path="log"
        )


def test_a_run_that_ends_early():
    stopping = ["early_stopping = @EarlyStopping()", "eval_every_steps = 1"]
    bindings = [f"Experiment.{setting}" for setting in stopping]
    bindings += ["EarlyStopping.patience = 1", "EarlyStopping.min_delta = 1e6"]
    result = training.run_in_fresh_process(LEAN, "early", gin_bindings=bindings, log_path="log")
    assert result.step == 2 and str(result.early_end) == (
        "at step 2 of 20: loss has not improved for 1 evaluation, since that of step 1 "
        "(EarlyStopping.patience is 1)"
    )


def test_bindings_override_the_text():
    result = training.run_in_fresh_process(
        LEAN, "short", gin_bindings=["MAX_STEPS = 2"], log_path="log"
    )
    assert result.step == 2


@pytest.mark.parametrize(
    ("text", "error_type", "message"),
    [
        ("MODULE", errors.ConfigError, "the gin text"),
        (f"{TEXT}MAX_STEPS = 0", errors.InvalidSettingError, "Experiment.max_steps is 0; it must"),
        (f"{TEXT}EVAL_DATA = 'no'", errors.DataFileNotFoundError, "There is no data file 'no'."),
    ],
)
def test_errors_have_their_class(text, error_type, message):
    with pytest.raises(errors.Error) as caught:
        training.run_in_fresh_process(text, "none", log_path="log")
    assert type(caught.value) is error_type and message in str(caught.value)
    assert "/experiment.gin" not in str(caught.value) and not os.path.exists("none")


def test_faults_are_told_apart():
    with pytest.raises(errors.FreshProcessError) as caught:
        training.run_in_fresh_process(TEXT, "none", "predict", log_path="faults", colour="red")
    assert str(caught.value).startswith("The run failed: TypeError: predict() got an unexpected ")
    assert "Traceback" in pathlib.Path("faults").read_text()


def test_a_checkpoint_that_cannot_be_passed_on():
    with pytest.raises(errors.InvalidSettingError) as caught:
        training.run_in_fresh_process(TEXT, "none", "predict", checkpoint="best")
    assert str(caught.value) == ("checkpoint is 'best'; give a fresh process a CheckpointChoice.")


def test_what_is_no_verb():
    with pytest.raises(errors.InvalidSettingError) as caught:
        training.run_in_fresh_process(TEXT, "none", "sing")
    assert str(caught.value) == (
        "The verb is 'sing'; it must be one of 'train_and_evaluate', 'evaluate', 'predict', 'export', "
        "'rows_per_second'."
    )


ENDLESS = ["MAX_STEPS = 1000000000", "Experiment.eval_every_steps = 1000000"]


def test_a_time_limit():
    with pytest.raises(errors.FreshProcessError) as caught:
        training.run_in_fresh_process(
            LEAN, "long", gin_bindings=ENDLESS, timeout_secs=8, log_path="log"
        )
    assert str(caught.value) == (
        "The run in 'long' took longer than 8 seconds and was stopped. Give it more; a training "
        "goes on from its last checkpoint."
    )


def test_another_thread_stops_it():
    stopping = threading.Event()
    timer = threading.Timer(1.0, stopping.set)
    timer.start()
    with pytest.raises(errors.InterruptedRunError) as caught:
        training.run_in_fresh_process(
            TEXT, "stopped", gin_bindings=ENDLESS, stopping=stopping, log_path="log"
        )
    assert str(caught.value) == (
        "The run in 'stopped' was stopped. Run it again; a training goes on from its last checkpoint."
    )
    assert caught.value.signal == signal.SIGTERM


PARENT = """
import signal
from hub_estimator import training
signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs the tests may ignore it
training.run_in_fresh_process({text!r}, {name!r}, gin_bindings={bindings!r}, log_path="{name}.log")
"""


def wait_for(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def child_of(pid):
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [int(each) for each in found.stdout.split()]


@pytest.fixture
def parent(request):
    """A process that waits for a run without end, in a model folder called as the test is."""
    name = request.node.name
    program = PARENT.format(text=LEAN, name=name, bindings=ENDLESS)
    process = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True)
    try:
        log = pathlib.Path(f"{name}.log")
        wait_for(lambda: log.exists() and " steps/s" in log.read_text())
        yield process
    finally:
        process.kill()
        process.wait()


def test_the_run_ends_with_the_process_that_started_it(parent, request):
    [child] = child_of(parent.pid)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    wait_for(lambda: not os.path.exists(f"/proc/{child}"))
    assert ModelFolder(request.node.name).latest().step > 0


KILLED = (
    "FreshProcessError: The process of the run in '{name}' was ended by SIGKILL, without an answer. Its "
    "last words are in '{name}.log'. Too little memory is the usual reason."
)
STOPPED = "InterruptedRunError: Stopped by SIGTERM at step "


@pytest.mark.parametrize(
    ("number", "message"),
    [(signal.SIGKILL, KILLED), (signal.SIGTERM, STOPPED)],
    ids=["killed", "stopped"],
)
def test_a_process_that_is_ended(parent, number, message, request):
    [child] = child_of(parent.pid)
    os.kill(child, number)
    _, said = parent.communicate(timeout=180)
    assert parent.returncode == 1
    assert message.format(name=request.node.name) in said.splitlines()[-1]


def test_ctrl_c_saves_a_checkpoint(parent, request):
    parent.send_signal(signal.SIGINT)
    _, said = parent.communicate(timeout=180)
    assert said.splitlines()[-1] == "KeyboardInterrupt"
    log = pathlib.Path(f"{request.node.name}.log").read_text()
    assert "Fatal" not in log and ModelFolder(request.node.name).latest().step > 0
