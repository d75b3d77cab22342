"""`python -m hub_estimator.export_jobs` on a folder that a real training made."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf

from hub_estimator import export_jobs, layout, train
from hub_estimator.jobs import journal
from tests import text_data

JOBS = """
ExportJobs.jobs = [@modules/ExportJob(), @serving/ExportJob()]
ExportJobs.poll_secs = 0.2
ExportJob.model_dir = 'model'
modules/ExportJob.name = 'modules'
modules/ExportJob.choose = @Latest()
modules/ExportJob.destinations = [@Folder()]
modules/Folder.path = 'out/modules'
serving/ExportJob.name = 'serving'
serving/ExportJob.what = 'model'
serving/ExportJob.choose = @Best()
serving/Best.metric = 'accuracy'
serving/ExportJob.gates = [@AtLeast()]
AtLeast.metric = 'accuracy'
AtLeast.value = 0.0
AtLeast.evaluation = @Evaluation()
Evaluation.name = 'held_out'
Evaluation.bindings = ["EVAL_DATA = 'held_out.csv'"]
serving/ExportJob.destinations = [@NumberedFolder()]
serving/NumberedFolder.path = 'out/serving'
serving/ExportJob.then = ['sh', '-c', 'echo $EXPORT_JOB $EXPORT_STEP $EXPORT_PATH >> then.txt']
"""
ONE = JOBS.replace("[@modules/ExportJob(), @serving/ExportJob()]", "[@modules/ExportJob()]")
ONE = ONE[: ONE.index("serving/ExportJob.name")]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with `model`, of which there are the checkpoints of steps 2 and 4."""
    folder = text_data.write_both(tmp_path_factory.mktemp("trained"))
    text_data.write_data(folder / "held_out.csv", 16)
    bindings = [
        f"MODULE='{folder}/module'", f"TRAIN_DATA='{folder}/data.csv'",
        f"EVAL_DATA='{folder}/data.csv'", "MAX_STEPS=4", "Experiment.eval_every_steps=2",
        "Experiment.exporters=[]",
    ]  # fmt: skip
    flags = ["--gin_file=smoke.gin", *(f"--gin_bindings={binding}" for binding in bindings)]
    assert train.run(["train", *flags, f"--model_dir={folder}/model"]) == 0
    return folder


@pytest.fixture
def here(trained, tmp_path, monkeypatch):
    """A folder of its own with the model folder, to run jobs in."""
    shutil.copytree(trained / "model", tmp_path / "model")
    shutil.copy(trained / "held_out.csv", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*flags):
    return export_jobs.run(["export_jobs", "--gin_file=jobs.gin", *flags])


def start(*flags):
    command = [sys.executable, "-m", "hub_estimator.export_jobs", "--gin_file=jobs.gin", *flags]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)


def wait_for(condition, seconds=180):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def published(folder):
    """Returns the steps that the journal says were published, in order."""
    events = journal.read(str(folder / "jobs" / "journal.jsonl"))
    return [event["publication"]["step"] for event in events if event["event"] == "published"]


def check_module(path, checkpoint):
    assert layout.kind_of(str(path)) is layout.FolderKind.HUB_MODULE
    values = tf.train.load_variable(f"{path}/variables/variables", "embeddings")
    assert np.array_equal(values, tf.train.load_variable(checkpoint, "module/embeddings"))


def test_both_kinds_of_exports(here, capsys):
    (here / "jobs.gin").write_text(JOBS)
    assert run("--once") == 0
    modules, serving = capsys.readouterr().out.splitlines()
    [timestamp] = [name for name in os.listdir("out/modules") if name != "latest"]
    assert modules == f"modules: published: step 4 is published: {here}/out/modules/{timestamp}"
    check_module("out/modules/latest/text", "model/model.ckpt-4")
    assert os.readlink("out/modules/latest") == timestamp
    assert os.listdir("out/serving") == ["1"] and (here / "out/serving/1/saved_model.pb").is_file()
    with open("out/serving/1/publication.json") as file:
        about = json.load(file)
    assert serving == f"serving: published: step {about['step']} is published: {here}/out/serving/1"
    assert 0 <= about["evaluations"]["held_out"]["accuracy"] <= 1 and about["metrics"]
    assert (here / "then.txt").read_text() == f"serving {about['step']} {here}/out/serving/1\n"
    assert run("--once") == 0
    assert capsys.readouterr().out.splitlines() == [
        f"modules: not due: there is nothing new; {modules.removeprefix('modules: published: ')}",
        f"serving: not due: there is nothing new; {serving.removeprefix('serving: published: ')}",
    ]
    assert run("--status", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [(each["job"], each["result"]) for each in found] == [
        ("modules", "published"),
        ("serving", "published"),
    ]


@pytest.mark.one_tensorflow
def test_a_broken_job_is_named(here, capsys):
    (here / "jobs.gin").write_text(JOBS)
    shutil.rmtree("model/eval", ignore_errors=True)
    broken = "--gin_bindings=serving/Best.metric='auc_of_nothing'"
    better = "--gin_bindings=serving/Best.higher_is_better=True"
    assert run("--once", broken, better) == 1
    captured = capsys.readouterr()
    assert captured.out.startswith("modules: published: ")
    error = captured.err.splitlines()[-1]
    assert error.startswith(
        "error: 1 of 2 jobs that ran failed: 'serving': No evaluation in the model folder has the "
        "metric 'auc_of_nothing'. They have: accuracy, "
    )
    assert error.endswith(". They are tried again at the next run.")
    assert not os.path.exists("out/serving")
    assert run("--status", broken, better) == 0
    assert "serving: No evaluation in the model folder has the metric" in capsys.readouterr().out


@pytest.mark.one_tensorflow
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            "ExportJob.timeout_minutes = 0.001",
            "The process of 'model' (to export) took longer than 0.001 minutes and was stopped; its last ",
        ),
        (
            "ExportJob.gin_bindings = ['Encoder.export_name = None']",
            "The model has no module to export. Set Encoder.export_name or ",
        ),
        (
            "ExportJob.model_dir = 'out/..'",
            "The folder 'out/..' has no operative_config.gin. Give ",
        ),
    ],
)
def test_an_export_that_fails_leaves_nothing(here, capsys, settings, message):
    (here / "jobs.gin").write_text(f"{ONE}{settings}\n")
    os.mkdir("out")
    for path in (here / "model").glob("model.ckpt-4.*"):  # where a folder is a model folder by it
        shutil.copy(path, here)
    shutil.copy("model/checkpoint", here)
    assert run("--once") == 1
    assert f"'modules': {message}" in capsys.readouterr().err.splitlines()[-1]
    assert os.listdir("out") == [] and os.listdir("jobs/work") == []


