"""What gin files can name: our own parts, and TensorFlow's heads, optimizers and activations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from hub_estimator import config
from hub_estimator.graph import columns
from hub_estimator.training.early_stopping import EarlyStopping
from hub_estimator.training.experiment import Experiment
from hub_estimator.training.exporters.modules import BestModuleExporter, LatestModuleExporter
from hub_estimator.training.exporters.servables import BestExporter, LatestExporter
from hub_estimator.training.feature_cache import FeatureCache
from hub_estimator.training.inputs.arrays import Arrays, Frame
from hub_estimator.training.inputs.augmentation import Augmentation
from hub_estimator.training.inputs.image_folder import ImageFolder
from hub_estimator.training.inputs.json_file import JsonlFile
from hub_estimator.training.inputs.records import Records
from hub_estimator.training.inputs.text_file import TextFile
from hub_estimator.training.inputs.tfds_input import TfdsInput
from hub_estimator.training.model import canned_model, heads, interactions, losses, metrics
from hub_estimator.training.model.encoders import Encoder
from hub_estimator.training.model.layers import DenseLayers
from hub_estimator.training.model.model_fn import Model
from hub_estimator.training.objective import Objective
from hub_estimator.training.optimization import schedules
from hub_estimator.training.optimization.optimization import Optimization
from hub_estimator.training.optimization.weight_decay import AdamWOptimizer
from hub_estimator.training.reports.report import Report

# Each with the parameters that the run gives and no configuration may set.
_OURS: tuple[tuple[Callable[..., Any], tuple[str, ...]], ...] = (
    (Experiment, ("source",)),
    (Objective, ()),
    # The model.
    (DenseLayers, ()),
    (canned_model.CannedModel, ()),
    (columns.image_embedding_column, ()),
    (columns.sparse_text_embedding_column, ()),
    (columns.text_embedding_column, ()),
    (columns.text_embedding_column_v2, ()),
    (tf.feature_column.numeric_column, ()),
    (Encoder, ()),
    (Model, ()),
    (interactions.concatenation, ("encoded",)),
    (interactions.pair_comparison, ("encoded",)),
    (interactions.total, ("encoded",)),
    (losses.SigmoidLoss, ()),
    (losses.SoftmaxLoss, ()),
    (metrics.Metric, ()),
    (metrics.macro_f1, ("labels", "predictions")),
    # How it is trained.
    (AdamWOptimizer, ("learning_rate",)),
    (EarlyStopping, ()),
    (FeatureCache, ()),
    (Optimization, ()),
    (schedules.cosine_decay, ("learning_rate", "global_step")),
    (schedules.exponential_decay, ("learning_rate", "global_step")),
    (schedules.linear_decay, ("learning_rate", "global_step")),
    (schedules.piecewise_decay, ("learning_rate", "global_step")),
    # Examples.
    (Arrays, ()),
    (Augmentation, ()),
    (Frame, ()),
    (ImageFolder, ()),
    (JsonlFile, ()),
    (Records, ()),
    (TextFile, ()),
    (TfdsInput, ()),
    # What people look at.
    (Report, ()),
    # Exports.
    (BestExporter, ("serving_input_fn",)),
    (BestModuleExporter, ("serving_input_fn",)),
    (LatestExporter, ("serving_input_fn",)),
    (LatestModuleExporter, ("serving_input_fn",)),
)
# Paths of what is read, so that a model folder's configuration finds it from anywhere.
_PATHS: dict[Callable[..., Any], tuple[str, ...]] = {
    columns.image_embedding_column: ("module_spec",),
    columns.sparse_text_embedding_column: ("module_spec",),
    columns.text_embedding_column: ("module_spec",),
    columns.text_embedding_column_v2: ("module_path",),
    Encoder: ("handle",),
    ImageFolder: ("path",),
    JsonlFile: ("path",),
    Records: ("path",),
    TextFile: ("path",),
    TfdsInput: ("data_dir", "name"),
}
# What writes elsewhere than into the model folder, or removes, or downloads and runs what prepares a
# dataset: a model folder's configuration, which may be a stranger's, cannot ask for it.
_GIVEN_ONLY: dict[Callable[..., Any], tuple[str, ...]] = {
    FeatureCache: ("folder", "max_gigabytes"),
    TfdsInput: ("download",),
}
# Not AdagradDAOptimizer: it makes all weights anew from the sum of their gradients, and so forgets
# the initial values, which a fine-tuned module starts from.
OPTIMIZERS = (
    *("AdadeltaOptimizer", "AdagradOptimizer", "AdamOptimizer", "FtrlOptimizer"),
    *("GradientDescentOptimizer", "MomentumOptimizer", "ProximalAdagradOptimizer"),
    *("ProximalGradientDescentOptimizer", "RMSPropOptimizer"),
)
_KERAS_OPTIMIZERS = ("Adagrad", "Adam", "Ftrl", "RMSprop", "SGD")
METRICS = (
    *("accuracy", "auc", "mean_absolute_error", "mean_per_class_accuracy", "mean_squared_error"),
    *("precision", "recall", "recall_at_k", "root_mean_squared_error"),
    *("sensitivity_at_specificity", "specificity_at_sensitivity"),
)
_ACTIVATIONS = ("elu", "gelu", "leaky_relu", "relu", "selu", "sigmoid", "swish", "tanh")


def register() -> None:
    """Makes everything configurable by gin; calling it again changes nothing."""
    config.add_configurable(tf.distribute.MirroredStrategy, module="tf.distribute")
    for part, given in _OURS:
        config.add_configurable(
            part,
            denylist=given,
            paths=_PATHS.get(part, ()),
            given_only=_GIVEN_ONLY.get(part, ()),
        )
    for name in heads.HEAD_NAMES:
        config.add_configurable(heads.head_class(name), name, module="tf.estimator")
    for name in OPTIMIZERS:
        optimizer = getattr(tf.compat.v1.train, name)
        config.add_configurable(optimizer, name, module="tf.train", denylist=["learning_rate"])
    for name in canned_model.ESTIMATOR_NAMES:
        made = canned_model.estimator_class(name)
        config.add_configurable(made, name, module="tf.estimator", denylist=["head", "config"])
    for name in _KERAS_OPTIMIZERS:  # those that canned Estimators take
        config.add_configurable(getattr(tf.keras.optimizers.legacy, name), name, "tf.keras")
    for name in METRICS:
        metric = getattr(tf.compat.v1.metrics, name)
        config.add_configurable(metric, name, "tf.metrics", ["labels", "predictions"])
    for name in _ACTIVATIONS:
        config.add_configurable(getattr(tf.nn, name), name, module="tf.nn")
