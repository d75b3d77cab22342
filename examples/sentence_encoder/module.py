"""The sentence encoder as a module: token ids in, the embeddings of texts and tokens out."""

from __future__ import annotations

import logging
from collections.abc import Callable

import tensorflow as tf

import hub_estimator as hub
from examples import publishing
from examples.sentence_encoder import encoder
from examples.sentence_encoder.pretrained import Config, Pretrained, shapes
from hub_estimator import files

tf1 = tf.compat.v1
TRAIN = "train"
"""The tag of the variant to train on: dropout at work."""

_logger = logging.getLogger("hub_estimator")  # shown like the package's own log


def make_module_fn(config: Config, vocabulary_path: str) -> Callable[..., None]:
    """Makes the `module_fn` of a sentence encoder.

    Its signatures `default` and `tokens` are the same. Their input is `input_ids`, int64 `[B, T]`,
    0 where a text is filled up. Their outputs are float32: `default` `[B, D]`, the embeddings of
    the texts, of length 1; `sequence_output` `[B, T, D]`, those of the tokens; and `layer_0` (the
    embeddings before the first layer) to the last layer, `[B, T, D]`.

    The signature `tokenization_info` has no input; its outputs are `vocab_file`, the path of the
    vocabulary, which is an asset, and `do_lower_case`. The names are those of BERT's modules.

    Args:
      config: the encoder's sizes.
      vocabulary_path: a file with one token per line; the module carries a copy.
    """

    def module_fn(is_training: bool = False) -> None:
        ids = tf1.placeholder(tf.int64, [None, None], name="input_ids")
        weights = {
            name: tf.convert_to_tensor(tf1.get_variable(variable_name(name), shape))
            for name, shape in shapes(config).items()
        }
        layers = encoder.encode(ids, weights, config, is_training)
        outputs = {f"layer_{number}": layer for number, layer in enumerate(layers)}
        outputs["sequence_output"] = layers[-1]
        outputs["default"] = encoder.pool(layers[-1], ids)
        for signature in (None, "tokens"):
            hub.add_signature(signature, inputs={"input_ids": ids}, outputs=outputs)
        vocabulary = tf.constant(vocabulary_path)
        tf1.add_to_collection(tf1.GraphKeys.ASSET_FILEPATHS, vocabulary)
        hub.add_signature(
            "tokenization_info",
            outputs={"vocab_file": vocabulary, "do_lower_case": tf.constant(True)},
        )

    return module_fn


def variable_name(tensor_name: str) -> str:
    """Returns the name in the module of what the file of weights calls `tensor_name`."""
    return tensor_name.replace(".", "/")


def publish(pretrained: Pretrained, export_path: files.PathLike) -> str:
    """Publishes a sentence encoder with its two variants: for inference, and `{"train"}`.

    Args:
      pretrained: sizes, weights and vocabulary.
      export_path: the module's folder; it appears whole or not at all.

    Returns:
      The module's folder.

    Raises:
      publishing.ModuleExistsError: there is a module.
    """
    module_fn = make_module_fn(pretrained.config, pretrained.vocabulary_path)
    spec = hub.create_module_spec(module_fn, [(set(), {}), ({TRAIN}, {"is_training": True})])
    values = {variable_name(name): value for name, value in pretrained.tensors.items()}
    path = publishing.publish(spec, export_path, values)
    numbers = sum(value.size for value in values.values())
    _logger.info("Published an encoder of %.1f million weights as %s.", numbers / 1e6, path)
    return path
