"""Evaluations that share a graph: they find what an Estimator's own do."""

from __future__ import annotations

import glob

import pytest
import tensorflow as tf

from hub_estimator import compat
from hub_estimator.training.running.kept_evaluation import keeping_evaluation


def input_fn():
    return tf.data.Dataset.from_tensor_slices(([1.0, 2.0, 3.0], [1.0, 0.0, 1.0])).batch(2)


class Modelling:
    """A `model_fn` that counts how often it builds an evaluation, and adds what a test asks for."""

    def __init__(self, **added):
        self.built = 0
        self._added = added

    def __call__(self, features, labels, mode):
        self.built += mode == "eval"
        weight = tf.compat.v1.get_variable("weight", [], initializer=tf.zeros_initializer())
        table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer([1], [0.5]), 0.0)
        noise = tf.random.uniform([]) * table.lookup(tf.constant(1))
        predicted = weight * features + noise
        loss = tf.reduce_mean(tf.square(predicted - labels))
        step = tf.compat.v1.train.get_global_step()
        train_op = tf.group(weight.assign_add(1.0), step.assign_add(1))
        keras_mean = compat.legacy_keras().metrics.Mean()
        keras_mean.update_state(predicted)
        metrics = {
            "error": tf.compat.v1.metrics.mean_absolute_error(labels, predicted),
            "predicted": keras_mean,
        }
        added = {name: make() for name, make in self._added.items() if mode == "eval"}
        metrics.update(added.pop("metrics", {}))
        return compat.estimator_module().EstimatorSpec(
            mode, loss=loss, train_op=train_op, eval_metric_ops=metrics, **added
        )


@pytest.fixture
def trained(tmp_path):
    """Trains two steps; returns the Estimator, with what it is made of."""

    def train(**added):
        api = compat.estimator_module()
        model_fn = Modelling(**added)
        config = api.RunConfig(tf_random_seed=7, save_checkpoints_steps=1)
        estimator = api.Estimator(model_fn, str(tmp_path / "model"), config)
        estimator.train(lambda: input_fn().repeat(), steps=2)
        return estimator, model_fn

    return train


def steps(estimator):
    return [f"{estimator.model_dir}/model.ckpt-{step}" for step in (1, 2, 1)]


def of_tensorboard(estimator):
    """Returns what TensorBoard shows of evaluations: numbers and texts by step and tag."""
    found = {}
    for path in sorted(glob.glob(f"{estimator.eval_dir()}/events*")):
        for event in tf.compat.v1.train.summary_iterator(path):
            for value in event.summary.value:
                number = value.simple_value if value.WhichOneof("value") == "simple_value" else None
                shown = value.tensor.string_val[0] if number is None else number
                found[event.step, value.tag] = shown
    return found


def test_each_finds_what_the_estimator_itself_does(trained):
    estimator, model_fn = trained()
    own = [estimator.evaluate(input_fn, checkpoint_path=path) for path in steps(estimator)]
    shown = of_tensorboard(estimator)
    tf.io.gfile.rmtree(estimator.eval_dir())
    tf.compat.v1.summary.FileWriterCache.clear()
    before = model_fn.built
    with keeping_evaluation(estimator, input_fn):
        found = [estimator.evaluate(input_fn, checkpoint_path=path) for path in steps(estimator)]
        assert estimator.evaluate(input_fn) == found[1]  # the latest one
    assert found == own and found[0] != found[1]
    assert [{type(value) for value in each.values()} for each in found] == [
        {type(value) for value in each.values()} for each in own
    ]
    assert of_tensorboard(estimator) == shown
    assert model_fn.built == before + 1
    estimator.evaluate(input_fn)
    assert model_fn.built == before + 2


