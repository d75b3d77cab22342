"""Legacy Keras: what Estimators and layers are of, whichever Keras the program uses."""

from __future__ import annotations

import pytest
import tensorflow as tf

from hub_estimator import compat
from hub_estimator.compat import keras_2
from tests.compat.programs import run

keras_3 = pytest.mark.skipif(
    compat.ships_estimator(), reason="TensorFlow 2.15 comes with legacy Keras"
)


def test_layers_work():
    layers = compat.legacy_layers()
    assert layers.dense(tf.zeros([2, 3]), 4).shape == (2, 4)
    assert layers.batch_normalization(tf.zeros([2, 3])).shape == (2, 3)
    cell = keras_2.legacy_rnn_cells().BasicLSTMCell(3)
    assert cell(tf.zeros([2, 4]), cell.zero_state(2, tf.float32))[0].shape == (2, 3)


def test_legacy_keras_is_that_of_tensorflow_2_15():
    keras = compat.legacy_keras()
    assert keras.optimizers.legacy.Adam and keras.layers.DenseFeatures
    assert keras_2.legacy_keras_v1().layers.Dense


@keras_3
def test_a_missing_package_is_said():
    program = (
        "import sys; sys.modules['tf_keras'] = None\n"
        "import hub_estimator as hub\n"
        "for use in hub.compat.legacy_layers, lambda: hub.estimator.Estimator:\n"
        "  try: use()\n"
        "  except hub.errors.LegacyKerasError as error:\n"
        "    assert isinstance(error, ImportError) and isinstance(error, RuntimeError)\n"
        "    print(error)"
    )
    reason = "No module named 'tf_keras.api'; 'tf_keras' is not a package"
    release = compat.tf_version()[:2]
    expected = keras_2.NOT_INSTALLED % (reason, *release)
    assert run(program).stdout.splitlines() == [expected, expected]
