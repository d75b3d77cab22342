"""Strategies over CPU devices in sessions, where TensorFlow's default would wait for ever."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest
import tensorflow as tf

from hub_estimator.compat import reductions
from tests.compat.programs import environment

PROGRAM = pathlib.Path(__file__).parent / "two_replicas.py"
TRAINED = "2 replicas, rmse 0.010"
CHOICES = "CollectiveAllReduce ReductionToOneDevice CollectiveAllReduce"
CASES = {
    "eager": ["train", "eval", "both", "v1", "all_devices", "central_storage", "choices"],
    "graph": ["before_graph_mode", "in_graph_mode"],
    "installed": ["installed"],
}


@pytest.mark.parametrize("mode", CASES)
def test_two_cpu_devices_train(tmp_path, mode):
    result = subprocess.run(
        [sys.executable, str(PROGRAM), str(tmp_path), *CASES[mode]],
        env=environment(), capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    outcomes = {case: CHOICES if case == "choices" else TRAINED for case in CASES[mode]}
    assert result.stdout.splitlines() == [f"{case}: {outcomes[case]}" for case in CASES[mode]], (
        result.stderr
    )


def test_what_a_strategy_was_told_stays():
    reductions.reduce_to_one_device_in_sessions()
    told = tf.distribute.HierarchicalCopyAllReduce()
    strategy = tf.distribute.MirroredStrategy(["/cpu:0"], cross_device_ops=told)
    assert strategy.extended._get_cross_device_ops(tf.constant(1.0)) is told
