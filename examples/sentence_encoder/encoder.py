"""The encoder's computation: a stack of transformer layers over token ids.

The network is BERT's (Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers",
NAACL 2019), with the pooling of sentence-transformers on top. Weights come as a mapping from the
names in the file of weights to tensors.

Shapes: `B` texts, `T` tokens, `D` width, `N` attention heads.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping

import tensorflow as tf

from examples.sentence_encoder.pretrained import Config

Weights = Mapping[str, tf.Tensor]
Dropout = Callable[[tf.Tensor], tf.Tensor]
PADDING = 0
"""The id of what fills up short texts."""


def encode(
    ids: tf.Tensor, weights: Weights, config: Config, is_training: bool = False
) -> list[tf.Tensor]:
    """Runs all layers.

    Args:
      ids: int64 `[B, T]`; 0 is padding, which no token attends to.
      weights: by the names of `pretrained.shapes`.
      config: the sizes.
      is_training: whether dropout is at work.

    Returns:
      The embeddings of the tokens, and what each layer makes of them: float32 `[B, T, D]`.
    """
    drop = _dropout(config.dropout if is_training else 0.0)
    bias = -1e9 * tf.cast(tf.equal(ids, PADDING), tf.float32)[:, tf.newaxis, tf.newaxis, :]
    outputs = [drop(_embed(ids, weights, config))]
    for number in range(config.layers):
        layer = f"encoder.layer.{number}"
        with tf.name_scope(f"layer_{number + 1}"):
            attended = _attend(outputs[-1], bias, weights, f"{layer}.attention.self", config, drop)
            attended = drop(_dense(attended, weights, f"{layer}.attention.output.dense"))
            hidden = _norm(outputs[-1] + attended, weights, f"{layer}.attention.output", config)
            inner = tf.nn.gelu(_dense(hidden, weights, f"{layer}.intermediate.dense"))
            inner = drop(_dense(inner, weights, f"{layer}.output.dense"))
            outputs.append(_norm(hidden + inner, weights, f"{layer}.output", config))
    return outputs


def pool(sequence: tf.Tensor, ids: tf.Tensor) -> tf.Tensor:
    """Averages the vectors of real tokens and scales the average to length 1.

    Args:
      sequence: float32 `[B, T, D]`.
      ids: int64 `[B, T]`.

    Returns:
      Float32 `[B, D]`; zeros for a text without tokens.
    """
    mask = tf.cast(tf.not_equal(ids, PADDING), tf.float32)[:, :, tf.newaxis]
    means = tf.math.divide_no_nan(
        tf.reduce_sum(mask * sequence, axis=1), tf.reduce_sum(mask, axis=1)
    )
    return tf.math.l2_normalize(means, axis=1)


def _embed(ids: tf.Tensor, weights: Weights, config: Config) -> tf.Tensor:
    length = tf.shape(ids)[1]
    fits = tf.debugging.assert_less_equal(
        length, config.positions, "The texts have more tokens than the encoder has positions."
    )
    with tf.control_dependencies([fits]):
        positions = weights["embeddings.position_embeddings.weight"][:length]
    tokens = tf.gather(weights["embeddings.word_embeddings.weight"], ids)
    kind = weights["embeddings.token_type_embeddings.weight"][0]  # of a single text, no pair
    return _norm(tokens + positions + kind, weights, "embeddings", config)


def _attend(
    inputs: tf.Tensor, bias: tf.Tensor, weights: Weights, name: str, config: Config, drop: Dropout
) -> tf.Tensor:
    """Attention of all tokens to all real ones: `[B, T, D]` to the same shape."""
    size = config.width // config.heads
    shape = tf.shape(inputs)
    query, key, value = (
        tf.reshape(
            _dense(inputs, weights, f"{name}.{part}"), [shape[0], shape[1], config.heads, size]
        )
        for part in ("query", "key", "value")
    )
    scores = tf.einsum("bqnd,bknd->bnqk", query, key) * size**-0.5 + bias
    attended = tf.einsum("bnqk,bknd->bqnd", drop(tf.nn.softmax(scores)), value)
    return tf.reshape(attended, [shape[0], shape[1], config.width])


def _dense(inputs: tf.Tensor, weights: Weights, name: str) -> tf.Tensor:
    return tf.einsum("btd,ed->bte", inputs, weights[f"{name}.weight"]) + weights[f"{name}.bias"]


def _norm(inputs: tf.Tensor, weights: Weights, name: str, config: Config) -> tf.Tensor:
    mean, variance = tf.nn.moments(inputs, axes=[-1], keepdims=True)
    scale, offset = (weights[f"{name}.LayerNorm.{part}"] for part in ("weight", "bias"))
    return tf.nn.batch_normalization(inputs, mean, variance, offset, scale, config.epsilon)


def _dropout(rate: float) -> Dropout:
    # Seeds make training on the module repeatable; a module's graph has no seed of its own.
    seeds = itertools.count(1)
    return lambda values: tf.nn.dropout(values, rate, seed=next(seeds)) if rate else values
