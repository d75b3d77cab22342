"""Averages of the weights: who uses them, and who does not."""

from __future__ import annotations

import functools

import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import errors, estimator
from hub_estimator.training.model_folder.model_folder import ModelFolder
from hub_estimator.training.optimization.optimization import Optimization
from hub_estimator.training.running import preflight
from tests.training import runs
from tests.training.optimization.known_problem import make_variables

tf1 = tf.compat.v1
OPTIMIZATION = Optimization(tf1.train.GradientDescentOptimizer, 0.5, average_decay=0.2)


def module_fn():
    rate = tf1.get_variable("rate", initializer=1.0)
    kept = tf1.get_variable("kept", initializer=7.0, trainable=False)
    hub.add_signature(outputs={"default": rate, "kept": kept})


def model_fn(features, labels, mode, optimization):
    """A module whose variable is halved in each step, and which is what is predicted."""
    module = hub.Module(hub.create_module_spec(module_fn), trainable=True)
    outputs = module(as_dict=True)
    hub.register_module_for_export(module, "tuned")
    loss = tf.square(outputs["default"]) / 2
    return estimator.EstimatorSpec(
        mode,
        predictions={name: value[None] for name, value in outputs.items()},
        loss=loss,
        train_op=optimization.train_op(loss) if mode == "train" else None,
        scaffold=None if mode == "train" else optimization.scaffold(),
    )


def input_fn():
    return tf.data.Dataset.from_tensors({"x": [1.0]}).repeat(1000)


def receiver_fn():
    x = tf1.placeholder(tf.float32, [None])
    return estimator.export.ServingInputReceiver({"x": x}, {"x": x})


# Of 1 / 2, 1 / 4 and 1 / 8 after the initial value 1; see `averaging.update`.
AVERAGES = [1.0]
for _step in range(3):
    _decay = min(0.2, (1 + _step) / (10 + _step))
    AVERAGES.append(_decay * AVERAGES[-1] + (1 - _decay) * 0.5 ** (_step + 1))


@pytest.fixture
def trained(tmp_path):
    made = estimator.Estimator(
        functools.partial(model_fn, optimization=OPTIMIZATION), str(tmp_path / "model")
    )
    return made.train(input_fn, max_steps=2)


def exported_value(folder, name="rate"):
    module = hub.Module(folder)
    with tf1.Session() as session:
        session.run(tf1.global_variables_initializer())
        return session.run(module.variable_map[name])


def test_all_but_training_use_the_averages(trained, tmp_path):
    assert trained.get_variable_value("module/rate") == 0.25
    assert trained.evaluate(input_fn, steps=1)["loss"] == pytest.approx(AVERAGES[2] ** 2 / 2)
    predicted = next(trained.predict(input_fn))
    assert predicted == {"default": pytest.approx(AVERAGES[2]), "kept": 7}

    module = hub.LatestModuleExporter("modules", receiver_fn).export(trained, tmp_path / "modules")
    assert exported_value(f"{module}/tuned") == pytest.approx(AVERAGES[2])
    assert exported_value(f"{module}/tuned", "kept") == 7

    servable = trained.export_saved_model(str(tmp_path / "servable"), receiver_fn)
    with tf1.Session(graph=tf.Graph()) as session:
        (signature,) = tf1.saved_model.load(session, ["serve"], servable).signature_def.values()
        served = session.run(signature.outputs["default"].name)
    assert served == pytest.approx(AVERAGES[2])


def test_training_goes_on_from_the_weights_themselves(trained):
    trained.train(input_fn, max_steps=3)
    assert trained.get_variable_value("module/rate") == 0.125
    average = trained.get_variable_value("module/rate/ExponentialMovingAverage")
    assert average == pytest.approx(AVERAGES[3])
    assert [each for each in trained.get_variable_names() if each.endswith("Average")] == [
        "module/rate/ExponentialMovingAverage"
    ]


def test_without_averages_checkpoints_are_restored_as_usual():
    make_variables()
    assert Optimization(tf1.train.AdamOptimizer, 0.1).scaffold() is None


def test_a_partitioned_variable():
    tf1.get_variable("whole", [4], partitioner=tf1.fixed_size_partitioner(2))
    loss = tf.add_n([tf.nn.l2_loss(each) for each in tf1.trainable_variables()])
    with pytest.raises(errors.ModelError) as caught:
        OPTIMIZATION.train_op(loss)
    assert str(caught.value) == (
        "Optimization.average_decay is 0.2, but 'whole/part_0' is a part of a partitioned "
        "variable, which TensorFlow cannot restore from an average. Set it to None, or publish the "
        "module without a partitioner."
    )


@pytest.fixture
def check(make_model, examples, tmp_path):
    """Does what a run does before it starts; returns the function that trains a step then."""

    def check(**optimization):
        model = make_model({"trainable": True}, optimization)
        spec = preflight.check(
            runs.experiment(model, examples, examples), ModelFolder(str(tmp_path))
        ).spec
        made = estimator.Estimator(model.model_fn, str(tmp_path), params={})
        return lambda: made.train(examples.training_fn(spec, 1, lambda: 0), steps=1)

    return check


def test_a_checkpoint_from_before_averaging(check, tmp_path):
    check()()
    with pytest.raises(errors.ModelFolderError) as caught:
        check(average_decay=0.9)
    assert str(caught.value) == (
        f"The model folder {str(tmp_path)!r} has a checkpoint of another model: the variable "
        "'module/embeddings/ExponentialMovingAverage' of shape [16, 4] is not there. Choose "
        "another model folder, or remove this one."
    )


def test_a_checkpoint_with_averages(check):
    check(average_decay=0.9)()
    check(average_decay=0.99)()
