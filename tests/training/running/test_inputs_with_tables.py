"""An input of one's own whose dataset looks its examples up in a table: it begins after the table."""

from __future__ import annotations

import math

import pytest
import tensorflow as tf

from hub_estimator import errors, training
from hub_estimator.training.inputs.batches import first_features
from hub_estimator.training.running.dry_run import dry_run
from tests.training import runs

# So many that a table takes longer to fill than a dataset to begin.
KEYS = [str(number) for number in range(50_000)]


class LookedUp:
    """Eight texts, whose labels are in a table."""

    feature_names = ("text",)
    num_examples = class_names = None
    always_kept = ()

    def __init__(self, labels=(0.0, 1.0)):
        self._labels = labels

    def check(self, spec):
        """It is always right."""

    def _dataset(self):
        values = [self._labels[number % 2] for number in range(len(KEYS))]
        filled = tf.lookup.KeyValueTensorInitializer(KEYS, values, value_dtype=tf.float32)
        table = tf.lookup.StaticHashTable(filled, -1.0)
        texts = tf.constant(KEYS[:8])
        return tf.data.Dataset.from_tensor_slices(({"text": texts}, table.lookup(texts)))

    def training_fn(self, spec, seed, start_step):
        return lambda: self._dataset().repeat().batch(4)

    def evaluation_fn(self, spec, keep=()):
        return lambda: self._dataset().batch(4)


@pytest.fixture
def experiment(make_regression):
    def make(data, **changes):
        return runs.experiment(make_regression(), data, data, 2, **changes)

    return make


def test_the_first_batch():
    found = first_features(LookedUp().evaluation_fn(None))
    assert [text.decode() for text in found["text"]] == KEYS[:4]


def test_a_run_its_dry_run_report_and_speed(experiment, tmp_path):
    made = experiment(LookedUp(), report=training.Report(pictures=None))
    assert 0 < dry_run(made).loss < 5
    result = training.train_and_evaluate(made, tmp_path / "model")
    assert 0 < result.metrics["loss"] < 5
    assert (tmp_path / "model" / "report" / "report.md").exists()
    assert training.rows_per_second(made, tmp_path / "model") > 0


def test_a_loss_that_is_not_a_number(experiment, tmp_path):
    with pytest.raises(errors.LossNotFiniteError) as caught:
        training.train_and_evaluate(experiment(LookedUp([0.0, math.nan])), tmp_path / "model")
    # Neither the data's features nor the module's outputs, which were looked at, are the reason.
    assert str(caught.value).endswith(". Lower Optimization.learning_rate.")


def test_the_speed_on_no_examples(experiment, tmp_path):
    class Empty(LookedUp):
        def evaluation_fn(self, spec, keep=()):
            return lambda: self._dataset().take(0).batch(4)

    training.train_and_evaluate(experiment(LookedUp()), tmp_path / "model")
    with pytest.raises(errors.DataFileError) as caught:
        training.rows_per_second(experiment(Empty()), tmp_path / "model")
    assert str(caught.value) == "Experiment.eval_input gives no examples."
