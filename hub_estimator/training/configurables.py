"""What gin files can name: our own parts, and TensorFlow's heads, optimizers and activations."""

from __future__ import annotations

import tensorflow as tf

from hub_estimator import config
from hub_estimator.training import heads, loop
from hub_estimator.training.early_stopping import EarlyStopping
from hub_estimator.training.encoders import Encoder
from hub_estimator.training.exporters.modules import LatestModuleExporter
from hub_estimator.training.inputs.text_file import TextFile
from hub_estimator.training.layers import DenseLayers
from hub_estimator.training.model_fn import Model
from hub_estimator.training.optimization import schedules
from hub_estimator.training.optimization.optimization import Optimization

_OPTIMIZERS = (
    *("AdadeltaOptimizer", "AdagradOptimizer", "AdamOptimizer", "FtrlOptimizer"),
    *("GradientDescentOptimizer", "MomentumOptimizer", "RMSPropOptimizer"),
)
_ACTIVATIONS = ("elu", "gelu", "leaky_relu", "relu", "selu", "sigmoid", "swish", "tanh")


def register() -> None:
    """Makes everything configurable by gin; calling it again changes nothing."""
    config.add_configurable(loop.train_and_evaluate, denylist=["model_dir", "settings"])
    for each in (Model, Encoder, DenseLayers, Optimization, EarlyStopping, TextFile):
        config.add_configurable(each)
    config.add_configurable(LatestModuleExporter, denylist=["serving_input_fn"])
    for decay in (schedules.linear_decay, schedules.cosine_decay):
        config.add_configurable(decay, denylist=["learning_rate", "global_step"])
    for name in heads.HEAD_NAMES:
        config.add_configurable(heads.head_class(name), name, module="tf.estimator")
    for name in _OPTIMIZERS:
        optimizer = getattr(tf.compat.v1.train, name)
        config.add_configurable(optimizer, name, module="tf.train", denylist=["learning_rate"])
    for name in _ACTIVATIONS:
        config.add_configurable(getattr(tf.nn, name), name, module="tf.nn")
