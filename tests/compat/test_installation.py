"""What `install` puts in place, and what it leaves alone. Each group is a process of its own."""

from __future__ import annotations

import pathlib
import sys

import pytest
from programs import run

from hub_estimator import compat, errors
from hub_estimator.compat import installation

SPELLINGS = """
import hub_estimator
hub_estimator.compat.install()
hub_estimator.compat.install()
import tensorflow as tf

first = tf.compat.v1.estimator
assert first.Estimator is hub_estimator.estimator.Estimator
assert first.EstimatorSpec is tf.estimator.EstimatorSpec and first.tpu.TPUEstimator
assert tf.estimator.Estimator.__name__ == "EstimatorV2" and not hasattr(tf.estimator, "tpu")

from tensorflow import estimator as second
from tensorflow.compat.v1 import estimator as third
from tensorflow_estimator.compat.v1 import estimator as fourth
import tensorflow.compat.v1 as tf1
from tensorflow_estimator.python.estimator.tpu import tpu_estimator
import tensorflow.compat.v1.estimator
import tensorflow.estimator
from tensorflow.compat.v1.estimator.tpu import TPUConfig
import tensorflow.compat.v2 as tf2

assert second.Estimator is tf.estimator.Estimator
assert third.Estimator is fourth.Estimator is first.Estimator
assert tf1.compat.v1.estimator.Estimator is first.Estimator
assert tf2.estimator.Estimator is tf.estimator.Estimator
assert tpu_estimator.TPUEstimator is first.tpu.TPUEstimator
assert TPUConfig is first.tpu.TPUConfig
"""

LAYERS = """
import hub_estimator
hub_estimator.compat.install()
import tensorflow as tf
from tensorflow.python.layers import base, convolutional, core, normalization, pooling
from tf_keras.src.legacy_tf_layers import normalization as source

assert normalization.BatchNormalization is source.BatchNormalization
assert base.Layer and core.dense and pooling.max_pooling2d and convolutional.conv2d
with tf.Graph().as_default():
    assert normalization.batch_normalization(tf.zeros([2, 3])).shape == (2, 3)
    assert tf.compat.v1.layers.conv2d(tf.zeros([1, 4, 4, 1]), 2, 3).shape == (1, 2, 2, 2)
"""

GIN = """
import hub_estimator
hub_estimator.compat.install()
import gin.tf
import gin.tf.external_configurables
assert issubclass(gin.tf.GinConfigSaverHook, hub_estimator.estimator.SessionRunHook)
"""

HUB_NAME = """
import sys
import hub_estimator
hub_estimator.compat.install(tensorflow_hub=True)
hub_estimator.compat.install(tensorflow_hub=True)
import tensorflow_hub as hub
import tensorflow_hub.errors
import tensorflow_hub.saved_model_module
from tensorflow_hub import native_module
assert hub is hub_estimator and hub.__name__ == "hub_estimator"
assert tensorflow_hub.errors is hub_estimator.errors
assert "hub_estimator.errors" == tensorflow_hub.errors.__spec__.name
assert hub.saved_model_module.errors is hub.errors
assert native_module.resolve is hub_estimator.resolve
assert not hasattr(native_module, "nothing")
"""

UNCHANGED = """
import hub_estimator
import tensorflow as tf
import sys
def things():
    return [tf, tf.estimator, tf.compat, tf.compat.v1, tf.compat.v1.estimator, tf.compat.v1.layers,
            tf.compat.v1.estimator.Estimator, tf.estimator.Estimator,
            tf.compat.v1.layers.dense, tf.estimator.BinaryClassHead.__init__,
            tf.compat.v1.estimator.DNNClassifier.__init__]
things()  # they are loaded when first used, and replace what loads them
before = things()
hub_estimator.compat.install()
hub_estimator.estimator.Estimator
after = things()
assert len(before) == len(after)
assert all(one is other for one, other in zip(before, after)), (before, after)
from tensorflow.python.distribute import estimator_training
from tensorflow.python.tpu import tpu_embedding
assert "hub_estimator" not in estimator_training.__file__ + tpu_embedding.__file__
"""


@pytest.mark.parametrize("group", ["SPELLINGS", "LAYERS", "GIN", "HUB_NAME"])
def test_programs_find_what_they_import(group):
    result = run(globals()[group])
    assert result.returncode == 0, result.stderr


@pytest.mark.skipif(not compat.ships_estimator(), reason="this TensorFlow has no Estimator")
def test_nothing_changes_where_tensorflow_has_estimators():
    result = run(UNCHANGED)
    assert result.returncode == 0, result.stderr


def test_the_name_of_an_imported_tensorflow_hub_is_not_taken(monkeypatch, tmp_path):
    (tmp_path / "tensorflow_hub.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    # First set, so that the end of the test removes what the import adds.
    monkeypatch.setitem(sys.modules, "tensorflow_hub", None)
    monkeypatch.delitem(sys.modules, "tensorflow_hub")
    import tensorflow_hub

    path = pathlib.Path(tensorflow_hub.__file__)
    before = list(sys.meta_path)
    with pytest.raises(errors.NameInUseError) as caught:
        compat.install(tensorflow_hub=True)
    assert str(caught.value) == installation.HUB_IN_USE % path
    assert sys.modules["tensorflow_hub"] is tensorflow_hub
    assert sys.meta_path == before


def test_importing_compat_imports_no_tensorflow():
    program = (
        "import sys, hub_estimator.compat, hub_estimator.estimator\n"
        "assert 'tensorflow' not in sys.modules and 'numpy' not in sys.modules"
    )
    assert run(program).returncode == 0


def test_facade_names_what_there_is():
    for name in compat.__all__:
        assert callable(getattr(compat, name))
    assert set(compat.__all__) <= set(dir(compat))
