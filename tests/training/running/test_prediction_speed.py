"""For how many examples in a second a model predicts."""

from __future__ import annotations

import time

import pytest
import tensorflow as tf

from hub_estimator import errors, training
from hub_estimator.compat import head_class
from hub_estimator.training.inputs.text_file import TextFile
from tests.training import runs, text_runs

_SECS = 0.05


def slowly(outputs):
    """Takes a while for a batch, however large it is."""

    def wait(values):
        time.sleep(_SECS)
        return values

    [given] = outputs
    waited = tf.compat.v1.py_func(wait, [given], given.dtype)
    waited.set_shape(given.shape)
    return tf.stop_gradient(waited)


def test_the_time_of_a_call_counts(text_module, data_file, tmp_path):
    source = TextFile(data_file, batch_size=8)
    model = training.Model(
        [training.Encoder(text_module)],
        head_class("BinaryClassHead")(),
        training.Optimization(tf.compat.v1.train.AdagradOptimizer, 0.1),
        interaction=slowly,
    )
    experiment = runs.experiment(model, source, source)
    training.train_and_evaluate(experiment, tmp_path / "model")
    found = training.rows_per_second(experiment, tmp_path / "model")
    assert 8 / (20 * _SECS) < found < 8 / _SECS


def test_of_the_checkpoint_that_is_asked_for(text_module, data_file, tmp_path):
    model_dir = str(tmp_path / "model")
    experiment = text_runs.trained(model_dir, text_module, data_file)
    assert training.rows_per_second(experiment, model_dir, training.CheckpointChoice(0)) > 0
    with pytest.raises(errors.ModelFolderError) as caught:
        training.rows_per_second(experiment, model_dir, training.CheckpointChoice(7))
    assert str(caught.value) == (
        f"The model folder {model_dir!r} has no checkpoint of step 7. It has those of 0, 1."
    )
