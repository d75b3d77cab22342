"""Canned Estimators as the model of a run: feature columns, some of them modules, and a head."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from hub_estimator import compat, errors
from hub_estimator.training import checks
from hub_estimator.training.example_spec import ExampleSpec
from hub_estimator.training.model import heads

# Those that take a head, so that the run knows which labels they take.
ESTIMATOR_NAMES = ("DNNEstimator", "LinearEstimator", "DNNLinearCombinedEstimator")


def estimator_class(name: str) -> Any:
    """Returns the class of `tf.estimator` called `name`; needs legacy Keras."""
    compat.require_legacy_keras(f"The estimator {name}")
    return getattr(compat.estimator_module("v2"), name)


@dataclasses.dataclass(frozen=True)
class CannedModel:
    """A canned Estimator, such as `DNNEstimator`, on feature columns.

        CannedModel.estimator = @DNNEstimator
        CannedModel.head = @BinaryClassHead()
        CannedModel.columns = [@text_embedding_column()]

    Attributes:
      estimator: makes the Estimator, called with `head`, `config`, and the columns.
      head: a head of `tf.estimator`.
      columns: feature columns. An Estimator with a linear and a deep part gets them as its deep ones.
      linear_columns: those of the linear part of such an Estimator.
    """

    estimator: Callable[..., Any]
    head: Any
    columns: Sequence[Any]
    linear_columns: Sequence[Any] | None = None

    def check(self, mode: str, feature_names: Sequence[str]) -> None:
        """Checks what can be known before a graph is built.

        Raises:
          errors.ModelError: a part is none.
          errors.FeatureNotFoundError: the input does not give a feature.
        """
        del mode
        checks.listed("CannedModel.columns", self.columns, "[@text_embedding_column()]")
        checks.made("CannedModel.head", self.head, "@BinaryClassHead()", "create_estimator_spec")
        for name in self.example_spec().features:
            if name not in feature_names:
                raise errors.FeatureNotFoundError(
                    f"The columns take the feature {name!r}, which the input does not give. "
                    f"It gives: {', '.join(sorted(feature_names))}."
                )

    def example_spec(self) -> ExampleSpec:
        """Returns what the columns and the head take of each example."""
        weights = heads.feature_specs(self.head)
        features = dict(weights)
        # The last wins: a column that takes one value per example before one that takes any number.
        for column in [*(self.linear_columns or ()), *self.columns]:
            parsed = tf.feature_column.make_parse_example_spec([column])
            features |= {name: _tensor_spec(name, spec) for name, spec in parsed.items()}
        return ExampleSpec(features, heads.label_spec(self.head), tuple(sorted(weights)))

    def model_fn(
        self,
        features: Mapping[str, Any],
        labels: Any,
        mode: str,
        params: Mapping[str, Any] | None = None,
        config: Any = None,
    ) -> Any:
        """Builds the Estimator's model in the default graph; see `Model.model_fn`."""
        del params
        columns = {"feature_columns": self.columns}
        if self.linear_columns is not None:
            columns = {
                "dnn_feature_columns": self.columns,
                "linear_feature_columns": self.linear_columns,
            }
        # Only its model_fn is used, so it writes nothing; without a folder it would make one.
        config = config or compat.estimator_module().RunConfig(model_dir=".")
        made = self.estimator(head=self.head, config=config, **columns)
        return made.model_fn(features, labels, mode, config)


def _tensor_spec(name: str, spec: Any) -> tf.TensorSpec:
    """Returns what a column takes in a batch, whose examples are dense."""
    if isinstance(spec, tf.io.FixedLenFeature):
        shape = list(spec.shape)
        # A column of one value per example takes `[B]` too, which files of tables give.
        return tf.TensorSpec([None] if shape == [1] else [None, *shape], spec.dtype, name)
    return tf.TensorSpec([None, None], spec.dtype, name)
