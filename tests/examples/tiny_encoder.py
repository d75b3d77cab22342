"""Pre-trained weights of an encoder so small that a test writes them in no time."""

from __future__ import annotations

import json
import pathlib

import numpy as np
import safetensors.numpy

from examples.sentence_encoder import pretrained

CONFIG = {
    "model_type": "bert",
    "hidden_act": "gelu",
    "vocab_size": 8,
    "max_position_embeddings": 6,
    "hidden_size": 4,
    "intermediate_size": 6,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "layer_norm_eps": 1e-12,
    "hidden_dropout_prob": 0.5,
}
TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "!", "good", "film", "##s"]
SIZES = pretrained.Config(8, 6, 4, 6, 2, 2, 1e-12, 0.5)


def tensors() -> dict[str, np.ndarray]:
    """Weights from a formula, so that another implementation can be given the same."""
    return {
        name: np.sin(np.arange(np.prod(shape)) + number).reshape(shape).astype(np.float32)
        for number, (name, shape) in enumerate(sorted(pretrained.shapes(SIZES).items()))
    }


def write(folder: pathlib.Path, **changes) -> pathlib.Path:
    """Writes the three files; keyword arguments replace what they hold."""
    folder.mkdir(exist_ok=True)
    config = json.dumps({**CONFIG, **changes.get("config", {})})
    (folder / "config.json").write_text(config, encoding="utf-8")
    lines = "".join(f"{token}\n" for token in changes.get("tokens", TOKENS))
    (folder / "vocab.txt").write_text(lines, encoding="utf-8")
    weights = safetensors.numpy.save({**tensors(), **changes.get("tensors", {})})
    (folder / "model.safetensors").write_bytes(weights)
    return folder
