"""inception_v3 and resnet_v2_50 of `tf_slim.nets`, with their features and their classes."""

from __future__ import annotations

import functools
from typing import Any

import tensorflow as tf

import hub_estimator

tf1 = tf.compat.v1
CLASSES = 1001
DROP = {"inception_v3": ["moving_vars"], "resnet_v2_50": ["resnet_v2_50/_end_points"]}


def _slim() -> Any:
    hub_estimator.compat.install()  # tf_slim looks for TF1's layers where no release has them
    import tf_slim

    return tf_slim


def inception_v3(images: tf.Tensor, is_training: bool) -> tuple[tf.Tensor, tf.Tensor]:
    slim = _slim()
    from tf_slim.nets import inception_v3 as nets

    with slim.arg_scope(nets.inception_v3_arg_scope()):
        logits, ends = nets.inception_v3(
            images, CLASSES, is_training=is_training, create_aux_logits=False
        )
    return tf.reduce_mean(ends["Mixed_7c"], [1, 2]), logits


def resnet_v2_50(images: tf.Tensor, is_training: bool) -> tuple[tf.Tensor, tf.Tensor]:
    slim = _slim()
    from tf_slim.nets import resnet_v2 as nets

    with slim.arg_scope(nets.resnet_arg_scope()):
        logits, ends = nets.resnet_v2_50(images, CLASSES, is_training=is_training)
    return tf.reduce_mean(ends["resnet_v2_50/block4"], [1, 2]), tf.squeeze(logits, [1, 2])


NETWORKS = {"inception_v3": inception_v3, "resnet_v2_50": resnet_v2_50}


def module_fn(library: Any, name: str, size: int) -> Any:
    """Returns the `module_fn` of a network.

    Its signatures are `"default"`, float32 `[B, size, size, 3]` to the features `[B, D]`, and
    `"image_classification"`, to the logits `[B, 1001]`.
    """
    return functools.partial(_build, library, name, size)


def _build(library: Any, name: str, size: int, is_training: bool = False) -> None:
    images = tf1.placeholder(tf.float32, [None, size, size, 3])
    features, logits = NETWORKS[name](images, is_training)
    library.add_signature(inputs={"images": images}, outputs=features)
    library.add_signature("image_classification", {"images": images}, {"logits": logits})
