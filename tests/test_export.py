"""The command `export`: from a model folder alone to a module, or to a model for serving."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from hub_estimator import export, train
from tests import text_data

ROOT = str(pathlib.Path(__file__).parent.parent)


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory):
    """The model folder of a run that fine-tuned a module without a name for exports."""
    folder = tmp_path_factory.mktemp("trained")
    text_data.write_module(folder / "module")
    text_data.write_data(folder / "data.csv")
    bindings = [
        f"MODULE='{folder}/module'", f"TRAIN_DATA='{folder}/data.csv'",
        f"EVAL_DATA='{folder}/data.csv'", "FINE_TUNE=True", "MAX_STEPS=4",
        "Experiment.eval_every_steps=2", "Encoder.export_name=None", "Experiment.exporters=[]",
        "Experiment.report=None",
    ]  # fmt: skip
    flags = ["--gin_file=smoke.gin", *(f"--gin_bindings={binding}" for binding in bindings)]
    assert train.run(["train", *flags, f"--model_dir={folder}/model"]) == 0
    return f"{folder}/model"


def run(model_dir, *flags):
    return export.run(["export", f"--model_dir={model_dir}", *flags])


def test_a_module(model_dir, tmp_path, capsys):
    name = "--gin_bindings=Encoder.export_name='mine'"
    assert run(model_dir, f"--export_path={tmp_path}/out", "--checkpoint=2", name) == 0
    assert capsys.readouterr().out == f"Exported module of step 2: {tmp_path}/out/mine\n"
    values = tf.train.load_variable(f"{tmp_path}/out/mine/variables/variables", "embeddings")
    expected = tf.train.load_variable(f"{model_dir}/model.ckpt-2", "module/embeddings")
    assert np.array_equal(values, expected)


def test_the_whole_model(model_dir, tmp_path, capsys):
    flags = ["--what=model", "--receives=examples", "--checkpoint=best"]
    assert run(model_dir, f"--export_path={tmp_path}/out", *flags) == 0
    assert capsys.readouterr().out.endswith(f": {tmp_path}/out\n")
    assert (tmp_path / "out" / "saved_model.pb").is_file()


def test_a_module_without_a_name(model_dir, tmp_path, capsys):
    assert run(model_dir, f"--export_path={tmp_path}/out") == 1
    assert capsys.readouterr().err.splitlines()[-1] == (
        "error: The model has no module to export. Set Encoder.export_name or Model.export_name, "
        "or the export_name of a feature column, or export the whole model for serving."
    )
    assert not list(tmp_path.iterdir())


# What kills it comes when there is something to leave: one folder of scratch here, one there.
KILLED = """
import os, signal, sys
from hub_estimator import export
from hub_estimator.training.exporters import export_records
export_records.write = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
export.run(sys.argv)
"""


def scratch_in(folder):
    return list(pathlib.Path(folder).glob(".*.tmp-*"))


def test_what_a_killed_export_left_goes(model_dir, tmp_path):
    flags = [f"--model_dir={model_dir}", "--what=model"]
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, *flags, f"--export_path={tmp_path}/1"],
        check=False, env={**os.environ, "PYTHONPATH": ROOT},
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL
    left = [*scratch_in(model_dir), *scratch_in(tmp_path)]
    assert [path.name.split(".tmp-")[0] for path in left] == [".model.ckpt-4", ".1"]
    # This machine knows that the process is dead; what another one made may still be at work.
    elsewhere = tmp_path / ".1.tmp-00000000-1-0123abcd"
    elsewhere.mkdir()
    assert export.run(["export", *flags, f"--export_path={tmp_path}/2"]) == 0
    assert [*scratch_in(model_dir), *scratch_in(tmp_path)] == [elsewhere]
    os.utime(elsewhere, (1.0, 1.0))
    assert export.run(["export", *flags, f"--export_path={tmp_path}/3"]) == 0
    assert [*scratch_in(model_dir), *scratch_in(tmp_path)] == []


def test_flags(model_dir, capsys):
    assert run(model_dir) == 2
    assert "export_path" in capsys.readouterr().err
    assert run(model_dir, "--export_path=x", "--what=all") == 2
    assert run(model_dir, "--help") == 0
    assert "python -m hub_estimator.export" in capsys.readouterr().out
