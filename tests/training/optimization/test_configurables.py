"""Optimization from gin files: every optimizer and every schedule that they can name."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import tensorflow as tf

from hub_estimator import config
from hub_estimator.training import configurables
from tests.training.optimization.known_problem import BODY, HEAD, trained

OPTIMIZERS = {
    "AdadeltaOptimizer": "",
    "AdagradOptimizer": "",
    "AdamOptimizer": "",
    "AdamWOptimizer": "AdamWOptimizer.weight_decay = 0.1",
    "FtrlOptimizer": "",
    "GradientDescentOptimizer": "",
    "MomentumOptimizer": "MomentumOptimizer.momentum = 0.9",
    "ProximalAdagradOptimizer": "",
    "ProximalGradientDescentOptimizer": "",
    "RMSPropOptimizer": "",
}
DECAYS = {
    "linear_decay": "linear_decay.steps = 100",
    "cosine_decay": "cosine_decay.steps = 100",
    "exponential_decay": "exponential_decay.steps = 100\nexponential_decay.factor = 0.1",
    "piecewise_decay": "piecewise_decay.boundaries = [50]\npiecewise_decay.factors = [0.1]",
}


def configured(*bindings):
    configurables.register()
    lines = [line for each in bindings for line in each.splitlines()]
    with config.gin_session([], lines) as session:
        made = session.call("Optimization")
        history = trained(made, 4, {"multiplier": 0.5, "start_step": 2})
        session.check_all_read()
    return history


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_trains_groups_of_variables(name):
    history = configured(
        f"Optimization.optimizer = @{name}", "Optimization.learning_rate = 0.1", OPTIMIZERS[name]
    )
    for before, after in itertools.pairwise(history):
        assert np.linalg.norm(after["head"] - before["head"]) > 0
    for each in history[:3]:
        for variable, value in each.items():
            if "body" in variable:
                np.testing.assert_array_equal(value, history[0][variable], err_msg=variable)
    assert np.linalg.norm(history[4]["body/weights"] - BODY) > 0


@pytest.mark.parametrize("name", DECAYS)
def test_every_schedule(name):
    history = configured(
        "Optimization.optimizer = @GradientDescentOptimizer",
        "Optimization.learning_rate = 0.1",
        f"Optimization.decay = @{name}",
        DECAYS[name],
    )
    assert history[1]["head"] == pytest.approx(HEAD * 0.9)


def test_every_optimizer_is_tested():
    names = set(configurables.OPTIMIZERS) | {"AdamWOptimizer"}
    assert names == set(OPTIMIZERS)
    of_tensorflow = {each for each in dir(tf.compat.v1.train) if each.endswith("Optimizer")}
    assert of_tensorflow - names == {
        "AdagradDAOptimizer",  # forgets initial values
        "Optimizer",  # the base class
        "SyncReplicasOptimizer",  # wraps another one, for parameter servers
    }
