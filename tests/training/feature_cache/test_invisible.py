"""A run with the feature cache is one without it, but for the modules' work."""

from __future__ import annotations

import functools
from typing import ClassVar

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import errors
from hub_estimator.training.exporters.folders import newest
from hub_estimator.training.exporters.servables import LatestExporter
from hub_estimator.training.model_folder.model_folder import ModelFolder

EXPORTERS = [
    functools.partial(hub.LatestModuleExporter, "modules"),
    functools.partial(LatestExporter, "servable"),
]
WORK = "module_apply_default"


def values(checkpoint):
    reader = tf.train.load_checkpoint(checkpoint)
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def assert_equal_runs(first, second):
    one, other = values(first.checkpoint), values(second.checkpoint)
    assert set(one) == set(other)
    for name, value in one.items():
        assert np.array_equal(value, other[name]), name
    assert first.metrics == second.metrics and first.step == second.step
    kept, same = (ModelFolder(each.model_dir).history().evaluations() for each in (first, second))
    assert kept == same and len(kept) == 2


class Operations(tf.compat.v1.train.SessionRunHook):
    """Keeps the names of the operations of the graph that trains."""

    found: ClassVar[list[str]] = []

    def begin(self):
        Operations.found = [each.name for each in tf.compat.v1.get_default_graph().get_operations()]


def module_runs():
    return any(WORK in name for name in Operations.found)


@pytest.mark.parametrize("encoder", [{"dropout": 0.5}, {"tags": "train", "output": "rows"}])
def test_checkpoints_and_metrics(train, computed, encoder):
    plain = train("plain", encoder, feature_cache=False, hooks=[Operations])
    assert module_runs() and not computed()
    cached = train("cached", encoder, hooks=[Operations])
    assert not module_runs()
    assert computed() == [
        "computed outputs of encoder 'module': 64 of 64",
        "computed outputs of encoder 'module': 21 of 21",
    ]
    assert_equal_runs(plain, cached)


def test_a_last_evaluation_after_fewer_steps_counts(train, computed):
    train(max_steps=4, eval_every_steps=3)
    assert computed() == ["computed outputs of encoder 'module': 21 of 21"]


def test_exports(train):
    texts = ["good", "bad", "what"]
    found = []
    for name, cache in [("plain", False), ("cached", True)]:
        result = train(name, feature_cache=cache, exporters=EXPORTERS, eval_every_steps=10)
        (module,) = result.modules
        with hub.eval_function_for_module(module) as evaluate:
            rows = evaluate(texts)
        folder = ModelFolder(result.model_dir).export("servable")
        found.append((rows, served(newest(folder, "servable"), texts)))
    (plain_rows, plain_scores), (rows, scores) = found
    assert np.array_equal(plain_rows, rows)
    assert scores and all(map(np.array_equal, plain_scores, scores))


def served(path, texts):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        meta_graph = tf.compat.v1.saved_model.load(session, ["serve"], path)
        signature = meta_graph.signature_def["serving_default"]
        return session.run(
            [output.name for _, output in sorted(signature.outputs.items())],
            {signature.inputs["text"].name: texts},
        )


def test_a_wrong_setting(train):
    with pytest.raises(errors.ModelError) as caught:
        train(feature_cache="features")
    assert str(caught.value) == (
        "Experiment.feature_cache is 'features'; it must be True, False or @FeatureCache()."
    )
