"""Which Keras `tf.keras` is after `install`. Each is a process of its own."""

from __future__ import annotations

import pytest

from hub_estimator import compat
from hub_estimator.compat import keras_choice
from tests.compat.programs import run

pytestmark = pytest.mark.skipif(
    compat.ships_estimator(), reason="TensorFlow 2.15 comes with legacy Keras"
)

SHOW = """
import tensorflow as tf
from tensorflow.keras import layers
import tensorflow.keras.layers as the_same
assert layers.Dense is the_same.Dense is tf.keras.layers.Dense, (layers, the_same)
print(tf.keras.layers.Dense.__module__.partition(".")[0])
with tf.Graph().as_default():
    tf.compat.v1.layers.dense(tf.zeros([2, 3]), 4)
    tf.compat.v1.nn.rnn_cell.BasicLSTMCell(3)
"""
INSTALL = "from hub_estimator import compat; compat.install("
FIRST = "import tensorflow as tf\n"
USED = f"{FIRST}tf.keras.layers\n"


@pytest.mark.parametrize(
    "before, argument, variable, keras",
    [
        ("", "", None, "tf_keras"),
        (FIRST, "", None, "tf_keras"),
        (USED, "", None, "keras"),
        ("", "", "0", "keras"),
        ("", "legacy_keras=True", "0", "tf_keras"),
        ("", "legacy_keras=False", None, "keras"),
        ("", "", "1", "tf_keras"),
        (USED, "legacy_keras=True", "1", "tf_keras"),
    ],
)
def test_what_is_chosen(before, argument, variable, keras):
    result = run(f"{before}{INSTALL}{argument})\n{SHOW}", TF_USE_LEGACY_KERAS=variable)
    assert result.stdout.split() == [keras], result.stderr[-3000:]


def test_keras_3_in_use():
    program = (
        f"{USED}from hub_estimator import compat, errors\n"
        "try: compat.install(legacy_keras=True)\n"
        "except errors.LegacyKerasError as error: print(error)"
    )
    assert run(program).stdout.strip() == keras_choice.KERAS_3_IN_USE
