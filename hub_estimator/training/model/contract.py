"""What a run asks of a model: `Model` and `CannedModel` fulfil it, and so may anybody else's.

`tests/training/model/model_contract.py` has the tests that each model passes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import tensorflow as tf

from hub_estimator import errors
from hub_estimator.training.example_spec import ExampleSpec
from hub_estimator.training.labels.class_counts import Classes
from hub_estimator.training.model.encoders import Encoder
from hub_estimator.training.model.open_heads import Asked


@dataclasses.dataclass(frozen=True)
class Capabilities:
    """What a run may do with a model beyond building and training it.

    Attributes:
      encoders: the encoders whose outputs the model takes from the features that
        `precomputed.name(number, use)` names, where the batches have these, in place of running the
        encoder of that number. The feature cache keeps what those of them give that are frozen.
      head_features: the names of the features that the model takes beside the encoders'.
      inner_tensors: whether it takes tensors inside of an encoder's module, too, from the features that
        `precomputed.inner_name(number, tensor)` names, and computes the encoder's output from them
        (`Encoder.__call__`, `inside`). The feature cache keeps those of encoders that are trained.
      unsaved_variables: whether checkpoints leave out the variables that `frozen_variables` lists.
      needs_each_step: whether the model adds training hooks that must see each step; several steps
        may be run in one call of the session's hooks where it does not.
    """

    encoders: tuple[Encoder, ...] = ()
    head_features: frozenset[str] = frozenset()
    inner_tensors: bool = False
    unsaved_variables: bool = False
    needs_each_step: bool = True


class TrainableModel(Protocol):
    """A model that a run can train, evaluate, predict with and export.

    It may have an attribute `capabilities` too, a `Capabilities`; without one it has none of them.
    It may ask of the labels of the training data, by an attribute `asked`, an `Asked` or None: then
    the run goes on with what its `with_classes` returns for the answer.
    """

    def check(self, mode: str, feature_names: Sequence[str]) -> None:
        """Checks what can be known before a graph is built.

        Args:
          mode: one of `tf.estimator.ModeKeys`.
          feature_names: the features that the data gives.

        Raises:
          errors.ModelError: the model cannot be built so.
          errors.FeatureNotFoundError: the data does not give a feature.
        """

    def example_spec(self) -> ExampleSpec:
        """Returns the features and labels that the model takes of each example."""

    def model_fn(
        self,
        features: Mapping[str, tf.Tensor],
        labels: Any,
        mode: str,
        params: Mapping[str, Any] | None = None,
        config: Any = None,
    ) -> Any:
        """Builds the model in the default graph, as an Estimator's `model_fn`.

        Args:
          features: those of `example_spec`, by name, with `B` as their first dimension.
          labels: those of `example_spec`; None when predicting.
          mode: one of `tf.estimator.ModeKeys`.
          params: not used; Estimators give them.
          config: the Estimator's `RunConfig`.

        Returns:
          A `tf.estimator.EstimatorSpec`.
        """


def capabilities_of(model: TrainableModel) -> Capabilities:
    """Returns what a run may do with a model; nothing, where the model does not say.

    Raises:
      errors.InvalidSettingError: what it says is something else, such as a method.
    """
    found = getattr(model, "capabilities", Capabilities())
    if not isinstance(found, Capabilities):
        raise errors.InvalidSettingError(
            f"The capabilities of {type(model).__name__} are {found!r}; they must be a Capabilities. "
            "Make them an attribute or a property."
        )
    return found


def asked_by(model: TrainableModel) -> Asked | None:
    """Returns what a model asks of its training data; None where it asks nothing."""
    return getattr(model, "asked", None)


def with_classes(model: TrainableModel, classes: Mapping[str, Classes]) -> TrainableModel:
    """Returns a model that asks, with the answer: the classes of its heads by their names."""
    return model.with_classes(classes)  # type: ignore[attr-defined,no-any-return]
