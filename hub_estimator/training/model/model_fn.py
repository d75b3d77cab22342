"""The model: encoders, layers and a head, as an ordinary `model_fn` of an Estimator."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from hub_estimator import errors, files
from hub_estimator.format.spec import ModuleSpec
from hub_estimator.graph.registration import register_module_for_export
from hub_estimator.training import checks
from hub_estimator.training.example_spec import ExampleSpec
from hub_estimator.training.labels.class_counts import Classes
from hub_estimator.training.labels.label_spec import LabelSpec
from hub_estimator.training.model import (
    frozen_variables,
    heads,
    interactions,
    open_heads,
    precomputed,
)
from hub_estimator.training.model.composition import ComposedModule, composed_spec
from hub_estimator.training.model.contract import Capabilities
from hub_estimator.training.model.encoders import Encoder
from hub_estimator.training.model.layers import DenseLayers, dense
from hub_estimator.training.model.metrics import Metric
from hub_estimator.training.model.open_heads import Asked
from hub_estimator.training.optimization.groups import VariableGroup
from hub_estimator.training.optimization.optimization import Optimization

Interaction = Callable[[Sequence[tf.Tensor]], tf.Tensor]


@dataclasses.dataclass(frozen=True)
class Model:
    """Encoders side by side, an interaction and dense layers on top of them, and a head.

    Its `model_fn` is an ordinary one: `tf.estimator.Estimator(Model(...).model_fn, model_dir)`.

    Attributes:
      encoders: one or more, of the same or different modules, on the same or different features.
      head: a head of `tf.estimator`, for example `tf.estimator.BinaryClassHead()`, or one of
        `open_heads`.
      optimization: how it is trained.
      layers: the layers between the encoders and the head; None is none.
      interaction: makes one tensor of the encoders' outputs; see `interactions`.
      metrics: what evaluations tell beside the head's own metrics.
      regularization_scale: what the sum of the modules' and the layers' regularization losses is
        multiplied by before it is added to the loss.
      export_name: the name under which exporters export all that comes before the head as one
        module, which takes the model's features; None does not export it.
      save_frozen: whether checkpoints hold the variables of encoders that training leaves as they
        are, as far as they are TF1 Hub modules; those of TF2 SavedModels always are in them. False
        makes them smaller and quicker to save; evaluation, prediction and exports then read these
        variables from the handles, where the same modules must still be.
    """

    encoders: Sequence[Encoder]
    head: Any
    optimization: Optimization
    layers: DenseLayers | None = None
    interaction: Interaction = interactions.concatenation
    metrics: Sequence[Metric] = ()
    regularization_scale: float = 1.0
    export_name: str | None = None
    save_frozen: bool = True

    def check(self, mode: str, feature_names: Sequence[str]) -> None:
        """Checks what can be known before a graph is built; see `Encoder.check`.

        Raises:
          errors.DuplicateNameError: two encoders are exported under one name.
          errors.InvalidSettingError: the model has no encoder, or a part is none.
          errors.InvalidPathNameError: `export_name` cannot be the name of a folder.
        """
        self._check_parts()
        exported = [
            encoder.export_name for encoder in self.encoders if encoder.export_name is not None
        ]
        for name in exported:
            if exported.count(name) > 1:
                raise errors.DuplicateNameError(
                    f"Two encoders are exported as {name!r}. Give each its own Encoder.export_name."
                )
        for encoder in self.encoders:
            encoder.check(mode, feature_names)

    @property
    def asked(self) -> Asked | None:
        """What the head asks of the training data; None where it asks nothing."""
        return heads.asked_by(self.head)

    def with_classes(self, classes: Mapping[str, Classes]) -> Model:
        """Returns the model with what the training data tells of its classes."""
        return dataclasses.replace(self, head=open_heads.closed(self.head, classes))

    @property
    def capabilities(self) -> Capabilities:
        """What a run may do with the model; of one whose graph a subclass builds, next to nothing."""
        if not _has_methods_of(Model, self, "model_fn", "represent"):
            return Capabilities(unsaved_variables=not self.save_frozen)
        are_ours = all(_has_methods_of(Encoder, encoder, "__call__") for encoder in self.encoders)
        return Capabilities(
            encoders=tuple(self.encoders) if are_ours else (),
            head_features=frozenset(heads.feature_specs(self.head)),
            inner_tensors=are_ours,
            unsaved_variables=not self.save_frozen,
            needs_each_step=False,
        )

    def _check_parts(self) -> None:
        checks.listed("Model.encoders", self.encoders, "[@Encoder()]")
        if not self.encoders:
            raise errors.InvalidSettingError(
                "The model has no encoder. Give Model.encoders at least one."
            )
        for encoder in self.encoders:
            checks.part("An element of Model.encoders", encoder, "@Encoder()", "feature_specs")
        checks.part("Model.head", self.head, "@BinaryClassHead()", "create_estimator_spec")
        checks.part("Model.optimization", self.optimization, "@Optimization()", "train_op")
        if self.layers is not None:
            checks.part("Model.layers", self.layers, "@DenseLayers()", "__call__")
            self.layers.check()
        checks.listed("Model.metrics", self.metrics, "[@Metric()]")
        for metric in self.metrics:
            checks.part("An element of Model.metrics", metric, "@Metric()", "name", "__call__")
        checks.number("Model.regularization_scale", self.regularization_scale)
        if self.export_name is not None:
            files.check_name("Model.export_name", self.export_name)

    def example_spec(self) -> ExampleSpec:
        """Returns what the encoders and the head take of each example."""
        weights = heads.feature_specs(self.head)
        features = dict(weights)
        for encoder in self.encoders:
            for name, spec in encoder.feature_specs().items():
                features[name] = _merged(name, features.get(name, spec), spec)
        encoded = {name for encoder in self.encoders for name in encoder.feature_specs()}
        only_weights = tuple(sorted(set(weights) - encoded))
        return ExampleSpec(features, heads.label_spec(self.head), only_weights)

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
          labels: what the head takes, `[B]`, `[B, 1]` or `[B, K]`, or a dict of these by the names
            of the heads of a multi-head; None when predicting.
          mode: one of `tf.estimator.ModeKeys`.
          params: not used; `TPUEstimator` gives them.
          config: the Estimator's `RunConfig`; None is one with its defaults.

        Returns:
          The `tf.estimator.EstimatorSpec`.
        """
        del params
        outputs, groups = self.represent(features, mode)
        regularization = self._regularization_losses()
        spec = self.head.create_estimator_spec(
            features=features,
            mode=mode,
            logits=dense(outputs, self.head.logits_dimension, "logits"),
            labels=labels,
            train_op_fn=lambda loss: self.optimization.train_op(loss, groups),
            regularization_losses=regularization,
        )
        if mode == "infer" and self.export_name is not None:
            register_module_for_export(ComposedModule(self._composed), self.export_name)
        if mode == "train":
            _summarize_data_loss(spec.loss, regularization)
        else:
            spec = self._evaluated(spec, labels)
        return spec if self.save_frozen else self._without_frozen(spec, config)

    def represent(
        self, features: Mapping[str, Any], mode: str
    ) -> tuple[tf.Tensor, list[VariableGroup]]:
        """Adds all that comes before the head.

        Args:
          features: tensors by feature name, with `B` as their first dimension.
          mode: the Estimator's mode.

        Returns:
          What the head's logits are made from, float32 `[B, D]`, and the encoders' variables that
          are trained.
        """
        scopes = _scopes([encoder.name for encoder in self.encoders])
        encodings = [
            encoder(
                features,
                mode,
                precomputed.outputs(features, number),
                scope,
                precomputed.inner_tensors(features, number),
            )
            for number, (encoder, scope) in enumerate(zip(self.encoders, scopes, strict=True))
        ]
        outputs = self.interaction([output for found in encodings for output in found.outputs])
        if self.layers is not None:
            outputs = self.layers(outputs, training=mode == "train")
        return outputs, [found.group for found in encodings if found.group is not None]

    @functools.cached_property
    def _composed(self) -> ModuleSpec:
        """The module of all that comes before the head, whose users may train all of it."""
        model = dataclasses.replace(
            self, encoders=[encoder.trainable_by_others() for encoder in self.encoders]
        )
        return composed_spec(
            lambda features, mode: model.represent(features, mode)[0], self.example_spec()
        )

    def _regularization_losses(self) -> list[tf.Tensor] | None:
        """Returns the regularization loss, which the head adds to the loss and shows apart."""
        losses = tf.compat.v1.losses.get_regularization_losses()
        if not (losses and self.regularization_scale):
            return None
        return [self.regularization_scale * tf.add_n(losses)]

    def _evaluated(self, spec: Any, labels: Any) -> Any:
        """Adds to the spec of an evaluation or prediction what it is restored by, and metrics."""
        metrics = dict(spec.eval_metric_ops or {})
        for metric in self.metrics if spec.mode == "eval" else ():
            if metric.name in metrics:
                raise errors.DuplicateNameError(
                    f"Two metrics are called {metric.name!r}. Give each its own Metric.name; the "
                    f"head has: {', '.join(sorted(metrics))}."
                )
            metrics[metric.name] = metric(self._for_metrics(labels), spec.predictions)
        return spec._replace(
            eval_metric_ops=metrics or None, scaffold=self.optimization.scaffold() or spec.scaffold
        )

    def _without_frozen(self, spec: Any, config: Any) -> Any:
        """Keeps the variables of frozen encoders out of checkpoints."""
        names = None if spec.mode == "train" else self.optimization.names_to_restore()
        scaffold = frozen_variables.scaffold(spec.mode, config, names)
        return spec if scaffold is None else spec._replace(scaffold=scaffold)

    def _for_metrics(self, labels: Any) -> Any:
        """Returns labels as metrics take them."""
        spec = heads.label_spec(self.head)
        if isinstance(spec, LabelSpec):
            return spec.for_metrics(labels)
        return {name: part.for_metrics(labels[name]) for name, part in spec.items()}


