"""What `install` puts in place, and what it leaves alone. Each group is a process of its own."""

from __future__ import annotations

import pytest

from hub_estimator import compat
from tests.compat.programs import run

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
from tensorflow.compat.v2.compat.v1 import estimator as fifth
import tensorflow.compat.v2 as tf2

assert second.Estimator is tf.estimator.Estimator
assert third.Estimator is fourth.Estimator is fifth.Estimator is first.Estimator
assert tf2.compat.v1.estimator.Estimator is first.Estimator
assert tf1.compat.v1.estimator.Estimator is first.Estimator
assert tf2.estimator.Estimator is tf.estimator.Estimator
assert tpu_estimator.TPUEstimator is first.tpu.TPUEstimator
assert TPUConfig is first.tpu.TPUConfig
"""

PRIVATE_MODULES = """
import hub_estimator
hub_estimator.compat.install()
import tensorflow as tf

from tensorflow.python.estimator import keras
from tensorflow.python.estimator.canned import head
from tensorflow.python.estimator.canned.head import _Head
import tensorflow.python.estimator.estimator as estimator_module
import tensorflow.python.estimator.keras
from tensorflow.python.tpu import async_checkpoint, error_handling, tpu_config, tpu_context, util
from tensorflow.python.tpu.tpu_estimator import TPUEstimator
from tensorflow.python.training import gen_training_ops, training_ops
from tensorflow.python.training.tracking import base, graph_view, tracking, util as trackable_util
from tensorflow.python.training.tracking.data_structures import sticky_attribute_assignment
from tensorflow.python.training.tracking.tracking import AutoTrackable
from tensorflow.python.framework import ops
from tensorflow.python.ops import variable_scope

from tensorflow.python.ops import array_ops, control_flow_ops, variables

tf1 = tf.compat.v1
assert ops.Tensor is tf.Tensor and ops.IndexedSlices is tf.IndexedSlices
assert array_ops.stack is tf1.stack and variables.VariableV1 is tf1.Variable
for name in ("Assert", "case", "cond", "while_loop"):
    assert getattr(control_flow_ops, name) is getattr(tf1, name)
assert ops.register_tensor_conversion_function is tf.register_tensor_conversion_function
assert base.Trackable and graph_view.ObjectGraphView and trackable_util.Checkpoint
assert tracking.AutoTrackable is AutoTrackable and sticky_attribute_assignment
assert keras.model_to_estimator and head._Head is _Head
assert estimator_module.Estimator is tf.compat.v1.estimator.Estimator
assert TPUEstimator is tf.compat.v1.estimator.tpu.TPUEstimator
assert tpu_config.TPUConfig is tf.compat.v1.estimator.tpu.TPUConfig
assert training_ops.resource_apply_adam is gen_training_ops.resource_apply_adam
assert variable_scope.resource_variables_enabled()
assert tf.compat.v1.tpu.experimental.AdamParameters
assert issubclass(
    async_checkpoint.AsyncCheckpointSaverHook, tf.compat.v1.estimator.CheckpointSaverHook
)
from tensorflow.data.experimental import CheckpointInputPipelineHook
assert CheckpointInputPipelineHook is tf.data.experimental.CheckpointInputPipelineHook
assert CheckpointInputPipelineHook is tf.compat.v1.data.experimental.CheckpointInputPipelineHook
"""

LAZY = """
import sys
import hub_estimator
hub_estimator.compat.install(tensorflow_hub=True)
for name in ("tensorflow.python.estimator", "tensorflow.python.tpu.tpu_estimator",
             "hub_estimator.compat.async_checkpoint", "hub_estimator.graph"):
    assert name not in sys.modules, name
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


@pytest.mark.parametrize("group", ["SPELLINGS", "PRIVATE_MODULES", "LAZY", "LAYERS", "GIN"])
def test_programs_find_what_they_import(group):
    result = run(globals()[group])
    assert result.returncode == 0, result.stderr


@pytest.mark.skipif(not compat.ships_estimator(), reason="this TensorFlow has no Estimator")
def test_nothing_changes_where_tensorflow_has_estimators():
    result = run(UNCHANGED)
    assert result.returncode == 0, result.stderr


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
