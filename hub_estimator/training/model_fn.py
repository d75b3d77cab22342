"""The model: encoders, layers and a head, as an ordinary `model_fn` of an Estimator."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from hub_estimator import errors
from hub_estimator.training import checks, heads
from hub_estimator.training.encoders import Encoder
from hub_estimator.training.example_spec import ExampleSpec
from hub_estimator.training.layers import DenseLayers, dense
from hub_estimator.training.optimization.optimization import Optimization


@dataclasses.dataclass(frozen=True)
class Model:
    """Encoders side by side, dense layers on top of them, and a head.

    Its `model_fn` is an ordinary one: `tf.estimator.Estimator(Model(...).model_fn, model_dir)`.

    Attributes:
      encoders: one or more; their outputs are concatenated.
      head: a head of `tf.estimator`, for example `tf.estimator.BinaryClassHead()`.
      optimization: how it is trained.
      layers: the layers between the encoders and the head; None is none.
      regularization_scale: what the sum of the modules' and the layers' regularization losses is
        multiplied by before it is added to the loss.
    """

    encoders: Sequence[Encoder]
    head: Any
    optimization: Optimization
    layers: DenseLayers | None = None
    regularization_scale: float = 1.0

    def check(self, mode: str, feature_names: Sequence[str]) -> None:
        """Checks what can be known before a graph is built; see `Encoder.check`.

        Raises:
          errors.ModelError: the model has no encoder, or two are exported under one name; a part
            is none.
        """
        self._check_parts()
        exported = [each.export_name for each in self.encoders if each.export_name is not None]
        for name in exported:
            if exported.count(name) > 1:
                raise errors.ModelError(
                    f"Two encoders are exported as {name!r}. Give each its own Encoder.export_name."
                )
        for encoder in self.encoders:
            encoder.check(mode, feature_names)

    def _check_parts(self) -> None:
        checks.listed("Model.encoders", self.encoders, "[@Encoder()]")
        if not self.encoders:
            raise errors.ModelError("The model has no encoder. Give Model.encoders at least one.")
        for encoder in self.encoders:
            checks.made("An element of Model.encoders", encoder, "@Encoder()", "feature_specs")
        checks.made("Model.head", self.head, "@BinaryClassHead()", "create_estimator_spec")
        checks.made("Model.optimization", self.optimization, "@Optimization()", "train_op")
        if self.layers is not None:
            checks.made("Model.layers", self.layers, "@DenseLayers()", "__call__")

    def example_spec(self) -> ExampleSpec:
        """Returns what the encoders and the head take of each example."""
        features = {
            name: spec for each in self.encoders for name, spec in each.feature_specs().items()
        }
        features |= heads.feature_specs(self.head)
        return ExampleSpec(features, heads.label_spec(self.head))

    def model_fn(
        self,
        features: Mapping[str, Any],
        labels: Any,
        mode: str,
        params: Mapping[str, Any] | None = None,
        config: Any = None,
    ) -> Any:
        """Builds the model in the default graph.

        Args:
          features: tensors by feature name, with `B` as their first dimension.
          labels: what the head takes, `[B]` or `[B, 1]`; None when predicting.
          mode: one of `tf.estimator.ModeKeys`.
          params: not used; `TPUEstimator` gives them.
          config: not used; Estimators give it.

        Returns:
          The `tf.estimator.EstimatorSpec`.
        """
        del params, config
        logits = self._logits(features, training=mode == "train", mode=mode)
        return self.head.create_estimator_spec(
            features=features,
            mode=mode,
            logits=logits,
            labels=labels,
            train_op_fn=self.optimization.train_op,
            regularization_losses=self._regularization_losses(),
        )

    def _logits(self, features: Mapping[str, Any], training: bool, mode: str) -> tf.Tensor:
        encoded = [encoder(features, mode) for encoder in self.encoders]
        outputs = encoded[0] if len(encoded) == 1 else tf.concat(encoded, axis=1)
        if self.layers is not None:
            outputs = self.layers(outputs, training)
        return dense(outputs, self.head.logits_dimension, "logits")

    def _regularization_losses(self) -> list[tf.Tensor] | None:
        """Returns the regularization loss, which the head adds to the loss and shows apart."""
        losses = tf.compat.v1.losses.get_regularization_losses()
        if not (losses and self.regularization_scale):
            return None
        return [self.regularization_scale * tf.add_n(losses)]
