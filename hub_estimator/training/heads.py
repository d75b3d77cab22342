"""What a head of `tensorflow_estimator` tells about the labels that it takes."""

from __future__ import annotations

from typing import Any

from hub_estimator import compat

# The heads that a configuration can name, all of `tf.estimator`.
HEAD_NAMES = ("BinaryClassHead", "MultiClassHead", "MultiLabelHead", "RegressionHead")


def head_class(name: str) -> Any:
    """Returns the class of `tf.estimator` called `name`; needs legacy Keras."""
    compat.require_legacy_keras(f"The head {name}")
    return getattr(compat.estimator_module("v2"), name)


def num_classes(head: Any) -> int | None:
    """Returns `K` where the head takes labels 0 to `K - 1`, None where it takes other labels."""
    if isinstance(head, head_class("BinaryClassHead")):
        return 2
    if isinstance(head, head_class("MultiClassHead")):
        return int(head.logits_dimension)
    return None
