"""The image module: a convolutional network for small gray images."""

from __future__ import annotations

import tensorflow as tf

import hub_estimator as hub
from examples.image_module.digits import SIZE
from hub_estimator import compat

tf1 = tf.compat.v1
WIDTH = 64
TRAIN = "train"
"""The tag of the variant to train on: batch statistics, and dropout at work."""


def make_spec() -> hub.ModuleSpec:
    """Defines the module with its two variants: without tags for inference, and `{"train"}`."""
    variants = [(set(), {}), ({TRAIN}, {"is_training": True})]
    return hub.create_module_spec(module_fn, variants)


def module_fn(is_training: bool = False) -> None:
    """Builds the module's graph.

    The signatures `default` and `image_feature_vector` are the same. Their input is `images`,
    float32 `[B, 8, 8, 1]` in [0, 1]. Their outputs are `default`, the features, float32 `[B, 64]`,
    and what the layers before them give: `conv_1` `[B, 8, 8, 16]`, `conv_2` `[B, 8, 8, 32]`,
    `conv_3` `[B, 4, 4, 64]`.

    Args:
      is_training: whether batch normalization uses the batch's statistics (and adds the update
        operations of its moving averages), and dropout is at work.
    """
    images = tf1.placeholder(tf.float32, [None, SIZE, SIZE, 1], name="images")
    outputs = {"conv_1": _conv(images, 16, "conv_1", is_training)}
    outputs["conv_2"] = _conv(outputs["conv_1"], 32, "conv_2", is_training)
    pooled = tf.nn.max_pool2d(outputs["conv_2"], 2, 2, "VALID")
    outputs["conv_3"] = _conv(pooled, 64, "conv_3", is_training)
    pooled = tf.nn.max_pool2d(outputs["conv_3"], 2, 2, "VALID")
    flat = tf.reshape(pooled, [-1, (SIZE // 4) ** 2 * 64])
    features = compat.legacy_layers().dense(
        flat,
        WIDTH,
        activation=tf.nn.relu,
        kernel_initializer=tf1.glorot_uniform_initializer(seed=4),
        kernel_regularizer=_l2,
        name="features",
    )
    if is_training:
        features = tf.nn.dropout(features, rate=0.5, seed=5)
    outputs["default"] = features
    for name in (None, "image_feature_vector"):
        hub.add_signature(name, inputs={"images": images}, outputs=outputs)
    info = hub.ImageModuleInfo()
    info.default_image_size.height = info.default_image_size.width = SIZE
    hub.attach_image_module_info(info)


def _conv(images: tf.Tensor, channels: int, name: str, is_training: bool) -> tf.Tensor:
    """A 3 x 3 convolution, batch normalization and ReLU: `[B, H, W, C]` to `[B, H, W, channels]`."""
    layers = compat.legacy_layers()  # tf.compat.v1.layers, on every TensorFlow
    with tf1.variable_scope(name):
        outputs = layers.conv2d(
            images,
            channels,
            3,
            padding="same",
            use_bias=False,  # batch normalization has one
            # The seeds make publishing repeatable; a module's graph has no seed of its own.
            kernel_initializer=tf1.glorot_uniform_initializer(seed=channels),
            kernel_regularizer=_l2,
            name="conv",
        )
        outputs = layers.batch_normalization(
            outputs, momentum=0.9, training=is_training, name="batch_norm"
        )
        return tf.nn.relu(outputs)


def _l2(kernel: tf.Tensor) -> tf.Tensor:
    return 1e-4 * tf.nn.l2_loss(kernel)
