"""Losses for heads: label smoothing and class weights, as the `loss_fn` of a head.

    MultiClassHead.loss_fn = @SoftmaxLoss()
    SoftmaxLoss.label_smoothing = 0.1

A head multiplies what a loss returns by the weights of the examples and takes the mean.

With `class_weights = 'balanced'` a class weighs `N / (K * count)`: of `N` training examples `count`
are of it, so that each of the `K` classes weighs alike in the loss of all. Of any of several classes
`N` counts an example once for each of its classes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from hub_estimator import errors
from hub_estimator.training import checks
from hub_estimator.training.labels.class_counts import Classes

BALANCED = "balanced"
"""Class weights that the training data tells."""


@dataclasses.dataclass(frozen=True)
class SoftmaxLoss:
    """Cross entropy of one of `K` classes, for `MultiClassHead`.

    Attributes:
      label_smoothing: what part of each label is spread over all classes (Szegedy et al.,
        "Rethinking the Inception Architecture for Computer Vision", CVPR 2016).
      class_weights: what the loss of an example is multiplied by, one number per class; `'balanced'`
        is numbers with which each class of the training data weighs alike.

    Raises:
      errors.InvalidSettingError: a setting is of another type or size.
    """

    label_smoothing: float = 0.0
    class_weights: Sequence[float] | str | None = None

    heads: ClassVar[tuple[str, ...]] = ("MultiClassHead",)
    """The heads whose labels it takes."""

    def __post_init__(self) -> None:
        checks.fraction("SoftmaxLoss.label_smoothing", self.label_smoothing)
        _check_weights("SoftmaxLoss.class_weights", self.class_weights)

    @property
    def needs_counts(self) -> bool:
        """Whether the training data must tell how many examples each class has."""
        return _is_balanced(self.class_weights)

    def with_classes(self, classes: Classes) -> SoftmaxLoss:
        """Returns the loss with balanced weights of these classes.

        Raises:
          errors.LabelError: one has no example.
        """
        return dataclasses.replace(self, class_weights=classes.balanced_weights())

    def __call__(self, labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """Returns the loss of each example.

        Args:
          labels: int64 `[B, 1]`, the numbers of the classes.
          logits: float32 `[B, K]`.

        Returns:
          float32 `[B, 1]`.

        Raises:
          errors.PartsMismatchError: there is not one weight for each class.
        """
        classes = logits.shape[-1]
        weights = _weights("SoftmaxLoss", self.class_weights, classes)
        wanted = _smoothed(tf.one_hot(labels[:, 0], classes), self.label_smoothing, classes)
        loss = tf.nn.softmax_cross_entropy_with_logits(labels=wanted, logits=logits)[:, None]
        return loss if weights is None else loss * tf.gather(weights, labels)


@dataclasses.dataclass(frozen=True)
class SigmoidLoss:
    """Cross entropy of yes or no, for `BinaryClassHead` and `MultiLabelHead`.

    Attributes:
      label_smoothing: how far each label is moved towards 1/2; 1 moves it there.
      class_weights: for a binary head two numbers, what the loss of an example of class 0 and of 1
        is multiplied by; for a multi-label head one number per class. `'balanced'` is numbers with
        which each class of the training data weighs alike.

    Raises:
      errors.InvalidSettingError: a setting is of another type or size.
    """

    label_smoothing: float = 0.0
    class_weights: Sequence[float] | str | None = None

    heads: ClassVar[tuple[str, ...]] = ("BinaryClassHead", "MultiLabelHead")
    """The heads whose labels it takes."""

    def __post_init__(self) -> None:
        checks.number("SigmoidLoss.label_smoothing", self.label_smoothing, most=1)
        _check_weights("SigmoidLoss.class_weights", self.class_weights)

    @property
    def needs_counts(self) -> bool:
        """Whether the training data must tell how many examples each class has."""
        return _is_balanced(self.class_weights)

    def with_classes(self, classes: Classes) -> SigmoidLoss:
        """Returns the loss with balanced weights of these classes.

        Raises:
          errors.LabelError: one has no example.
        """
        return dataclasses.replace(self, class_weights=classes.balanced_weights())

    def __call__(self, labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """Returns the loss of each example, that of several classes being their mean.

        Args:
          labels: zeros and ones, `[B, 1]`, or `[B, K]`.
          logits: float32 `[B, 1]`, or `[B, K]`.

        Returns:
          float32 `[B, 1]`.

        Raises:
          errors.PartsMismatchError: there is not one weight for each class.
        """
        classes = logits.shape[-1]
        labels = tf.cast(labels, tf.float32)
        weights = _weights("SigmoidLoss", self.class_weights, 2 if classes == 1 else classes)
        loss = tf.nn.sigmoid_cross_entropy_with_logits(
            labels=_smoothed(labels, self.label_smoothing, 2), logits=logits
        )
        if weights is not None:
            loss *= tf.gather(weights, tf.cast(labels, tf.int64)) if classes == 1 else weights
        return tf.reduce_mean(loss, axis=-1, keepdims=True)


def _is_balanced(weights: Any) -> bool:
    return isinstance(weights, str) and weights == BALANCED


def _check_weights(name: str, weights: Any) -> None:
    if weights is None or _is_balanced(weights):
        return
    weights = weights.tolist() if isinstance(weights, np.ndarray) else weights
    checks.listed(name, weights, f"[1.0, 2.5], or {BALANCED!r}")
    for number, weight in enumerate(weights):
        checks.number(f"{name}[{number}]", weight)


def _smoothed(labels: tf.Tensor, smoothing: float, classes: int) -> tf.Tensor:
    return labels * (1.0 - smoothing) + smoothing / classes if smoothing else labels


def _weights(name: str, weights: Sequence[float] | str | None, classes: int) -> tf.Tensor | None:
    if weights is None:
        return None
    if isinstance(weights, str):
        raise errors.PartsMismatchError(
            f"{name}.class_weights is {weights!r}, which the training data has to tell: make the head "
            "by hub_estimator.training, as training.MultiClassHead, for train_and_evaluate. "
            "Elsewhere give one number per class."
        )
    if len(weights) != classes:
        raise errors.PartsMismatchError(
            f"{name}.class_weights has {len(weights)} numbers for {classes} classes. Give one "
            "number per class."
        )
    return tf.constant(weights, tf.float32)
