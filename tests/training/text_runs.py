"""A small run on texts that the tests of a module share: training takes longer than they do."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from hub_estimator import training
from hub_estimator.compat import head_class
from hub_estimator.training.inputs.text_file import TextFile
from hub_estimator.training.model.encoders import Encoder
from hub_estimator.training.model.model_fn import Model
from hub_estimator.training.optimization.optimization import Optimization
from tests.training import runs


def trained(model_dir: Any, text_module: str, data_file: str, steps: int = 1) -> Any:
    """Trains in a model folder, with a checkpoint at each step; returns the experiment."""
    head = head_class("BinaryClassHead")()
    optimization = Optimization(tf.compat.v1.train.AdagradOptimizer, 0.1)
    source = TextFile(data_file, batch_size=8)
    experiment = runs.experiment(
        Model([Encoder(text_module)], head, optimization), source, source, steps
    )
    training.train_and_evaluate(experiment, model_dir)
    return experiment
