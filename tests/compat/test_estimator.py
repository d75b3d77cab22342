"""The Estimator API at work: training, evaluation, prediction, exporters, hooks."""

from __future__ import annotations

import inspect
import os

import numpy as np
import pytest
import tensorflow as tf

from hub_estimator import compat, estimator
from tests.compat import tiny

tf1 = tf.compat.v1


def test_trains_evaluates_and_predicts(tmp_path):
    model = tiny.make(tmp_path)
    model.train(tiny.input_fn, steps=20)
    assert model.get_variable_value("w") == pytest.approx([2.0], abs=1e-2)
    metrics = model.evaluate(tiny.one_batch)
    assert metrics["global_step"] == 20
    assert metrics["rmse"] < 0.05
    predicted = [prediction["y"] for prediction in model.predict(tiny.one_batch)]
    np.testing.assert_allclose(predicted, [[2.0], [4.0]], atol=0.1)


def test_training_goes_on_from_the_checkpoint(tmp_path):
    tiny.make(tmp_path).train(tiny.input_fn, max_steps=10)
    model = tiny.make(tmp_path)
    model.train(tiny.input_fn, max_steps=15)
    assert model.get_variable_value("global_step") == 15


def test_train_and_evaluate_exports_the_last_the_best_and_the_final(tmp_path):
    exporters = [
        estimator.LatestExporter("latest", tiny.serving_fn, exports_to_keep=1),
        estimator.FinalExporter("final", tiny.serving_fn),
        estimator.BestExporter("best", tiny.serving_fn),
    ]
    metrics, exported = estimator.train_and_evaluate(
        tiny.make(tmp_path, save_checkpoints_steps=5),
        estimator.TrainSpec(tiny.input_fn, max_steps=10),
        estimator.EvalSpec(tiny.one_batch, exporters=exporters, throttle_secs=0),
    )
    assert metrics["global_step"] == 10
    assert len(exported) == 3
    counts = {name: len(os.listdir(tmp_path / "export" / name)) for name in ("latest", "final")}
    assert counts == {"latest": 1, "final": 1}
    best = max((tmp_path / "export" / "best").iterdir())
    with tf1.Session() as session:
        tf1.saved_model.load(session, ["serve"], str(best))
        output = session.graph.get_tensor_by_name("mul:0")
        assert session.run(output, {"x:0": [[3.0]]}) == pytest.approx(6.0, abs=0.5)


def test_hooks_and_saving_listeners_are_called(tmp_path):
    calls = []

    class Hook(estimator.SessionRunHook):
        def after_run(self, run_context, run_values):
            calls.append("step")

    class Listener(estimator.CheckpointSaverListener):
        def after_save(self, session, global_step_value):
            calls.append(global_step_value)

    tiny.make(tmp_path).train(tiny.input_fn, [Hook()], steps=3, saving_listeners=[Listener()])
    assert calls == [0, "step", "step", "step", 3]


def test_training_stops_early(tmp_path):
    model = tiny.make(tmp_path)
    os.makedirs(model.eval_dir())
    stop = estimator.experimental.make_early_stopping_hook(
        model, should_stop_fn=lambda: True, run_every_secs=None, run_every_steps=1
    )
    model.train(tiny.input_fn, hooks=[stop], max_steps=100)
    assert model.get_variable_value("global_step") < 100


def test_stops_when_an_evaluation_is_good_enough(tmp_path):
    model = tiny.make(tmp_path)
    os.makedirs(model.eval_dir())
    stop = estimator.experimental.stop_if_lower_hook(
        model, "loss", threshold=1e9, run_every_secs=None, run_every_steps=1
    )
    model.train(tiny.input_fn, hooks=[stop], max_steps=3)
    assert model.get_variable_value("global_step") == 3
    model.evaluate(tiny.one_batch)
    model.train(tiny.input_fn, hooks=[stop], max_steps=100)
    assert model.get_variable_value("global_step") < 100


def test_warm_starts(tmp_path):
    first = tiny.make(tmp_path / "first")
    first.train(tiny.input_fn, steps=20)
    second = estimator.Estimator(
        tiny.model_fn, str(tmp_path / "second"), warm_start_from=first.model_dir
    )
    second.train(tiny.input_fn, steps=1)
    assert second.get_variable_value("w") == pytest.approx([2.0], abs=1e-2)


def test_mirrored_strategy_on_one_machine(tmp_path):
    strategy = tf.distribute.MirroredStrategy(["/cpu:0"])
    model = tiny.make(tmp_path, train_distribute=strategy, eval_distribute=strategy)
    metrics, _ = estimator.train_and_evaluate(
        model,
        estimator.TrainSpec(tiny.input_fn, max_steps=20),
        estimator.EvalSpec(tiny.one_batch, throttle_secs=0),
    )
    assert metrics["rmse"] < 0.05
    assert model.config.is_chief and model.config.num_worker_replicas == 1


def test_has_the_whole_namespace():
    api = compat.estimator_module()
    assert set(dir(api)) <= set(dir(estimator))
    for name in ("Estimator", "RunConfig", "BestExporter", "MultiHead", "DNNClassifier"):
        assert getattr(estimator, name) is getattr(api, name)
    assert estimator.tpu.TPUEstimator is api.tpu.TPUEstimator
    if compat.ships_estimator():
        assert estimator.Estimator is tf1.estimator.Estimator


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError) as caught:
        _ = estimator.Nothing
    assert str(caught.value) == "module 'hub_estimator.estimator' has no attribute 'Nothing'"
    assert inspect.unwrap(estimator) is estimator  # asks for a private name
    with pytest.raises(AttributeError) as caught:
        _ = compat.nothing
    assert str(caught.value) == "module 'hub_estimator.compat' has no attribute 'nothing'"
