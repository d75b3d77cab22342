"""Puts numbers beside reviews: what the words of a text do not show.

python -m examples.numbers_module.prepare --reviews=out/reviews --folder=out/numbers

It reads train.csv and test.csv, which examples.text_embeddings.prepare makes, and writes both with
more columns: how many words, exclamation marks and question marks a review has, and which share of
its letters are capitals. The split stays as it is.
"""

from __future__ import annotations

import csv
import io
import logging
import sys
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from absl import flags

from examples.text_embeddings import reviews
from hub_estimator import command_line, files

_logger = logging.getLogger("hub_estimator")  # shown like the package's own log
_NAMES = ("train.csv", "test.csv")


class Row(NamedTuple):
    """One review: its text, its numbers, and 1 for a positive, 0 for a negative one."""

    text: str
    words: int
    capitals: float
    exclamations: int
    questions: int
    label: int


def define_flags() -> flags.FlagValues:
    """Returns this command's flags; nothing is defined in absl's global flags."""
    values = flags.FlagValues()
    flags.DEFINE_string(
        "reviews", None, "The folder with train.csv and test.csv.", flag_values=values,
        required=True,
    )  # fmt: skip
    flags.DEFINE_string(
        "folder", None, "Where the two new files go.", flag_values=values, required=True
    )
    return values


def run(argv: Sequence[str]) -> int:
    """Runs the command; `argv` starts with the program's name. Returns the exit status."""
    return command_line.run(_prepare, define_flags(), argv, str(__doc__))


def _prepare(values: flags.FlagValues) -> None:
    print(write_tables(values.reviews, values.folder))


def write_tables(source: files.PathLike, folder: files.PathLike) -> str:
    """Writes both tables with numbers, both or neither; a folder that has both is left as it is.

    Args:
      source: the folder with the reviews.
      folder: where the new tables go.

    Returns:
      The folder's path.

    Raises:
      reviews.DataNotFoundError, reviews.BrokenDataError: see `reviews.read_table`.
      errors.OutputIsInputError: the new tables would be the reviews.
    """
    source, folder = files.as_path(source), files.as_path(folder)
    for name in _NAMES:
        reads = [("a table of reviews", files.join(source, table)) for table in _NAMES]
        files.check_output("The table", files.join(folder, name), reads)
    if all(files.exists(files.join(folder, name)) for name in _NAMES):
        _logger.info("The tables are in %s already.", folder)
        return folder
    tables = {name: reviews.read_table(files.join(source, name)) for name in _NAMES}
    with files.whole_folder(folder, last=_NAMES[-1]) as scratch:
        for name, table in tables.items():
            files.write_text(files.join(scratch, name), _as_csv(map(with_numbers, table)))
    _logger.info("Wrote %s with numbers to %s.", " and ".join(_NAMES), folder)
    return folder


def with_numbers(review: reviews.Review) -> Row:
    """Returns a review with its numbers."""
    text, label = review
    letters = sum(char.isalpha() for char in text)
    capitals = sum(char.isupper() for char in text) / max(letters, 1)
    return Row(text, len(text.split()), round(capitals, 4), text.count("!"), text.count("?"), label)


def _as_csv(rows: Iterable[Row]) -> str:
    content = io.StringIO(newline="")
    writer = csv.writer(content, lineterminator="\n")
    writer.writerow(Row._fields)
    writer.writerows(rows)
    return content.getvalue()


if __name__ == "__main__":
    sys.exit(run(sys.argv))
