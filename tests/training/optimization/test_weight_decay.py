"""AdamW: what decays, by how much, and from when on."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import tensorflow as tf

from hub_estimator import errors
from hub_estimator.training.optimization.optimization import Optimization
from hub_estimator.training.optimization.weight_decay import AdamWOptimizer
from tests.training.optimization.known_problem import BODY, HEAD, trained, values

tf1 = tf.compat.v1


def adamw(value, rate, decay, steps, gradient=lambda value: value):
    """The values after each step, as the paper has them (algorithm 2, with one rate for both)."""
    value, first, second = value.astype(np.float64), 0.0, 0.0
    history = [value]
    for number in range(1, steps + 1):
        slope = gradient(value)
        first = 0.9 * first + 0.1 * slope
        second = 0.999 * second + 0.001 * slope**2
        scaled = (first / (1 - 0.9**number)) / np.sqrt(second / (1 - 0.999**number))
        value = value - rate * (scaled + decay * value)
        history.append(value)
    return history


def close(history, name, expected):
    np.testing.assert_allclose([each[name] for each in history], expected, rtol=1e-5)


DECAYING = functools.partial(AdamWOptimizer, weight_decay=0.5)


@pytest.mark.parametrize("resource", [True, False], ids=["resource", "ref"])
def test_the_decay_is_scaled_by_the_rate_and_the_multiplier(resource):
    history = trained(Optimization(DECAYING, 0.1), 3, {"multiplier": 0.1}, resource=resource)
    close(history, "head", adamw(HEAD, 0.1, 0.5, 3))
    close(history, "body/weights", adamw(BODY, 0.01, 0.5, 3))


def test_no_decay_is_adam():
    (start, end), (_, expected) = (
        trained_apart(Optimization(optimizer, 0.1))
        for optimizer in (
            functools.partial(AdamWOptimizer, weight_decay=0),
            tf1.train.AdamOptimizer,
        )
    )
    np.testing.assert_array_equal(end["head"], expected["head"])
    assert {"head/AdamW", "head/AdamW_1", "beta1_power"} <= set(start)


def trained_apart(optimization):
    with tf.Graph().as_default():
        return trained(optimization, 1)


def test_a_decay_of_the_rate_given_as_a_function():
    (weights,) = variables("weights")
    train_op = AdamWOptimizer(lambda: 0.1, weight_decay=0.5).minimize(tf.nn.l2_loss(weights))
    assert after(train_op)["weights"] == pytest.approx(adamw(np.array(2.0), 0.1, 0.5, 1)[-1])


def variables(*names):
    return [tf1.get_variable(name, initializer=2.0) for name in names]


def after(train_op):
    with tf1.Session() as session:
        session.run(tf1.global_variables_initializer())
        session.run(train_op)
        return values(session)


PLAIN, DECAYED = 2 - 0.1, 2 - 0.1 - 0.1 * 0.5 * 2


@pytest.mark.parametrize(
    ("name", "decays"),
    [
        ("hidden_0/kernel", True),
        ("hidden_0/bias", False),
        ("conv/biases", False),
        ("encoder/batch_normalization/gamma", False),
        ("InceptionV3/BatchNorm/beta", False),
        ("layer_7/LayerNorm/scale", False),
        ("bias/part_0", False),
        ("bias", False),
        ("biased/weights", True),
        ("alphabeta", True),
    ],
)
def test_biases_and_normalization_do_not_decay(name, decays):
    (variable,) = variables(name)
    train_op = DECAYING(0.1).minimize(tf.nn.l2_loss(variable))
    assert after(train_op)[name] == pytest.approx(DECAYED if decays else PLAIN)


def test_own_exclusions():
    both = variables("a/bias", "b/kernel")
    optimizer = AdamWOptimizer(0.1, weight_decay=0.5, exclude=["^b/"])
    ended = after(optimizer.minimize(tf.add_n([tf.nn.l2_loss(each) for each in both])))
    assert ended["a/bias"] == pytest.approx(DECAYED)
    assert ended["b/kernel"] == pytest.approx(PLAIN)


def test_an_embedding_decays_as_if_its_gradient_were_dense():
    start = np.float32([[1], [2], [3]])
    tables = [tf1.get_variable(name, initializer=start) for name in ("sparse", "dense")]
    used = [tf.nn.embedding_lookup(tables[0], [2, 2, 0]), tables[1] * [[1.0], [0.0], [2.0]]]
    train_op = DECAYING(0.1).minimize(tf.add_n([tf.reduce_sum(each) for each in used]))
    ended = after(train_op)
    np.testing.assert_allclose(ended["sparse"], ended["dense"], rtol=1e-6)
    np.testing.assert_allclose(ended["sparse"], start * 0.95 - [[0.1], [0], [0.1]], rtol=1e-5)


def test_no_decay_before_the_first_step_of_a_group(control_flow):
    history = trained(Optimization(DECAYING, 0.1), 3, {"start_step": 2})
    for each in history[:3]:
        np.testing.assert_array_equal(each["body/weights"], BODY)
    close(history[2:], "body/weights", adamw(BODY, 0.1, 0.5, 1))


def test_the_gradient_is_of_the_weights_before_they_decay():
    # The loss has a second use of the variable, which must not see it half-way through the step.
    (weights,) = variables("weights")
    loss = tf.nn.l2_loss(weights) + weights * tf.stop_gradient(weights)
    train_op = DECAYING(0.1).minimize(loss)
    for _ in range(3):
        ended = after(train_op)
        assert ended["weights/AdamW"] == pytest.approx(0.1 * 4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"weight_decay": -1}, "AdamWOptimizer.weight_decay is -1; it must be at least 0."),
        ({"exclude": "bias"}, "AdamWOptimizer.exclude is 'bias'; give it a list, as in ['bias']."),
        (
            {"exclude": ["("]},
            (
                "AdamWOptimizer.exclude is ['(']; it must be regular expressions: missing ), "
                "unterminated subpattern at position 0."
            ),
        ),
        (
            {"exclude": [1]},
            (
                "AdamWOptimizer.exclude is [1]; it must be regular expressions: first argument must "
                "be string or compiled pattern."
            ),
        ),
    ],
)
def test_settings(settings, message):
    with pytest.raises(errors.ModelError) as caught:
        AdamWOptimizer(0.1, **settings)
    assert str(caught.value) == message
