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

# The heads that a configuration can name, all of `tf.estimator`.
HEAD_NAMES = ("BinaryClassHead", "MultiClassHead", "MultiLabelHead", "RegressionHead", "MultiHead")


def head_class(name: str) -> Any:
    """Returns the class of `tf.estimator` called `name`; needs legacy Keras."""
    compat.require_legacy_keras(f"The head {name}")
    return compat.head_class(name)


def label_spec(head: Any) -> Labels:
    """Returns the labels that a head takes; for a multi-head, those of each of its heads."""
    details = compat.head_details(head)
    if details.parts:
        return {name: _one_label_spec(part) for name, part in details.parts.items()}
    return _one_label_spec(head)


def feature_specs(head: Any) -> dict[str, tf.TensorSpec]:
    """Returns the features that a head takes beside the encoders': the weights of examples."""
    heads = [head, *compat.head_details(head).parts.values()]
    names = {compat.head_details(part).weight_feature for part in heads} - {None}
    return {str(name): tf.TensorSpec([None], tf.float32, name) for name in names}


def _one_label_spec(head: Any) -> LabelSpec:
    vocabulary = compat.head_details(head).vocabulary
    by_name = vocabulary is not None
    if isinstance(head, head_class("BinaryClassHead")):
        return OneClass(2, vocabulary, by_name)
    if isinstance(head, head_class("MultiClassHead")):
        return OneClass(int(head.logits_dimension), vocabulary, by_name)
    if isinstance(head, head_class("MultiLabelHead")):
        # A multi-label head takes zeros and ones with or without a vocabulary.
        return AnyClasses(int(head.logits_dimension), vocabulary)
    if isinstance(head, head_class("RegressionHead")):
        return Numbers(int(head.logits_dimension))
    return AnyLabels()