@pytest.mark.parametrize(
    "added",
    [
        {"evaluation_hooks": lambda: [tf.compat.v1.train.SessionRunHook()]},
        {"scaffold": lambda: tf.compat.v1.train.Scaffold(
            local_init_op=tf.compat.v1.local_variables_initializer())},
        {"metrics": lambda: {"vector": tf.compat.v1.metrics.mean_tensor([1.0, 2.0])}},
    ],
    ids=["hooks", "local_init_op", "no number"],
)  # fmt: skip
def test_what_is_no_plain_evaluation_is_evaluated_as_ever(trained, added):
    estimator, model_fn = trained(**added)
    paths = steps(estimator)
    with keeping_evaluation(estimator, input_fn):
        found = [estimator.evaluate(input_fn, checkpoint_path=path) for path in paths]
    assert [each["global_step"] for each in found] == [1, 2, 1]
    assert model_fn.built == 1 + len(paths)


def test_a_metric_that_an_estimator_has_itself(trained):
    estimator, _ = trained(metrics=lambda: {"loss": tf.compat.v1.metrics.mean(1.0)})
    with (
        keeping_evaluation(estimator, input_fn),
        pytest.raises(ValueError, match='Metric with name "loss" is not allowed'),
    ):
        estimator.evaluate(input_fn)


def test_other_examples_and_a_number_of_batches(trained):
    estimator, model_fn = trained()

    def others():
        return input_fn().take(1)

    with keeping_evaluation(estimator, input_fn):
        first = estimator.evaluate(others)
        assert estimator.evaluate(input_fn, steps=1) == first != estimator.evaluate(input_fn)
    assert model_fn.built == 3


def test_examples_that_are_looked_up_in_a_table(trained):
    estimator, _ = trained()
    keys = [str(number) for number in range(50_000)]

    def looked_up():
        values = tf.lookup.KeyValueTensorInitializer(keys, [float(key) for key in keys])
        table = tf.lookup.StaticHashTable(values, 0.0)
        labels = table.lookup(tf.constant(["1", "2", "1"]))
        return tf.data.Dataset.from_tensor_slices(([1.0, 2.0, 3.0], labels)).batch(2)

    own = estimator.evaluate(looked_up)
    with keeping_evaluation(estimator, looked_up):
        assert estimator.evaluate(looked_up) == own


def test_a_damaged_checkpoint_changes_nothing_for_others(trained):
    estimator, _ = trained()
    damaged, good, _ = steps(estimator)
    with open(f"{damaged}.data-00000-of-00001", "r+b") as file:
        file.truncate(3)

    class Adding(tf.compat.v1.train.SessionRunHook):
        def begin(self):
            self.added = tf.constant(1)

    own = estimator.evaluate(input_fn, checkpoint_path=good)
    with keeping_evaluation(estimator, input_fn):
        with pytest.raises(tf.errors.OpError):
            estimator.evaluate(input_fn, checkpoint_path=damaged)
        for _ in range(2):
            found = estimator.evaluate(input_fn, hooks=[Adding()], checkpoint_path=good)
            assert found == own and list(found) == list(own)


def test_a_block_in_another(trained):
    estimator, model_fn = trained()
    with keeping_evaluation(estimator, input_fn):
        with keeping_evaluation(estimator, lambda: None):
            estimator.evaluate(input_fn)
        estimator.evaluate(input_fn)
    assert model_fn.built == 1


def test_no_examples(trained):
    estimator, _ = trained()

    def none():
        return input_fn().take(0)

    own = estimator.evaluate(none)
    with keeping_evaluation(estimator, none):
        assert estimator.evaluate(none) == own


def test_hooks_see_each_of_them(trained):
    estimator, _ = trained()
    seen = []

    class Seeing(tf.compat.v1.train.SessionRunHook):
        def before_run(self, run_context):
            seen.append(run_context.session.graph)

        def end(self, session):
            seen.append("end")

    hook = Seeing()
    with keeping_evaluation(estimator, input_fn):
        for path in steps(estimator)[:2]:
            estimator.evaluate(input_fn, hooks=[hook], checkpoint_path=path)
    # Two batches, and the call that finds no third.
    assert [each if each == "end" else "batch" for each in seen] == [*["batch"] * 3, "end"] * 2
    assert len({each for each in seen if each != "end"}) == 1
