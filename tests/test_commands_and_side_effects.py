"""The commands say what a module does beyond computing, and refuse it where that is set."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import predict, train
from tests import text_data

ROOT = str(pathlib.Path(__file__).parent.parent)
DOES = "does more than compute its outputs: with the tags set() it reads files (ReadFile 'read'). "
WARNING = DOES + (
    "Use it only if you trust its publisher; HUB_ESTIMATOR_REFUSE_SIDE_EFFECTS=1 refuses such modules."
)
REFUSAL = DOES + (
    "Such modules are refused here, by refuse_side_effects or HUB_ESTIMATOR_REFUSE_SIDE_EFFECTS. If "
    "you trust its publisher, load it without."
)


def _module_fn():
    text = tf.compat.v1.placeholder(tf.string, [None])
    with tf.control_dependencies([tf.io.read_file("/etc/hostname", name="read")]):
        rows = tf.strings.to_hash_bucket_fast(text, 8)
    table = tf.compat.v1.get_variable("embeddings", [8, 4])
    hub.add_signature(inputs={"text": text}, outputs=tf.nn.embedding_lookup(table, rows))


@pytest.fixture
def arguments(tmp_path):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        module = hub.Module(hub.create_module_spec(_module_fn))
        session.run(tf.compat.v1.global_variables_initializer())
        module.export(tmp_path / "module", session)
    text_data.write_data(tmp_path / "data.csv")
    data = str(tmp_path / "data.csv")
    settings = {"MODULE": str(tmp_path / "module"), "TRAIN_DATA": data, "EVAL_DATA": data}
    bindings = [f"--gin_bindings={name}={value!r}" for name, value in settings.items()]
    bindings += ["--gin_bindings=MAX_STEPS=2"]
    return ["--gin_file=smoke.gin", *bindings, f"--model_dir={tmp_path / 'model'}"]


def _prediction(tmp_path):
    return [
        f"--model_dir={tmp_path / 'model'}",
        f"--input={tmp_path / 'data.csv'}",
        f"--output={tmp_path / 'out.csv'}",
    ]


def test_training_and_predicting_say_so_once_each(arguments, tmp_path, capsys, monkeypatch):
    assert train.run(["train", *arguments]) == 0
    said = [line for line in capsys.readouterr().err.splitlines() if "does more" in line]
    assert [line.partition(" ")[2] for line in said] == [f"The module {tmp_path}/module {WARNING}"]
    # In a process that has not said it.
    done = subprocess.run(
        [sys.executable, "-m", "hub_estimator.predict", *_prediction(tmp_path)],
        check=False, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": ROOT},
    )  # fmt: skip
    said = [line for line in done.stderr.splitlines() if "does more" in line]
    assert [line.partition(" ")[2] for line in said] == [f"The module {tmp_path}/module {WARNING}"]
    assert done.returncode == 0
    monkeypatch.setenv("HUB_ESTIMATOR_REFUSE_SIDE_EFFECTS", "1")
    assert predict.run(["predict", *_prediction(tmp_path)]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == f"error: The module {tmp_path}/module {REFUSAL}"


def test_the_setting_refuses_before_anything_is_written(arguments, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("HUB_ESTIMATOR_REFUSE_SIDE_EFFECTS", "1")
    assert train.run(["train", *arguments]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == f"error: The module {tmp_path}/module {REFUSAL}"
    assert not (tmp_path / "model").exists()
