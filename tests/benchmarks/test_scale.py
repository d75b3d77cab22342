"""The benchmarks of scale, on something tiny."""

from __future__ import annotations

import glob
import os
import subprocess
import sys

import pytest
import tensorflow as tf

import hub_estimator as hub
from benchmarks.harness import ROOT
from benchmarks.programs import cluster_models, cluster_task, image_steps, streamed
from hub_estimator import training
from tests import modules
from tests.modules import tf1


def output(program, *arguments):
    ended = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{program}", *arguments],
        check=True, capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    return ended.stdout


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


@pytest.fixture
def image_module(tmp_path):
    def module_fn():
        images = tf1.placeholder(tf.float32, [None, 2, 2, 3])
        hub.add_signature(inputs={"images": images}, outputs=tf.reduce_mean(images, [1, 2]))

    return modules.export(hub, hub.create_module_spec(module_fn), str(tmp_path / "images"))


def test_steps_on_images(image_module):
    found = image_steps.measure(image_module, steps=9, count=8)
    assert set(found) == {"steps_per_second", "images_per_second", "cores"}
    assert found["images_per_second"] == 32 * found["steps_per_second"] > 0


def test_streamed_examples(tmp_path):
    assert 0.01 < streamed.write(str(tmp_path), 10) < 0.08  # 1 to 8 KB each
    found = streamed.measure(str(tmp_path), 10, 2)
    assert found["steps"] == 2 and min(found.values()) > 0


@pytest.mark.slow
def test_scale_prints_tables(image_module, tmp_path):
    given = "--steps=9", "--examples=8", "--times", "1", "--epochs", "1"
    places = f"--module={image_module}", f"--folder={tmp_path / 'scale'}"
    threads, memory = output("scale", *places, *given).split("\n\n")
    _, _, *rows = threads.splitlines()
    assert [cells(row)[0] for row in rows] == [
        "one core (`taskset`)", "one thread an operation, and one for operations", "as it is",
    ]  # fmt: skip
    assert cells(rows[0])[3] == "1.00"
    [row] = memory.splitlines()[2:]
    assert [cells(row)[place] for place in (0, 2, 3)] == ["8", "1", "1"]


@pytest.mark.parametrize(("kind", "is_frozen"), [("text", False), ("dense", True)])
def test_a_task_trains_a_model_and_writes_its_steps_down(tmp_path, kind, is_frozen):
    module, steps = str(tmp_path / "module"), tmp_path / "steps"
    cluster_models.publish(kind, 0.05, module)
    size = sum(map(os.path.getsize, glob.glob(f"{module}/variables/*.data-*")))
    assert size / (1 << 20) == pytest.approx(0.05, rel=0.1)
    made = cluster_task.experiment(module, is_frozen, "alone", 4, 0.0, str(steps), steps=3)
    assert training.train_and_evaluate(made, tmp_path / "model").step == 3
    assert len(steps.read_text().splitlines()) == 3
    assert made.model.encoders[0].is_frozen == is_frozen


@pytest.mark.slow
def test_clusters_print_a_table(tmp_path):
    given = "--strategies", "parameter_server", "--workers", "1", "--models", "dense:0.1"
    times = "--wait=0.05", "--secs=5"
    _, _, alone, server = output("clusters", f"--folder={tmp_path}", *given, *times).splitlines()
    assert cells(alone)[:3] == ["alone", "1", "dense, 0.1 MiB"] and cells(alone)[4] == "1.00"
    assert cells(server)[:3] == ["parameter_server", "1", "dense, 0.1 MiB"]
    assert float(cells(server)[6]) > 0.1  # all of it to the worker, and its gradients back
