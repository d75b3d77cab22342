"""Training steps under a strategy with two replicas, whose gradients of 1 and 3 add up to 4."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest

PROGRAM = pathlib.Path(__file__).parent / "mirrored_steps.py"
ROOT = PROGRAM.parent.parent.parent.parent


@pytest.fixture(scope="module")
def histories():
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    result = subprocess.run(
        [sys.executable, str(PROGRAM)],
        env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])


def check(history, head, body):
    assert [each["global_step"] for each in history] == [0, 1, 2, 3]
    assert [each["head"] for each in history] == pytest.approx(head, rel=1e-5)
    assert [each["body"][1] for each in history] == pytest.approx(body, rel=1e-5)


def test_the_multiplier(histories):
    check(histories["multiplier"], [1, 0.6, 0.2, -0.2], [1, 0.8, 0.6, 0.4])


def test_adam_with_a_multiplier(histories):
    # Of an unchanging gradient, each of Adam's steps is as long as the rate.
    check(histories["adam"], [1, 0.9, 0.8, 0.7], [1, 0.95, 0.9, 0.85])
    kept = {"beta1_power", "head/Adam_1", "optimizers/body/beta1_power", "body/Adam_1"}
    assert kept <= set(histories["adam"][0])


def test_a_later_start(histories):
    history = histories["late"]
    check(history, [1, 0.9, 0.8, 0.7], [1, 1, 1, 0.9])
    changing = {"global_step", "head", "head/Adam", "head/Adam_1", "beta1_power", "beta2_power"}
    for name in set(history[0]) - changing:
        assert history[0][name] == history[1][name] == history[2][name] != history[3][name]


def test_each_replica_is_clipped_to_its_share(histories):
    # Both gradients have two equal elements, and a norm greater than 1 / 2.
    length = 0.1 / 2**0.5
    expected = [1 - length * step for step in range(4)]
    check(histories["clipped"], expected, expected)


def test_weight_decay(histories):
    history = histories["decaying"]
    # The other replica's copy of `head` has another name, and is as little to decay.
    check(history, [1, 0.9, 0.8, 0.7], [1, 0.925, 0.851875, 0.780578125])
    unused = [each["body"][0] for each in history]
    assert unused == pytest.approx([0.975**step for step in range(4)])


def test_averages(histories):
    history = histories["averaged"]
    check(history, [1, 0.6, 0.2, -0.2], [1, 0.6, 0.2, -0.2])
    averages = [each["head/ExponentialMovingAverage"] for each in history]
    assert averages == pytest.approx([1, 0.64, 0.28, -0.104])


def test_slices_that_start_later_and_are_clipped(histories):
    length = 0.1 / 2**0.5
    heads = [1, 0.9, 0.9 - length, 0.9 - 2 * length]
    check(histories["sparse"], heads, [1, 1, 1 - length, 1 - 2 * length])