@pytest.mark.one_tensorflow
def test_a_command_that_fails_is_told_and_run_again(here, capsys):
    then = "['sh', '-c', 'echo no nginx >&2; test -e nginx']"
    (here / "jobs.gin").write_text(f"{ONE}ExportJob.then = {then}\n")
    assert run("--once") == 1
    assert capsys.readouterr().err.splitlines()[-1] == (
        "error: 1 of 1 jobs that ran failed: 'modules': The command 'sh -c echo no nginx >&2; test "
        "-e nginx' ended with status 1: no nginx. What was published stays; the command is run "
        "again. They are tried again at the next run."
    )
    (here / "nginx").touch()
    assert run("--once") == 0 and published(here) == [4]
    (here / "jobs.gin").write_text(f"{ONE}ExportJob.then = ['not-there']\n")
    assert run("--once", "--now") == 0  # nothing is published, so nothing follows


@pytest.mark.one_tensorflow
@pytest.mark.parametrize("flags", [["--once"], []], ids=["once", "resident"])
def test_sigterm_undoes_the_export_at_hand(here, flags):
    (here / "jobs.gin").write_text(ONE)
    process = start(*flags)
    wait_for(lambda: list((here / "jobs").glob("work/.modules*")))
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=180)
    assert process.returncode == 143 and said.splitlines()[-1] == (
        "error: Stopped by SIGTERM. Nothing is half-done; run the same command again to go on."
    )
    assert not os.path.exists("out") and os.listdir("jobs/work") == []
    assert os.listdir("model") and not list((here / "model").glob(".*tmp*"))


@pytest.mark.one_tensorflow
def test_a_second_process_is_told_who_has_the_jobs(here, capsys):
    (here / "jobs.gin").write_text(ONE)
    shutil.rmtree("model")
    process = start()
    try:
        wait_for(lambda: (here / "jobs" / ".lock.holder").exists())
        assert run("--once") == 1
        error = capsys.readouterr().err
        assert f"error: Somebody else runs the jobs in 'jobs': process {process.pid} on " in error
        assert run("--status") == 0
    finally:
        process.kill()
        process.communicate()
    assert run("--once") == 0  # the dead hold nothing
    # Whether or not the dead one had come to look.
    assert capsys.readouterr().out.endswith(" waits for a model folder in 'model'\n")


@pytest.mark.one_tensorflow
@pytest.mark.slow
def test_killed_at_random_moments_each_version_is_published_once(here):
    rounds = int(os.environ.get("HUB_ESTIMATOR_TEST_KILLS", "5"))
    (here / "jobs.gin").write_text(JOBS)
    moments = random.Random(15)
    longest = 4.0
    for _ in range(rounds):
        began = time.monotonic()
        process = start("--once", "--now")
        wait = moments.uniform(0, longest)
        try:
            process.communicate(timeout=wait)
            longest = max(1.0, time.monotonic() - began)  # it was done before
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.communicate()
            longest = min(60.0, longest * 1.5)
        for place in ("modules", "serving"):
            for version in (here / "out" / place).glob("[0-9]*"):
                assert (version / "publication.json").is_file()
    assert run("--once", "--now") == 0
    assert len(published(here)) == 2
    check_module("out/modules/latest/text", "model/model.ckpt-4")
    assert len(os.listdir("out/modules")) == 2 and os.listdir("out/serving") == ["1"]
    assert os.listdir("jobs/work") == []


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--now"], "--now is of --once: give that too."),
        (["--json"], "--json is of --status: give that too."),
        (["--once", "--status"], "Give one of them."),
    ],
)
def test_flags_that_do_not_go_together(flags, message, capsys):
    assert run(*flags) == 2
    assert message in capsys.readouterr().err


def test_it_is_told_what_jobs_there_are(here, capsys):
    assert export_jobs.run(["export_jobs"]) == 2
    assert "--gin_file" in capsys.readouterr().err
    (here / "jobs.gin").write_text("ExportJobs.state_dir = 'x'\n")
    assert run("--status") == 1
    assert "ExportJobs.jobs" in capsys.readouterr().err
    (here / "jobs.gin").write_text(f"{ONE}AtLeast.value = 1\n")
    assert run("--status") == 1
    assert "AtLeast.value" in capsys.readouterr().err
