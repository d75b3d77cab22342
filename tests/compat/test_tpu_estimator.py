"""`TPUEstimator` on CPU, and its refusal of TPUs where TensorFlow no longer supports them."""

from __future__ import annotations

import pytest
import tensorflow as tf

from hub_estimator import compat, errors, estimator
from hub_estimator.compat import stand_ins, tpu_names

tf1 = tf.compat.v1
no_tpu_here = pytest.mark.skipif(
    compat.ships_estimator(), reason="this TensorFlow supports TPU Estimators itself"
)


def _model_fn(features, labels, mode, params):
    assert params["batch_size"] == 2
    weight = tf1.get_variable("w", [1], initializer=tf1.zeros_initializer())
    predictions = {"y": features["x"] * weight}
    if mode == estimator.ModeKeys.PREDICT:
        return estimator.tpu.TPUEstimatorSpec(mode, predictions=predictions)
    loss = tf.reduce_mean(tf.square(predictions["y"] - labels))
    optimizer = tf1.train.GradientDescentOptimizer(params["rate"])
    return estimator.tpu.TPUEstimatorSpec(
        mode,
        loss=loss,
        train_op=optimizer.minimize(loss, tf1.train.get_or_create_global_step()),
        eval_metrics=(_metrics, [labels, predictions["y"]]),
        host_call=(_host_call, [tf.reshape(loss, [1])]),
        training_hooks=[tf1.train.StepCounterHook(every_n_steps=5)],
    )


def _metrics(labels, predictions):
    return {"mse": tf1.metrics.mean_squared_error(labels, predictions)}


def _host_call(loss):
    return tf1.summary.scalar("host_loss", tf.reduce_mean(loss))


def _input_fn(params):
    data = ({"x": [[1.0], [2.0]]}, [[2.0], [4.0]])
    return tf.data.Dataset.from_tensor_slices(data).repeat().batch(params["batch_size"], True)


def _make(folder, **settings):
    tpu = estimator.tpu
    config = tpu.RunConfig(
        model_dir=str(folder),
        tpu_config=tpu.TPUConfig(
            iterations_per_loop=5,
            per_host_input_for_training=tpu.InputPipelineConfig.PER_HOST_V2,
        ),
    )
    sizes = {f"{mode}_batch_size": 2 for mode in ("train", "eval", "predict")}
    return tpu.TPUEstimator(_model_fn, config=config, params={"rate": 0.05}, **sizes, **settings)


def test_trains_evaluates_and_predicts_without_a_tpu(tmp_path):
    model = _make(tmp_path, use_tpu=False)
    model.train(_input_fn, max_steps=20)
    metrics = model.evaluate(_input_fn, steps=2)
    assert metrics["global_step"] == 20
    assert metrics["mse"] < 1e-2
    predicted = next(model.predict(_input_fn))
    assert predicted["y"] == pytest.approx([2.0], abs=0.1)


@no_tpu_here
def test_refuses_a_tpu(tmp_path):
    with pytest.raises(errors.TPUUnsupportedError) as caught:
        _make(tmp_path)
    assert str(caught.value) == stand_ins.USE_TPU
    assert isinstance(caught.value, NotImplementedError)


@no_tpu_here
def test_names_that_need_a_tpu_can_be_imported_but_not_used():
    from tensorflow.python.tpu import session_support
    from tensorflow.python.tpu.tpu_embedding import AdamParameters

    assert not isinstance(0.1, AdamParameters)
    for name, use in (
        ("AdamParameters", lambda: AdamParameters(0.1)),
        ("start_worker_watchdog", lambda: session_support.start_worker_watchdog(None)),
    ):
        with pytest.raises(errors.TPUUnsupportedError) as caught:
            use()
        assert str(caught.value) == tpu_names.NO_TPU % name
