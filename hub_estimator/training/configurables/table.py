"""What gin files can name, as a table: our own parts, and those of TensorFlow. It needs no TensorFlow.

A part has the name of its function or class. What is not in here, a configuration names only after
it imported a module that registers it.
"""

from __future__ import annotations

import dataclasses

from hub_estimator.training.model.estimator_names import ESTIMATOR_NAMES, HEAD_NAMES


@dataclasses.dataclass(frozen=True)
class Part:
    """A function or class of this package.

    Attributes:
      name: its name.
      module: where it is, within this package.
      given: the parameters that the run gives and no configuration may set.
      paths: those that are paths of what is read, so that a model folder's configuration finds it from
        anywhere.
      given_only: those that write elsewhere than into the model folder, or remove, or download and run
        what prepares a dataset: a model folder's configuration, which may be a stranger's, cannot ask
        for it.
      uses: settings that put it to work, `{}` being its name.
    """

    name: str
    module: str
    given: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    given_only: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()

    @property
    def settings(self) -> tuple[str, ...]:
        """The settings that put it to work, with its name in them."""
        return tuple(use.format(self.name) for use in self.uses)


@dataclasses.dataclass(frozen=True)
class Family:
    """Functions or classes of TensorFlow.

    Attributes:
      title: what they are.
      module: what comes before their names where these alone are ambiguous.
      names: their names.
      use: a setting that puts one to work, `{}` being its name.
      given: see `Part`; each is one of some of them.
      given_only: see `Part`; here too.
    """

    title: str
    module: str
    names: tuple[str, ...]
    use: str
    given: tuple[str, ...] = ()
    given_only: tuple[str, ...] = ()


_RATE = ("learning_rate", "global_step")
_SERVING = ("serving_input_fn",)
_COLUMN = ("CannedModel.columns = [@{}]",)
_INPUT = ("Experiment.train_input = @train/{}()",)
_DECAY = ("Optimization.decay = @{}",)
_INTERACTION = ("Model.interaction = @{}",)
_EXPORTER = ("Experiment.exporters = [@{}]",)

# Each under the title that lists show.
OURS: dict[str, tuple[Part, ...]] = {
    "The run": (
        Part("Experiment", "training.experiment", given=("source",)),
        Part("Objective", "training.objective", uses=("Experiment.objective = @{}()",)),
        Part(
            "EarlyStopping",
            "training.early_stopping",
            uses=("Experiment.early_stopping = @{}()",),
        ),
        Part(
            "FeatureCache",
            "training.feature_cache.feature_cache",
            given_only=("folder", "max_gigabytes"),
            uses=("Experiment.feature_cache = @{}()",),
        ),
        Part("Report", "training.reports.report", uses=("Experiment.report = @{}()",)),
    ),
    "The model": (
        Part("Model", "training.model.model_fn", uses=("Experiment.model = @{}()",)),
        Part(
            "Encoder",
            "training.model.encoders",
            paths=("handle",),
            uses=("Model.encoders = [@{}()]",),
        ),
        Part("DenseLayers", "training.model.layers", uses=("Model.layers = @{}()",)),
        Part("concatenation", "training.model.interactions", ("encoded",), uses=_INTERACTION),
        Part("pair_comparison", "training.model.interactions", ("encoded",), uses=_INTERACTION),
        Part("total", "training.model.interactions", ("encoded",), uses=_INTERACTION),
        Part(
            "SoftmaxLoss",
            "training.model.losses",
            uses=("MultiClassHead.loss_fn = @{}()",),
        ),
        Part(
            "SigmoidLoss",
            "training.model.losses",
            uses=(
                "BinaryClassHead.loss_fn = @{}()",
                "MultiLabelHead.loss_fn = @{}()",
            ),
        ),
        Part("Metric", "training.model.metrics", uses=("Model.metrics = [@{}()]",)),
        Part(
            "macro_f1",
            "training.model.metrics",
            ("labels", "predictions"),
            uses=("Metric.function = @{}",),
        ),
        Part(
            "CannedModel",
            "training.model.canned_model",
            uses=("Experiment.model = @{}()",),
        ),
        Part("text_embedding_column", "graph.columns", paths=("module_spec",), uses=_COLUMN),
        Part("text_embedding_column_v2", "graph.columns", paths=("module_path",), uses=_COLUMN),
        Part("sparse_text_embedding_column", "graph.columns", paths=("module_spec",), uses=_COLUMN),
        Part("image_embedding_column", "graph.columns", paths=("module_spec",), uses=_COLUMN),
    ),
    "How it is trained": (
        Part(
            "Optimization",
            "training.optimization.optimization",
            uses=("Model.optimization = @{}()",),
        ),
        Part(
            "AdamWOptimizer",
            "training.optimization.weight_decay",
            ("learning_rate",),
            uses=("Optimization.optimizer = @{}",),
        ),
        Part("linear_decay", "training.optimization.schedules", _RATE, uses=_DECAY),
        Part("cosine_decay", "training.optimization.schedules", _RATE, uses=_DECAY),
        Part("exponential_decay", "training.optimization.schedules", _RATE, uses=_DECAY),
        Part("piecewise_decay", "training.optimization.schedules", _RATE, uses=_DECAY),
    ),
    "Examples": (
        Part("TextFile", "training.inputs.text_file", paths=("path",), uses=_INPUT),
        Part("JsonlFile", "training.inputs.json_file", paths=("path",), uses=_INPUT),
        Part("ImageFolder", "training.inputs.image_folder", paths=("path",), uses=_INPUT),
        Part(
            "Augmentation",
            "training.inputs.augmentation",
            uses=("train/ImageFolder.augment = @{}()",),
        ),
        Part("Records", "training.inputs.records", paths=("path",), uses=_INPUT),
        Part(
            "TfdsInput",
            "training.inputs.tfds_input",
            paths=("data_dir", "name"),
            given_only=("download",),
            uses=_INPUT,
        ),
        Part("Arrays", "training.inputs.arrays", uses=_INPUT),
        Part("Frame", "training.inputs.arrays", uses=_INPUT),
    ),
    "Exports": (
        Part("LatestModuleExporter", "training.exporters.modules", _SERVING, uses=_EXPORTER),
        Part("BestModuleExporter", "training.exporters.modules", _SERVING, uses=_EXPORTER),
        Part("LatestExporter", "training.exporters.servables", _SERVING, uses=_EXPORTER),
        Part("BestExporter", "training.exporters.servables", _SERVING, uses=_EXPORTER),
    ),
}

