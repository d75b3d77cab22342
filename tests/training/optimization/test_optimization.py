"""One training step: what is updated, by how much, and from when on."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import tensorflow as tf

from hub_estimator import config, errors
from hub_estimator.training import configurables
from hub_estimator.training.optimization.groups import VariableGroup
from hub_estimator.training.optimization.optimization import Optimization
from hub_estimator.training.optimization.schedules import linear_decay
from tests.training.optimization.known_problem import BODY, HEAD, make_variables, trained, values

tf1 = tf.compat.v1
DESCENT, ADAM = tf1.train.GradientDescentOptimizer, tf1.train.AdamOptimizer


def adam(value, gradients, rate, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """The values of a variable after each step of Adam, as its paper has it."""
    first = second = np.zeros_like(value)
    history = [value]
    for number, gradient in enumerate(gradients, 1):
        first = beta1 * first + (1 - beta1) * gradient
        second = beta2 * second + (1 - beta2) * gradient**2
        corrected = rate * np.sqrt(1 - beta2**number) / (1 - beta1**number)
        value = value - corrected * first / (np.sqrt(second) + epsilon)
        history.append(value)
    return history


def adam_on_itself(value, rate, steps):
    """Adam where each value is its own gradient."""
    gradients = []
    for _ in range(steps):
        gradients.append(adam(value, gradients, rate)[-1])
    return adam(value, gradients, rate)


def close(history, name, expected):
    np.testing.assert_allclose([each[name] for each in history], expected, rtol=1e-5)


def test_the_multiplier_with_gradient_descent():
    history = trained(Optimization(DESCENT, 0.1), 3, {"multiplier": 0.5})
    close(history, "head", [HEAD * 0.9**step for step in range(4)])
    close(history, "body/weights", [BODY * 0.95**step for step in range(4)])
    assert [each["global_step"] for each in history] == [0, 1, 2, 3]


def test_the_multiplier_with_adam():
    # Adam forgets the scale of gradients: to scale these instead would change nothing.
    history = trained(Optimization(ADAM, 0.1), 3, {"multiplier": 0.01})
    close(history, "head", adam_on_itself(HEAD, 0.1, 3))
    close(history, "body/weights", adam_on_itself(BODY, 0.001, 3))


def test_the_names_of_what_optimizers_keep():
    (start,) = trained(Optimization(ADAM, 0.1), 0, {"multiplier": 0.1})
    assert sorted(start) == [
        "beta1_power",
        "beta2_power",
        "body/weights",
        "body/weights/Adam",
        "body/weights/Adam_1",
        "global_step",
        "head",
        "head/Adam",
        "head/Adam_1",
        "optimizers/body/beta1_power",
        "optimizers/body/beta2_power",
    ]


def test_a_plain_group_changes_no_name():
    (start,) = trained(Optimization(ADAM, 0.1), 0, {})
    assert not [name for name in start if name.startswith("optimizers")]


def test_names_do_not_depend_on_where_the_operation_is():
    with tf.name_scope("somewhere"):
        (start,) = trained(Optimization(ADAM, 0.1), 0, {"multiplier": 0.1, "start_step": 1})
    assert "optimizers/body/beta1_power" in start


@pytest.mark.parametrize("resource", [True, False], ids=["resource", "ref"])
def test_nothing_of_a_group_changes_before_its_first_step(control_flow, resource):
    history = trained(Optimization(ADAM, 0.1), 4, {"start_step": 2}, resource=resource)
    body = [{k: v for k, v in each.items() if "body" in k} for each in history]
    assert len(body[0]) == 5
    for each in body[1:3]:
        for name, value in each.items():
            np.testing.assert_array_equal(value, body[0][name], err_msg=name)
    close(history[2:], "body/weights", adam_on_itself(BODY, 0.1, 2))
    close(history, "head", adam_on_itself(HEAD, 0.1, 4))


def table_model(slices: bool):
    """A table of which a step uses row 0 once and row 2 twice, and a head."""
    table = tf1.get_variable("table", initializer=tf.ones([3, 1]))
    head = tf1.get_variable("head", initializer=3.0)
    rows = tf.nn.embedding_lookup(table, [0, 2, 2]) if slices else table * [[1.0], [0.0], [2.0]]
    return table, 2 * head + tf.reduce_sum(rows)


@pytest.mark.parametrize("slices", [True, False], ids=["sparse", "dense"])
@pytest.mark.parametrize("start_step", [0, 1])
def test_clipping(slices, start_step):
    table, loss = table_model(slices)
    # The gradients are 2, of the head, and (1, 0, 2): together their norm is 3.
    groups = [VariableGroup("table", [table], start_step=start_step)]
    train_op = Optimization(DESCENT, 1.0, clip_norm=0.5).train_op(loss, groups)
    with tf1.Session() as session:
        session.run(tf1.global_variables_initializer())
        if start_step:
            session.run(train_op)  # only the head's gradient counts
            assert values(session)["head"] == pytest.approx(2.5)
            assert values(session)["table"].tolist() == [[1], [1], [1]]
            session.run(tf1.variables_initializer(tf1.trainable_variables()))
        session.run(train_op)
        after = values(session)
    assert after["head"] == pytest.approx(3 - 2 / 6)
    np.testing.assert_allclose(after["table"], [[1 - 1 / 6], [1], [1 - 2 / 6]], rtol=1e-5)


def test_no_clipping_of_small_gradients():
    history = trained(Optimization(DESCENT, 0.1, clip_norm=100), 1)
    close(history, "head", [HEAD, HEAD * 0.9])


@pytest.mark.parametrize("slices", [True, False], ids=["sparse", "dense"])
def test_a_table_that_starts_later(control_flow, slices):
    table, loss = table_model(slices)
    groups = [VariableGroup("table", [table], start_step=1)]
    momentum = functools.partial(tf1.train.MomentumOptimizer, momentum=0.5)
    train_op = Optimization(momentum, 0.1).train_op(loss, groups)
    with tf1.Session() as session:
        session.run(tf1.global_variables_initializer())
        history = []
        for _ in range(3):
            session.run(train_op)
            history.append(values(session)["table"][:, 0])
    np.testing.assert_allclose(history, [[1, 1, 1], [0.9, 1, 0.8], [0.75, 1, 0.5]], rtol=1e-6)


def test_warm_up_and_decay_together():
    optimization = Optimization(
        DESCENT, 0.4, decay=lambda rate, step: linear_decay(rate, step, 8), warm_up_steps=4
    )
    history = trained(optimization, 6, {"multiplier": 0.5})
    # 0.4 * min(1, (step + 1) / 4) * (1 - step / 8)
    rates = np.array([0.1, 0.175, 0.225, 0.25, 0.2, 0.15])
    heads = np.array([each["head"] for each in history])
    np.testing.assert_allclose(heads[1:] / heads[:-1], np.stack([1 - rates] * 2, 1), rtol=1e-5)
    bodies = np.array([each["body/weights"] for each in history])
    expected = np.stack([1 - rates / 2] * 2, 1)
    np.testing.assert_allclose(bodies[1:] / bodies[:-1], expected, rtol=1e-5)


def test_averages():
    history = trained(Optimization(DESCENT, 0.1, average_decay=0.2), 3)
    average, expected = HEAD, [HEAD]
    for step in range(3):
        decay = min(0.2, (1 + step) / (10 + step))
        average = decay * average + (1 - decay) * HEAD * 0.9 ** (step + 1)
        expected.append(average)
    close(history, "head/ExponentialMovingAverage", expected)
    close(history, "head", [HEAD * 0.9**step for step in range(4)])
    averages = [name for name in history[0] if name.endswith("Average")]
    assert sorted(averages) == [
        "body/weights/ExponentialMovingAverage",
        "head/ExponentialMovingAverage",
    ]


def test_the_update_ops_run_before():
    head, _ = make_variables()
    seen = tf1.get_variable("seen", initializer=[0.0, 0.0], trainable=False)
    tf1.add_to_collection(tf1.GraphKeys.UPDATE_OPS, seen.assign(head).op)
    train_op = Optimization(DESCENT, 0.1).train_op(tf.nn.l2_loss(head))
    with tf1.Session() as session:
        session.run(tf1.global_variables_initializer())
        session.run(train_op)
        np.testing.assert_array_equal(values(session)["seen"], HEAD)


EVERYTHING = Optimization(
    ADAM, 0.1, decay=lambda rate, step: linear_decay(rate, step, 8), warm_up_steps=3,
    clip_norm=1.0, average_decay=0.9,
)  # fmt: skip


@pytest.mark.parametrize("stop", [1, 2, 3])
def test_going_on_equals_not_stopping(tmp_path, stop):
    body = {"multiplier": 0.5, "start_step": 2}
    with tf.Graph().as_default():
        whole = trained(EVERYTHING, 4, body)[-1]

    def some_steps(number, restore):
        with tf.Graph().as_default():
            head, weights = make_variables()
            groups = [VariableGroup("body", [weights], **body)]
            train_op = EVERYTHING.train_op(tf.nn.l2_loss(head) + tf.nn.l2_loss(weights), groups)
            saver = tf1.train.Saver()
            with tf1.Session() as session:
                if restore:
                    saver.restore(session, str(tmp_path / "saved"))
                else:
                    session.run(tf1.global_variables_initializer())
                for _ in range(number):
                    session.run(train_op)
                saver.save(session, str(tmp_path / "saved"))
                return values(session)

    some_steps(stop, restore=False)
    resumed = some_steps(4 - stop, restore=True)
    assert resumed.keys() == whole.keys()
    for name, value in whole.items():
        np.testing.assert_array_equal(resumed[name], value, err_msg=name)


def summaries(body=None):
    """The points that TensorBoard shows of each of three steps."""
    head, weights = make_variables()
    groups = [] if body is None else [VariableGroup("body", [weights], **body)]
    with tf.name_scope("somewhere"):
        train_op = Optimization(DESCENT, 0.5).train_op(
            tf.nn.l2_loss(head) + tf.nn.l2_loss(weights), groups
        )
    merged = tf1.summary.merge_all()
    points = []
    with tf1.Session() as session:
        session.run(tf1.global_variables_initializer())
        for _ in range(3):
            content, _ = session.run([merged, train_op])  # together, as an Estimator does
            summary = tf1.Summary.FromString(content)
            points.append({each.tag: each.simple_value for each in summary.value})
    return points


def test_what_tensorboard_shows():
    first, *_ = summaries()
    assert first == {"learning_rate": 0.5, "gradient_norm": pytest.approx(np.sqrt(30))}


def test_what_tensorboard_shows_of_a_group():
    points = summaries({"multiplier": 0.5, "start_step": 1})
    assert [each["learning_rate/body"] for each in points] == [0, 0.25, 0.25]
    assert [each["learning_rate"] for each in points] == [0.5, 0.5, 0.5]
    norms = [np.sqrt(5), np.sqrt(5 / 4 + 25), np.sqrt(5 / 16 + 25 * 0.75**2)]
    assert [each["gradient_norm"] for each in points] == pytest.approx(norms)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"optimizer": None},
            (
                "Optimization.optimizer is None; give it what makes one, as in @AdagradOptimizer, "
                "without ()."
            ),
        ),
        (
            {"optimizer": ADAM()},
            (
                "Optimization.optimizer is @AdamOptimizer(); give it what makes one, as in "
                "@AdagradOptimizer, without ()."
            ),
        ),
        (
            {"decay": 0.9},
            "Optimization.decay is 0.9; give it what makes one, as in @linear_decay, without ().",
        ),
        ({"learning_rate": 0}, "Optimization.learning_rate is 0; it must be greater than 0."),
        ({"learning_rate": "a"}, "Optimization.learning_rate is 'a'; it must be a number."),
        ({"warm_up_steps": -1}, "Optimization.warm_up_steps is -1; it must be at least 0."),
        ({"clip_norm": 0.0}, "Optimization.clip_norm is 0.0; it must be greater than 0."),
        ({"average_decay": 1.0}, "Optimization.average_decay is 1.0; it must be less than 1."),
    ],
)
def test_settings(settings, message):
    with pytest.raises(errors.ModelError) as caught:
        Optimization(**{"optimizer": DESCENT, "learning_rate": 0.1, **settings})
    assert str(caught.value) == message


def test_nothing_trainable():
    with pytest.raises(errors.ModelError) as caught:
        Optimization(ADAM, 0.1).train_op(tf.constant(1.0))
    assert str(caught.value) == (
        "Nothing in the model is trainable. Give the model layers, or set Encoder.trainable = True."
    )


def test_a_loss_that_depends_on_nothing():
    make_variables()
    with pytest.raises(errors.ModelError) as caught:
        Optimization(ADAM, 0.1).train_op(tf.constant(1.0))
    assert str(caught.value) == (
        "The loss does not depend on any of the model's trainable variables. Check what the head "
        "makes of the logits."
    )


def test_a_group_that_the_loss_does_not_depend_on():
    head, weights = make_variables()
    groups = [VariableGroup("body", [weights], 0.5, 1)]
    train_op = Optimization(DESCENT, 0.1, clip_norm=1).train_op(tf.nn.l2_loss(head), groups)
    with tf1.Session() as session:
        session.run(tf1.global_variables_initializer())
        session.run(train_op)
        np.testing.assert_array_equal(values(session)["body/weights"], BODY)


@pytest.mark.parametrize(
    ("optimizer", "instead"),
    [
        ("Adam", "tf.compat.v1.train.AdamOptimizer, in gin files @AdamOptimizer"),
        ("AdamW", "hub_estimator.training.AdamWOptimizer, in gin files @AdamWOptimizer"),
        (
            "SGD",
            "tf.compat.v1.train.GradientDescentOptimizer, in gin files @GradientDescentOptimizer",
        ),
        ("Nadam", "tf.compat.v1.train.AdamOptimizer, in gin files @AdamOptimizer"),
    ],
)
def test_an_optimizer_of_keras_is_refused_with_what_to_take(optimizer, instead):
    made = getattr(tf.keras.optimizers, optimizer)
    for given in (made, made()):
        with pytest.raises(errors.InvalidSettingError) as caught:
            Optimization(given, 0.1)
        assert str(caught.value) == (
            f"Optimization.optimizer is {optimizer} of Keras; it must be an optimizer of TensorFlow "
            f"1. Give it {instead}."
        )


@pytest.mark.parametrize("written", ["@Adam", "@Adam()", "@tf.keras.Adam"])
def test_an_optimizer_of_keras_in_a_gin_file(written):
    configurables.register()
    bindings = [f"Optimization.optimizer = {written}", "Optimization.learning_rate = 0.1"]
    with (
        config.gin_session([], bindings) as session,
        pytest.raises(
            errors.InvalidSettingError, match=r"^Optimization.optimizer is Adam of Keras"
        ),
    ):
        session.call("Optimization")
