"""Publishes a text embedding module, from a file of word vectors or from plain texts.

python -m examples.text_embeddings.export --vectors=glove.6B.100d.txt --export_path=out/glove
python -m examples.text_embeddings.export --texts=out/reviews/train.csv --export_path=out/module
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence

from absl import flags

from examples import commands


def define_flags() -> flags.FlagValues:
    """Returns this command's flags; nothing is defined in absl's global flags."""
    values = flags.FlagValues()
    texts = {
        "vectors": "A file of word vectors in the text format of word2vec or GloVe; gzip is fine.",
        "texts": "A CSV file with the columns text and label, to make vectors from the texts.",
        "export_path": "The folder of the new module.",
    }
    for name, help_text in texts.items():
        flags.DEFINE_string(name, None, help_text, flag_values=values)
    numbers = {
        "width": (128, "With --texts: how many numbers per word."),
        "min_count": (5, "With --texts: rarer words get no vector."),
        "max_words": (None, "Take only so many words, the most frequent ones."),
        "num_oov_buckets": (1, "How many vectors the unknown words share."),
        "max_unpacked_bytes": (2**35, "With --vectors: larger files are refused, unpacked."),
    }
    for name, (default, help_text) in numbers.items():
        flags.DEFINE_integer(name, default, help_text, lower_bound=1, flag_values=values)
    flags.DEFINE_float(
        "l2_strength", 0.0, "What half the squared vectors add to the loss of fine-tuning.",
        lower_bound=0.0, flag_values=values,
    )  # fmt: skip
    flags.mark_flag_as_required("export_path", values)
    flags.mark_flags_as_mutual_exclusive(["vectors", "texts"], required=True, flag_values=values)
    return values


def run(argv: Sequence[str]) -> int:
    """Runs the command; `argv` starts with the program's name. Returns the exit status."""
    return commands.run(_export, define_flags(), argv, str(__doc__))


def _export(values: flags.FlagValues) -> None:
    # TensorFlow is imported from here on: --help need not wait for it.
    from examples import publishing
    from examples.text_embeddings import from_texts, module, reviews, vectors

    publishing.check_free(values.export_path, vectors=values.vectors, texts=values.texts)
    if values.vectors is not None:
        found = vectors.read_vectors(values.vectors, values.max_words, values.max_unpacked_bytes)
    else:
        settings = from_texts.Settings(width=values.width, min_count=values.min_count)
        if values.max_words is not None:
            settings = dataclasses.replace(settings, max_words=values.max_words)
        texts = [review.text for review in reviews.read_table(values.texts)]
        found = from_texts.make_vectors(texts, settings)
    print(module.publish(found, values.export_path, values.num_oov_buckets, values.l2_strength))


if __name__ == "__main__":
    sys.exit(run(sys.argv))
