"""Shows how similar a sentence encoder module finds sentences: 1 is the same, 0 unrelated.

python -m examples.sentence_encoder.similarities --module=out/sentence_encoder
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
from absl import flags

from examples import commands

SENTENCES = (
    "A man is playing a guitar.",
    "Someone plays an instrument.",
    "The stock market fell sharply today.",
    "Share prices dropped.",
)


def define_flags() -> flags.FlagValues:
    """Returns this command's flags; nothing is defined in absl's global flags."""
    values = flags.FlagValues()
    flags.DEFINE_string("module", None, "The module.", flag_values=values, required=True)
    flags.DEFINE_multi_string(
        "sentence", SENTENCES, "A sentence; give the flag again for more.", flag_values=values
    )
    flags.DEFINE_integer(
        "length", 64, "How many tokens of a sentence count.", lower_bound=3, flag_values=values
    )
    return values


def run(argv: Sequence[str]) -> int:
    """Runs the command; `argv` starts with the program's name. Returns the exit status."""
    return commands.run(_show, define_flags(), argv, str(__doc__))


def _show(values: flags.FlagValues) -> None:
    embeddings = embed(values.module, values.sentence, values.length)
    for sentence, row in zip(values.sentence, embeddings @ embeddings.T, strict=True):
        print(" ".join(f"{similarity:6.3f}" for similarity in row), f"  {sentence}")


def embed(module: str, sentences: Sequence[str], length: int) -> np.ndarray:
    """Returns the embeddings of sentences.

    Args:
      module: the handle of a sentence encoder module; its vocabulary is read from its assets.
      sentences: `B` plain texts.
      length: how many tokens of each count.

    Returns:
      Float32 `[B, D]`.
    """
    import tensorflow as tf

    import hub_estimator as hub
    from examples.sentence_encoder.pretrained import read_vocabulary
    from examples.sentence_encoder.wordpiece import WordPiece

    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        encoder = hub.Module(module)
        ids = tf.compat.v1.placeholder(tf.int64, [None, None])
        embeddings = encoder(ids, signature="tokens")
        info = encoder(signature="tokenization_info", as_dict=True)
        session.run(tf.compat.v1.global_variables_initializer())
        tokens = WordPiece(read_vocabulary(session.run(info["vocab_file"])))
        rows = [tokens.ids(sentence, length) for sentence in sentences]
        return session.run(embeddings, {ids: rows})


if __name__ == "__main__":
    sys.exit(run(sys.argv))