def _has_methods_of(base: type, part: Any, *names: str) -> bool:
    """Whether a part builds what its base class builds: a subclass may do something else."""
    return all(getattr(type(part), name, None) is getattr(base, name) for name in names)


def _scopes(names: Sequence[str]) -> list[str]:
    """Returns a name of its own for each encoder, as TensorFlow does for their variable scopes."""
    scopes: list[str] = []
    for name in names:
        numbered = (f"{name}_{number}" for number in itertools.count(1))
        scopes.append(
            next(free for free in itertools.chain([name], numbered) if free not in scopes)
        )
    return scopes


def _merged(name: str, first: tf.TensorSpec, second: tf.TensorSpec) -> tf.TensorSpec:
    """Returns what two parts of a model take of one feature."""
    if first.dtype != second.dtype or not first.shape.is_compatible_with(second.shape):
        raise errors.PartsMismatchError(
            f"Two parts of the model take the feature {name!r}, one as {first.dtype.name} "
            f"{first.shape}, one as {second.dtype.name} {second.shape}. Give them different "
            "features."
        )
    return tf.TensorSpec(first.shape.merge_with(second.shape), first.dtype, name)


def _summarize_data_loss(loss: tf.Tensor, regularization: list[tf.Tensor] | None) -> None:
    """Shows the loss without regularization in TensorBoard, in the root scope."""
    with tf.name_scope(""):
        data_loss = loss if regularization is None else loss - tf.add_n(regularization)
        tf.compat.v1.summary.scalar("data_loss", data_loss)
