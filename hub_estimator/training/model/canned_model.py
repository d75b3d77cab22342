"""Canned Estimators as the model of a run: feature columns, some of them modules, and a head."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from hub_estimator import compat, errors
from hub_estimator.training import checks
from hub_estimator.training.example_spec import ExampleSpec
from hub_estimator.training.labels.class_counts import Classes
from hub_estimator.training.model import heads, open_heads
from hub_estimator.training.model.estimator_names import ESTIMATOR_NAMES
from hub_estimator.training.model.open_heads import Asked

# What Estimators call their columns: those with one part, and those with two.
_COLUMNS = "feature_columns"
_DEEP_COLUMNS, _LINEAR_COLUMNS = "dnn_feature_columns", "linear_feature_columns"


def estimator_class(name: str) -> Any:
    """Returns the class of `tf.estimator` called `name`."""
    return getattr(compat.estimator_module("v2"), name)


@dataclasses.dataclass(frozen=True)
class CannedModel:
    """A canned Estimator, such as `DNNEstimator`, on feature columns.

        CannedModel.estimator = @DNNEstimator
        CannedModel.head = @BinaryClassHead()
        CannedModel.columns = [@text_embedding_column]

    Attributes:
      estimator: makes the Estimator, called with `head`, `config`, and the columns.
      head: a head of `tf.estimator`, or one of `open_heads`.
      columns: feature columns, or functions without arguments that make them, which may read modules:
        they are called once, when the columns are needed. An Estimator with a linear and a deep part
        gets them as its deep ones.
      linear_columns: those of the linear part of such an Estimator; None for all others.
    """

    estimator: Callable[..., Any]
    head: Any
    columns: Sequence[Any]
    linear_columns: Sequence[Any] | None = None

    @property
    def asked(self) -> Asked | None:
        """What the head asks of the training data; None where it asks nothing."""
        return heads.asked_by(self.head)

    def with_classes(self, classes: Mapping[str, Classes]) -> CannedModel:
        """Returns the model with what the training data tells of its classes."""
        return dataclasses.replace(self, head=open_heads.closed(self.head, classes))

    def check(self, mode: str, feature_names: Sequence[str]) -> None:
        """Checks what can be known before a graph is built.

        Raises:
          errors.InvalidSettingError: a part is none.
          errors.PartsMismatchError: the Estimator does not take the others.
          errors.FeatureNotFoundError: the input does not give a feature.
        """
        del mode
        checks.listed("CannedModel.columns", self.columns, "[@text_embedding_column]")
        checks.part("CannedModel.head", self.head, "@BinaryClassHead()", "create_estimator_spec")
        self._check_estimator()
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
        columns, linear_columns = self._made_columns
        for column in [*(linear_columns or ()), *columns]:
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
        own, linear = self._made_columns
        columns = {_COLUMNS: own}
        if linear is not None:
            columns = {_DEEP_COLUMNS: own, _LINEAR_COLUMNS: linear}
        # Only its model_fn is used, so it writes nothing; without a folder it would make one.
        config = config or compat.estimator_module().RunConfig(model_dir=".")
        made = self.estimator(head=self.head, config=config, **columns)
        return made.model_fn(features, labels, mode, config)

    @functools.cached_property
    def _made_columns(self) -> tuple[list[Any], list[Any] | None]:
        """The columns and those of the linear part; a function that is in both makes one for both."""
        made: dict[int, Any] = {}

        def columns(given: Sequence[Any]) -> list[Any]:
            for column in given:
                if callable(column) and id(column) not in made:
                    made[id(column)] = column()
            return [made.get(id(column), column) for column in given]

        linear = None if self.linear_columns is None else columns(self.linear_columns)
        return columns(self.columns), linear

    def _check_estimator(self) -> None:
        """Checks that the Estimator takes the head, and the columns in the form they are given in."""
        taken = _parameters(self.estimator)
        if any(parameter.kind is parameter.VAR_KEYWORD for parameter in taken.values()):
            return  # what it does with them, its signature does not say
        given = f"CannedModel.estimator is @{_name(self.estimator)}, which"
        if "head" not in taken:
            raise errors.PartsMismatchError(
                f"{given} takes no head. Give one that does: "
                f"{', '.join(f'@{name}' for name in ESTIMATOR_NAMES)}."
            )
        if self.linear_columns is None and _COLUMNS not in taken and _LINEAR_COLUMNS in taken:
            raise errors.PartsMismatchError(
                f"{given} has a linear and a deep part, and CannedModel.linear_columns is not set. "
                "Set it to the columns of the linear part, or choose @DNNEstimator."
            )
        if self.linear_columns is not None and _LINEAR_COLUMNS not in taken:
            raise errors.PartsMismatchError(
                f"{given} takes one list of columns, and CannedModel.linear_columns is set too. "
                "Remove it, or choose @DNNLinearCombinedEstimator."
            )


def _parameters(estimator: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """Returns what is given to a function that makes an Estimator."""
    if isinstance(estimator, functools.partial):
        return _parameters(estimator.func)
    # Not of the class: one that gin gives has a metaclass, whose call takes anything.
    function = estimator.__init__ if isinstance(estimator, type) else estimator  # type: ignore[misc]
    return inspect.signature(function).parameters


def _name(estimator: Callable[..., Any]) -> str:
    """Returns the name of what makes an Estimator as gin files write it."""
    if isinstance(estimator, functools.partial):
        return _name(estimator.func)
    # TensorFlow calls the class that it shows as `DNNEstimator` by another name.
    return str(getattr(estimator, "__name__", type(estimator).__name__)).removesuffix("V2")


def _tensor_spec(name: str, spec: Any) -> tf.TensorSpec:
    """Returns what a column takes in a batch, whose examples are dense."""
    if isinstance(spec, tf.io.FixedLenFeature):
        shape = list(spec.shape)
        # A column of one value per example takes `[B]` too, which files of tables give.
        return tf.TensorSpec([None] if shape == [1] else [None, *shape], spec.dtype, name)
    return tf.TensorSpec([None, None], spec.dtype, name)
