"""A transformer encoder of 12 layers in the plain TF1 way, with three signatures.

Source of the architecture: Vaswani et al., "Attention Is All You Need", 2017, section 3; learned
positions and GELU as in Devlin et al., "BERT", 2018. Narrow, so that its operations count, not its
bytes: 12 layers of width 128.
"""

from __future__ import annotations

import functools
from typing import Any

import tensorflow as tf

tf1 = tf.compat.v1
LAYERS, WIDTH, HEADS, INNER = 12, 128, 4, 512
WORDS, TOKENS = 5000, 64
DROPOUT = 0.1


def module_fn(library: Any) -> Any:
    """Returns the `module_fn`.

    The signatures take `ids` and `mask`, int32 `[B, 64]`: `"default"` gives float32 `[B, 128]`,
    `"tokens"` gives `[B, 64, 128]`, `"masked_words"` the logits `[B, 64, 5000]`.
    """
    return functools.partial(_build, library)


def _build(library: Any, is_training: bool = False) -> None:
    rate = DROPOUT if is_training else 0.0
    ids = tf1.placeholder(tf.int32, [None, TOKENS], "ids")
    mask = tf1.placeholder(tf.int32, [None, TOKENS], "mask")
    words = _variable("words", [WORDS, WIDTH])
    tokens = _encoder(ids, mask, words, rate)
    pooled = tf.tanh(_dense(tokens[:, 0], WIDTH, "pooled"))
    transformed = _normalized(tf.nn.gelu(_dense(tokens, WIDTH, "transform")), "transform_norm")
    logits = tf.einsum("btd,wd->btw", transformed, words)
    inputs = {"ids": ids, "mask": mask}
    library.add_signature(inputs=inputs, outputs=pooled)
    library.add_signature("tokens", inputs, tokens)
    library.add_signature("masked_words", inputs, {"logits": logits})


def _encoder(ids: tf.Tensor, mask: tf.Tensor, words: Any, rate: float) -> tf.Tensor:
    positions = _variable("positions", [TOKENS, WIDTH])
    tokens = _dropped(_normalized(tf.gather(words, ids) + positions, "norm"), rate)
    bias = (1.0 - tf.cast(mask, tf.float32))[:, None, None, :] * -1e9
    for number in range(LAYERS):
        with tf1.variable_scope(f"layer_{number}"):
            attended = _dropped(_attention(tokens, bias, rate), rate)
            tokens = _normalized(tokens + attended, "attention_norm")
            inner = tf.nn.gelu(_dense(tokens, INNER, "inner"))
            tokens = _normalized(tokens + _dropped(_dense(inner, WIDTH, "outer"), rate), "norm")
    return tokens


def _attention(tokens: tf.Tensor, bias: tf.Tensor, rate: float) -> tf.Tensor:
    query, key, value = (_heads(_dense(tokens, WIDTH, name)) for name in ("query", "key", "value"))
    scores = tf.matmul(query, key, transpose_b=True) / (WIDTH // HEADS) ** 0.5
    weights = _dropped(tf.nn.softmax(scores + bias), rate)
    mixed = tf.transpose(tf.matmul(weights, value), [0, 2, 1, 3])
    return _dense(tf.reshape(mixed, [-1, TOKENS, WIDTH]), WIDTH, "mixed")


def _heads(values: tf.Tensor) -> tf.Tensor:
    return tf.transpose(tf.reshape(values, [-1, TOKENS, HEADS, WIDTH // HEADS]), [0, 2, 1, 3])


def _dense(values: tf.Tensor, width: int, name: str) -> tf.Tensor:
    with tf1.variable_scope(name):
        kernel = _variable("kernel", [values.shape[-1], width])
        bias = tf1.get_variable("bias", [width], initializer=tf1.zeros_initializer())
        return tf.tensordot(values, kernel, 1) + bias


def _normalized(values: tf.Tensor, name: str) -> tf.Tensor:
    with tf1.variable_scope(name):
        scale = tf1.get_variable("scale", [WIDTH], initializer=tf1.ones_initializer())
        offset = tf1.get_variable("offset", [WIDTH], initializer=tf1.zeros_initializer())
        mean, variance = tf.nn.moments(values, [-1], keepdims=True)
        return tf.nn.batch_normalization(values, mean, variance, offset, scale, 1e-6)


def _dropped(values: tf.Tensor, rate: float) -> tf.Tensor:
    return tf.nn.dropout(values, rate=rate) if rate else values


def _variable(name: str, shape: Any) -> Any:
    return tf1.get_variable(name, shape, initializer=tf1.random_normal_initializer(stddev=0.02))
