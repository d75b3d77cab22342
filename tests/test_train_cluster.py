"""The command `hub_estimator.train` as the tasks of a cluster, real processes under `TF_CONFIG`."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import time

import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import compat
from tests import modules, text_data
from tests.training.conftest import export
from tests.training.feature_cache import divided_modules

pytestmark = pytest.mark.slow
ROOT = str(pathlib.Path(__file__).parent.parent)
DEADLINE_SECS = 240


@pytest.fixture
def folder(tmp_path):
    """A folder with a module of words, `module`, and data, `data.csv`."""
    export(hub.create_module_spec(divided_modules.words_fn), tmp_path / "module")
    text_data.write_data(tmp_path / "data.csv")
    return tmp_path


def free_addresses(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for listener in sockets:
            listener.bind(("127.0.0.1", 0))
        return [f"127.0.0.1:{listener.getsockname()[1]}" for listener in sockets]


def start(folder, cluster, task, *more):
    settings = {"MODULE": "module", "TRAIN_DATA": "data.csv", "EVAL_DATA": "data.csv"}
    bindings = [f"--gin_bindings={name}={value!r}" for name, value in settings.items()]
    tf_config = {"cluster": cluster, "task": {"type": task, "index": 0}}
    with open(folder / f"{task}.log", "w") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "hub_estimator.train", "--gin_file=smoke.gin", *bindings,
             "--gin_bindings=FINE_TUNE=True", "--model_dir=model", *more],
            env={
                **os.environ, "PYTHONPATH": ROOT, "XDG_CACHE_HOME": "cache",
                "TF_CONFIG": json.dumps(tf_config),
            },
            cwd=folder, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip


def wait_for_checkpoint(folder, deadline):
    while not (folder / "model" / "checkpoint").exists():
        assert time.monotonic() < deadline, (folder / "chief.log").read_text()
        time.sleep(0.1)


def finished(folder, processes, tasks, deadline):
    """Waits for tasks that are to end well."""
    for task in tasks:
        status = processes[task].wait(max(0.0, deadline - time.monotonic()))
        assert status == 0, (folder / f"{task}.log").read_text()


def rows_once_fn():
    """As `text_data.module_fn`, but the gradient has each row once: batches differ in how many."""
    text = tf.compat.v1.placeholder(tf.string, [None])
    table = tf.compat.v1.get_variable("embeddings", [64, 4])
    rows, places = tf.unique(tf.strings.to_hash_bucket_fast(text, 64))
    vectors = tf.gather(tf.gather(table, rows), places)
    hub.add_signature(inputs={"text": text}, outputs=vectors)


@pytest.mark.skipif(compat.ships_estimator(), reason="TensorFlow cannot tell tasks apart there")
def test_workers_that_mirror_the_variables(tmp_path):
    module = hub.create_module_spec(rows_once_fn)
    modules.export(hub, module, str(tmp_path / "module"))
    lines = [f"text{number * number % 61},{number % 2}" for number in range(64)]
    (tmp_path / "data.csv").write_text("\n".join(["text,label", *lines]))
    tasks = "chief", "worker"
    cluster = {task: [address] for task, address in zip(tasks, free_addresses(2), strict=True)}
    mirrored = "Experiment.distribute=@MultiWorkerMirroredStrategy"
    often = "Experiment.eval_every_steps=4", "Experiment.keep_checkpoints=2"
    more = [f"--gin_bindings={setting}" for setting in (mirrored, *often, *text_data.LEAN)]
    processes = {}
    try:
        for task in tasks:
            processes[task] = start(tmp_path, cluster, task, *more)
        finished(tmp_path, processes, tasks, time.monotonic() + DEADLINE_SECS)
    finally:
        for process in processes.values():
            process.kill()
            process.wait()
    # Nobody evaluates here: as many more wait for that.
    kept = {path.name for path in (tmp_path / "model").glob("model.ckpt-*.index")}
    assert kept == {f"model.ckpt-{step}.index" for step in (8, 12, 16, 20)}
    assert "step 20 of 20, " in (tmp_path / "worker.log").read_text()


def test_chief_worker_parameter_server_and_evaluator(folder):
    addresses = free_addresses(3)
    cluster = {
        task: [address] for task, address in zip(("chief", "worker", "ps"), addresses, strict=True)
    }
    deadline = time.monotonic() + DEADLINE_SECS
    processes = {}
    try:
        for task in ("ps", "chief", "evaluator"):
            processes[task] = start(folder, cluster, task)
        # A worker that finds the model not yet initialized waits for half a minute.
        wait_for_checkpoint(folder, deadline)
        processes["worker"] = start(folder, cluster, "worker")
        finished(folder, processes, ("chief", "worker", "evaluator"), deadline)
    finally:
        for process in processes.values():
            process.kill()
            process.wait()
    lines = (folder / "model" / "metrics.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["step"] >= 20
    assert list((folder / "model" / "export" / "module").glob("*/text/tfhub_module.pb"))
    assert (folder / "model" / "report" / "report.md").exists()
    assert "accuracy " in (folder / "evaluator.log").read_text()
    # They train and evaluate on the same data: one of them computed the words of all texts.
    logs = {task: (folder / f"{task}.log").read_text() for task in processes}
    computed = [task for task, log in logs.items() if "computed what encoder " in log]
    assert len(computed) == 1 and computed != ["ps"], logs
