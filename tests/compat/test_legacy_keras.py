"""Legacy Keras: there by default, and a clear error where it is not."""

from __future__ import annotations

import pytest
import tensorflow as tf

from hub_estimator import compat
from hub_estimator.compat import legacy_keras
from tests.compat.programs import run

keras_3 = pytest.mark.skipif(
    compat.ships_estimator(), reason="TensorFlow 2.15 comes with legacy Keras"
)


def test_layers_work():
    layers = compat.legacy_layers()
    assert layers.dense is tf.compat.v1.layers.dense
    assert layers.dense(tf.zeros([2, 3]), 4).shape == (2, 4)
    assert legacy_keras.is_legacy_keras_in_use()


PROGRAM = """
from hub_estimator import compat, errors, estimator
import tensorflow as tf

def show(use):
    try:
        use()
    except errors.LegacyKerasError as error:
        assert isinstance(error, ImportError) and isinstance(error, RuntimeError)
        print(error)
    else:
        print("no error")

columns = [tf.feature_column.numeric_column("x")]
show(compat.legacy_layers)
show(lambda: estimator.DNNClassifier([2], columns))
show(lambda: estimator.RegressionHead())
show(lambda: estimator.Estimator(lambda features: None))
compat.install()
show(lambda: tf.compat.v1.layers.dense)
show(lambda: tf.estimator.BaselineRegressor())
show(lambda: hasattr(tf.compat.v1.layers, "__path__"))
"""


@keras_3
def test_keras_3_in_use_is_said_when_legacy_keras_is_needed():
    result = run(PROGRAM, TF_USE_LEGACY_KERAS="0")
    assert result.stdout.splitlines() == [
        legacy_keras.KERAS_3_IN_USE % ("tf.compat.v1.layers", "'0'"),
        legacy_keras.KERAS_3_IN_USE % ("tf.estimator.DNNClassifier", "'0'"),
        legacy_keras.KERAS_3_IN_USE % ("tf.estimator.RegressionHead", "'0'"),
        "no error",
        legacy_keras.KERAS_3_IN_USE % ("tf.compat.v1.layers.dense", "'0'"),
        legacy_keras.KERAS_3_IN_USE % ("tf.estimator.BaselineRegressor", "'0'"),
        "no error",
    ], result.stderr


def test_tensorflow_may_be_imported_before_us():
    program = (
        "import tensorflow as tf\n"
        "import hub_estimator as hub\n"
        "print(hub.compat.legacy_layers().dense(tf.zeros([2, 3]), 4).shape)"
    )
    assert run(program).stdout.strip() == "(2, 4)"


@keras_3
def test_keras_used_before_us_is_said():
    program = (
        "import tensorflow as tf; tf.keras.layers.Dense; getattr(tf.compat.v1.layers, 'x', 0)\n"
        "import hub_estimator as hub, os; del os.environ['TF_USE_LEGACY_KERAS']\n"
        "try: hub.compat.legacy_layers()\n"
        "except hub.errors.LegacyKerasError as error: print(error)"
    )
    expected = legacy_keras.KERAS_3_IN_USE % ("tf.compat.v1.layers", "not set")
    assert run(program).stdout.strip() == expected


@keras_3
def test_a_missing_package_is_said():
    program = (
        "import sys; sys.modules['tf_keras'] = None\n"
        "import hub_estimator as hub\n"
        "try: hub.compat.legacy_layers()\n"
        "except hub.errors.LegacyKerasError as error: print(error)"
    )
    reason = "import of tf_keras halted; None in sys.modules"
    release = compat.tf_version()[:2]
    expected = legacy_keras.NOT_INSTALLED % ("tf.compat.v1.layers", reason, *release)
    assert run(program).stdout.strip() == expected
