"""Training on modules, in Python: what a user names.

    from hub_estimator import training

    experiment = training.Experiment(model, train_input, eval_input, 2000, 500)
    training.train_and_evaluate(experiment, "/tmp/model")

Importing this imports no TensorFlow: each name is imported when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hub_estimator.training.early_stopping import EarlyStopping
    from hub_estimator.training.example_spec import ExampleSpec
    from hub_estimator.training.experiment import Experiment, ReportWriter
    from hub_estimator.training.exporters.modules import BestModuleExporter, LatestModuleExporter
    from hub_estimator.training.exporters.servables import BestExporter, LatestExporter
    from hub_estimator.training.feature_cache import FeatureCache
    from hub_estimator.training.fresh_process import run_in_fresh_process
    from hub_estimator.training.gin_experiments import from_gin
    from hub_estimator.training.gin_predictors import predictor
    from hub_estimator.training.inputs.arrays import Arrays, Frame
    from hub_estimator.training.inputs.augmentation import Augmentation
    from hub_estimator.training.inputs.image_folder import ImageFolder
    from hub_estimator.training.inputs.json_file import JsonlFile
    from hub_estimator.training.inputs.records import Records
    from hub_estimator.training.inputs.text_file import TextFile
    from hub_estimator.training.inputs.tfds_input import TfdsInput
    from hub_estimator.training.labels.any_classes import AnyClasses
    from hub_estimator.training.labels.numbers import Numbers
    from hub_estimator.training.labels.one_class import OneClass
    from hub_estimator.training.model.canned_model import CannedModel
    from hub_estimator.training.model.contract import Capabilities, TrainableModel
    from hub_estimator.training.model.encoders import Encoder
    from hub_estimator.training.model.interactions import concatenation, pair_comparison, total
    from hub_estimator.training.model.layers import DenseLayers
    from hub_estimator.training.model.losses import SigmoidLoss, SoftmaxLoss
    from hub_estimator.training.model.metrics import Metric, macro_f1
    from hub_estimator.training.model.model_fn import Model
    from hub_estimator.training.model_folder.choice import CheckpointChoice
    from hub_estimator.training.model_folder.model_folder import ModelFolder
    from hub_estimator.training.objective import Objective
    from hub_estimator.training.optimization.optimization import Optimization
    from hub_estimator.training.optimization.schedules import (
        cosine_decay,
        exponential_decay,
        linear_decay,
        piecewise_decay,
    )
    from hub_estimator.training.optimization.weight_decay import AdamWOptimizer
    from hub_estimator.training.reports.report import Report
    from hub_estimator.training.running.evaluate_checkpoints import evaluate
    from hub_estimator.training.running.export_checkpoint import export
    from hub_estimator.training.running.exported import Exported
    from hub_estimator.training.running.following import Following
    from hub_estimator.training.running.predict_file import Predicted, predict
    from hub_estimator.training.running.prediction_speed import rows_per_second
    from hub_estimator.training.running.predictor import Predictor
    from hub_estimator.training.running.result import Result
    from hub_estimator.training.running.train_and_evaluate import train_and_evaluate

_WHERE = {
    "AdamWOptimizer": "optimization.weight_decay",
    "AnyClasses": "labels.any_classes",
    "Arrays": "inputs.arrays",
    "Augmentation": "inputs.augmentation",
    "BestExporter": "exporters.servables",
    "BestModuleExporter": "exporters.modules",
    "CannedModel": "model.canned_model",
    "Capabilities": "model.contract",
    "CheckpointChoice": "model_folder.choice",
    "DenseLayers": "model.layers",
    "EarlyStopping": "early_stopping",
    "Encoder": "model.encoders",
    "ExampleSpec": "example_spec",
    "Experiment": "experiment",
    "Exported": "running.exported",
    "FeatureCache": "feature_cache",
    "Following": "running.following",
    "Frame": "inputs.arrays",
    "ImageFolder": "inputs.image_folder",
    "JsonlFile": "inputs.json_file",
    "LatestExporter": "exporters.servables",
    "LatestModuleExporter": "exporters.modules",
    "Metric": "model.metrics",
    "Model": "model.model_fn",
    "ModelFolder": "model_folder.model_folder",
    "Numbers": "labels.numbers",
    "Objective": "objective",
    "OneClass": "labels.one_class",
    "Optimization": "optimization.optimization",
    "Predicted": "running.predict_file",
    "Predictor": "running.predictor",
    "Records": "inputs.records",
    "Report": "reports.report",
    "ReportWriter": "experiment",
    "Result": "running.result",
    "SigmoidLoss": "model.losses",
    "SoftmaxLoss": "model.losses",
    "TextFile": "inputs.text_file",
    "TfdsInput": "inputs.tfds_input",
    "TrainableModel": "model.contract",
    "concatenation": "model.interactions",
    "cosine_decay": "optimization.schedules",
    "evaluate": "running.evaluate_checkpoints",
    "exponential_decay": "optimization.schedules",
    "export": "running.export_checkpoint",
    "from_gin": "gin_experiments",
    "linear_decay": "optimization.schedules",
    "macro_f1": "model.metrics",
    "pair_comparison": "model.interactions",
    "piecewise_decay": "optimization.schedules",
    "predict": "running.predict_file",
    "predictor": "gin_predictors",
    "rows_per_second": "running.prediction_speed",
    "run_in_fresh_process": "fresh_process",
    "total": "model.interactions",
    "train_and_evaluate": "running.train_and_evaluate",
}
# The heads of `tf.estimator`, which exist on each TensorFlow here; see `model.open_heads`.
_HEADS = ("BinaryClassHead", "MultiClassHead", "MultiHead", "MultiLabelHead", "RegressionHead")

__all__ = [
    "AdamWOptimizer",
    "AnyClasses",
    "Arrays",
    "Augmentation",
    "BestExporter",
    "BestModuleExporter",
    "BinaryClassHead",
    "CannedModel",
    "Capabilities",
    "CheckpointChoice",
    "DenseLayers",
    "EarlyStopping",
    "Encoder",
    "ExampleSpec",
    "Experiment",
    "Exported",
    "FeatureCache",
    "Following",
    "Frame",
    "ImageFolder",
    "JsonlFile",
    "LatestExporter",
    "LatestModuleExporter",
    "Metric",
    "Model",
    "ModelFolder",
    "MultiClassHead",
    "MultiHead",
    "MultiLabelHead",
    "Numbers",
    "Objective",
    "OneClass",
    "Optimization",
    "Predicted",
    "Predictor",
    "Records",
    "RegressionHead",
    "Report",
    "ReportWriter",
    "Result",
    "SigmoidLoss",
    "SoftmaxLoss",
    "TextFile",
    "TfdsInput",
    "TrainableModel",
    "concatenation",
    "cosine_decay",
    "evaluate",
    "exponential_decay",
    "export",
    "from_gin",
    "linear_decay",
    "macro_f1",
    "pair_comparison",
    "piecewise_decay",
    "predict",
    "predictor",
    "rows_per_second",
    "run_in_fresh_process",
    "total",
    "train_and_evaluate",
]


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        value = getattr(importlib.import_module(f"{__name__}.{_WHERE[name]}"), name)
    elif name in _HEADS:
        value = importlib.import_module(f"{__name__}.model.heads").head_maker(name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
