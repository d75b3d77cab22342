"""Publishes a text embedding module, from a file of word vectors or from plain texts.

python -m examples.text_embeddings.export --vectors=glove.6B.100d.txt --export_path=out/glove
python -m examples.text_embeddings.export --texts=out/reviews/train.csv --export_path=out/module
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence

from examples import command_line


def main(argv: Sequence[str] | None = None) -> None:
    """Parses the command line and does what it says."""
    args = _parser().parse_args(argv)
    with command_line.clear_errors():
        _export(args)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Publish a text embedding module.")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--vectors", help="a file of word vectors (word2vec or GloVe, text, gzip)")
    source.add_argument("--texts", help="a CSV file with a column `text`, to make vectors from")
    parser.add_argument("--export_path", required=True, help="the folder of the new module")
    parser.add_argument("--width", type=_positive, default=128, help="numbers per word (--texts)")
    parser.add_argument("--max_words", type=_positive, help="take only the most frequent words")
    parser.add_argument("--num_oov_buckets", type=_positive, default=1, help="for unknown words")
    parser.add_argument("--l2_strength", type=float, default=0.0, help="loss when fine-tuning")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not positive")
    return number


def _export(args: argparse.Namespace) -> None:
    # TensorFlow is imported from here on: --help need not wait for it.
    from examples.text_embeddings import from_texts, module, reviews, vectors

    module.check_free(args.export_path)
    if args.vectors:
        found = vectors.read_vectors(args.vectors, args.max_words)
    else:
        settings = from_texts.Settings(width=args.width)
        if args.max_words:
            settings = dataclasses.replace(settings, max_words=args.max_words)
        texts = [review.text for review in reviews.read_table(args.texts)]
        found = from_texts.make_vectors(texts, settings)
    module.publish(found, args.export_path, args.num_oov_buckets, args.l2_strength)


if __name__ == "__main__":
    main()
