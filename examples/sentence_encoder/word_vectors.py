"""Publishes a text embedding module with the token embeddings of a pre-trained encoder.

python -m examples.sentence_encoder.word_vectors --export_path=out/token_embeddings
python -m examples.sentence_encoder.word_vectors --export_path=out/random_vectors --random
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
from absl import flags

from examples import commands
from examples.sentence_encoder import pretrained
from examples.text_embeddings.vectors import WordVectors
from hub_estimator import errors

_NO_WORDS = "The vocabulary %s has no whole words of letters."


class NoWordsError(errors.Error, ValueError):
    """A vocabulary has nothing to make word vectors of."""


def define_flags() -> flags.FlagValues:
    """Returns this command's flags; nothing is defined in absl's global flags."""
    values = flags.FlagValues()
    flags.DEFINE_string(
        "export_path", None, "The folder of the new module.", flag_values=values, required=True
    )
    flags.DEFINE_string(
        "weights", None,
        "A folder with config.json, vocab.txt and model.safetensors of a BERT-like sentence "
        "encoder, in place of the installed one.",
        flag_values=values,
    )  # fmt: skip
    flags.DEFINE_bool(
        "random", False, "Random vectors of the same words, to compare with.", flag_values=values
    )
    flags.DEFINE_float(
        "l2_strength", 0.0, "What half the squared vectors add to the loss of fine-tuning.",
        lower_bound=0.0, flag_values=values,
    )  # fmt: skip
    return values


def run(argv: Sequence[str]) -> int:
    """Runs the command; `argv` starts with the program's name. Returns the exit status."""
    return commands.run(_export, define_flags(), argv, str(__doc__))


def _export(values: flags.FlagValues) -> None:
    # TensorFlow is imported from here on: --help need not wait for it.
    from examples import publishing
    from examples.text_embeddings import module

    path = publishing.check_free(values.export_path, weights=values.weights)
    found = token_vectors(pretrained.read(values.weights or pretrained.find_installed()))
    if values.random:
        found = random_vectors(found)
    print(module.publish(found, path, l2_strength=values.l2_strength))


def token_vectors(encoder: pretrained.Pretrained) -> WordVectors:
    """Takes the embeddings of the tokens that are whole words of letters.

    Their mean is taken out: all have it in common, so it tells nothing about a text.

    Args:
      encoder: its token embeddings are `[V, D]`.

    Returns:
      The words in the order of the vocabulary, each with `D` numbers.

    Raises:
      NoWordsError: the vocabulary has no such words.
    """
    tokens = pretrained.read_vocabulary(encoder.vocabulary_path)
    kept = {token: number for number, token in enumerate(tokens) if token.isalpha()}
    if not kept:
        raise NoWordsError(_NO_WORDS % encoder.vocabulary_path)
    rows = encoder.tensors["embeddings.word_embeddings.weight"][list(kept.values())]
    return WordVectors(list(kept), rows - rows.mean(axis=0))


def random_vectors(like: WordVectors) -> WordVectors:
    """Returns random vectors for the same words, as large as these on average; always the same."""
    noise = np.random.default_rng(1).normal(scale=like.vectors.std(), size=like.vectors.shape)
    return WordVectors(like.words, noise.astype(np.float32))


if __name__ == "__main__":
    sys.exit(run(sys.argv))
