"""The heads that a configuration can name, and the labels and features that they take."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from hub_estimator import compat
from hub_estimator.training.example_spec import Labels
from hub_estimator.training.labels.any_classes import AnyClasses
from hub_estimator.training.labels.label_spec import LabelSpec
from hub_estimator.training.labels.numbers import Numbers
from hub_estimator.training.labels.one_class import OneClass
from hub_estimator.training.labels.unknown import AnyLabels
from hub_estimator.training.model import open_heads
from hub_estimator.training.model.open_heads import Asked, OpenHead, OpenMultiHead


def head_maker(name: str) -> Any:
    """Returns what makes the head called `name`: see `open_heads`, or the class of `tf.estimator`."""
    return getattr(open_heads, name, None) or compat.head_class(name)


def label_spec(head: Any) -> Labels:
    """Returns the labels that a head takes; for a multi-head, those of each of its heads.

    Raises:
      errors.PartsMismatchError: the training data has yet to tell its classes.
    """
    open_heads.check_closed(head)
    details = compat.head_details(head)
    if details.parts:
        return {name: _one_label_spec(part) for name, part in details.parts.items()}
    return _one_label_spec(head)


def asked_by(head: Any) -> Asked | None:
    """Returns what a head asks of the training data; None where it asks nothing."""
    if isinstance(head, OpenHead):
        return Asked(head.labels, head.needs_counts)
    if not isinstance(head, OpenMultiHead):
        return None
    are_open = [part for part in head.heads if isinstance(part, OpenHead)]
    labels = {
        part.name: part.labels if isinstance(part, OpenHead) else _one_label_spec(part)
        for part in head.heads
    }
    return Asked(labels, any(part.needs_counts for part in are_open))


def feature_specs(head: Any) -> dict[str, tf.TensorSpec]:
    """Returns the features that a head takes beside the encoders': the weights of examples."""
    heads = [head, *compat.head_details(head).parts.values()]
    names = {compat.head_details(part).weight_feature for part in heads} - {None}
    return {str(name): tf.TensorSpec([None], tf.float32, name) for name in names}


def _one_label_spec(head: Any) -> LabelSpec:
    vocabulary = compat.head_details(head).vocabulary
    by_name = vocabulary is not None
    if isinstance(head, compat.head_class("BinaryClassHead")):
        return OneClass(2, vocabulary, by_name)
    if isinstance(head, compat.head_class("MultiClassHead")):
        return OneClass(int(head.logits_dimension), vocabulary, by_name)
    if isinstance(head, compat.head_class("MultiLabelHead")):
        # A multi-label head takes zeros and ones with or without a vocabulary.
        return AnyClasses(int(head.logits_dimension), vocabulary)
    if isinstance(head, compat.head_class("RegressionHead")):
        return Numbers(int(head.logits_dimension))
    return AnyLabels()