# Not AdagradDAOptimizer: it makes all weights anew from the sum of their gradients, and so forgets
# the initial values, which a fine-tuned module starts from.
OPTIMIZERS = (
    *("AdadeltaOptimizer", "AdagradOptimizer", "AdamOptimizer", "FtrlOptimizer"),
    *("GradientDescentOptimizer", "MomentumOptimizer", "ProximalAdagradOptimizer"),
    *("ProximalGradientDescentOptimizer", "RMSPropOptimizer"),
)
METRICS = (
    *("accuracy", "auc", "mean_absolute_error", "mean_per_class_accuracy", "mean_squared_error"),
    *("precision", "recall", "recall_at_k", "root_mean_squared_error"),
    *("sensitivity_at_specificity", "specificity_at_sensitivity"),
)
_KERAS_OPTIMIZERS = ("Adagrad", "Adam", "Ftrl", "RMSprop", "SGD")
_ACTIVATIONS = ("elu", "gelu", "leaky_relu", "relu", "selu", "sigmoid", "swish", "tanh")

_LABELS = ("labels", "predictions")

FAMILIES = (
    Family("Heads", "tf.estimator", HEAD_NAMES, "Model.head = @{}()"),
    Family("Metrics", "tf.metrics", METRICS, "Metric.function = @{}", _LABELS),
    Family("Activations", "tf.nn", _ACTIVATIONS, "DenseLayers.activation = @{}", ("features", "x")),
    Family(
        "Optimizers", "tf.train", OPTIMIZERS, "Optimization.optimizer = @{}", ("learning_rate",)
    ),
    Family(
        "Canned Estimators",
        "tf.estimator",
        ESTIMATOR_NAMES,
        "CannedModel.estimator = @{}",
        ("head", "config", "feature_columns", "dnn_feature_columns", "linear_feature_columns"),
        ("model_dir", "warm_start_from"),  # of no use: the run has the folder
    ),
    Family(
        "Optimizers of canned Estimators",
        "tf.keras",
        _KERAS_OPTIMIZERS,
        "DNNEstimator.optimizer = @{}",
    ),
    Family("Feature columns", "hub_estimator", ("numeric_column",), "CannedModel.columns = [@{}]"),
    Family(
        "Strategies",
        "tf.distribute",
        ("MirroredStrategy", "MultiWorkerMirroredStrategy"),
        "Experiment.distribute = @{}",
    ),
)
