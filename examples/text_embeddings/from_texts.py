"""Word vectors from plain texts: how often words meet, in a few hundred numbers per word.

Positive pointwise mutual information of words and the words around them, factored by a truncated
singular value decomposition (Levy, Goldberg, Dagan: "Improving Distributional Similarity with
Lessons Learned from Word Embeddings", TACL 2015; from there the window of 5 and the context counts
to the power 0.75). Frequent pairs of words ("not good") get vectors too, in the same space.
"""

from __future__ import annotations

import collections
import dataclasses
import logging
from collections.abc import Iterable, Sequence

import numpy as np

from examples.requirements import check_installed
from examples.text_embeddings.vectors import WordVectors
from examples.text_embeddings.words import split_text
from hub_estimator import errors

_logger = logging.getLogger("hub_estimator")  # shown like the package's own log
_TOO_FEW_WORDS = (
    "Vectors %d wide need more than %d different words, but only %d occur %d times or more in the "
    "%d texts. Give more texts, a smaller --width or a smaller --min_count."
)


class TooFewWordsError(errors.Error, ValueError):
    """The texts have too few words for vectors of this width."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """How vectors are made.

    Attributes:
      width: numbers per word.
      window: how many words to either side of a word are its contexts.
      min_count: rarer words get no vector.
      max_words: only the most frequent words get one.
      phrase_min_count: rarer pairs of neighbouring words get no vector of their own.
      max_phrases: only the most frequent pairs get one; 0 for words alone.
      context_power: exponent of the contexts' counts; below 1, rare contexts weigh less.
      rarity: vectors of words of frequency p have the length `rarity / (rarity + p)`: in a sum,
        "the" should not drown "dull" (Arora, Liang, Ma: "A Simple but Tough-to-Beat Baseline for
        Sentence Embeddings", ICLR 2017). 0: all have length 1.
    """

    width: int = 128
    window: int = 5
    min_count: int = 5
    max_words: int = 20_000
    phrase_min_count: int = 20
    max_phrases: int = 30_000
    context_power: float = 0.75
    rarity: float = 1e-3


def make_vectors(texts: Iterable[str], settings: Settings | None = None) -> WordVectors:
    """Makes vectors for the frequent words and pairs of words of `texts`.

    The same texts in the same order give the same vectors.

    Args:
      texts: plain texts.
      settings: None for the defaults, made for some 20,000 reviews.

    Returns:
      Words first, then pairs, each from the most to the least frequent.

    Raises:
      TooFewWordsError: there are not more words than the vectors are wide.
      requirements.NotInstalledError: scipy is not installed.
    """
    check_installed("scipy", "scipy", "Word vectors are made of texts with")
    from examples.text_embeddings import factoring

    settings = settings or Settings()
    split = [split_text(text) for text in texts]
    words, word_counts = _frequent_words(split, settings)
    if len(words) <= settings.width:
        given = (settings.width, settings.width, len(words), settings.min_count, len(split))
        raise TooFewWordsError(_TOO_FEW_WORDS % given)
    ids = _word_ids(split, words, settings.window)
    _logger.info("Counting %d words of %d texts; %d get vectors.", len(ids), len(split), len(words))
    phrases, phrase_ids, phrase_counts = _frequent_phrases(ids, len(words), settings)
    vectors = factoring.factored(
        ids,
        phrase_ids,
        (len(words), len(phrases)),
        width=settings.width,
        window=settings.window,
        context_power=settings.context_power,
    )
    _logger.info("Made vectors for %d words and %d pairs of words.", len(words), len(phrases))
    counts = np.concatenate([word_counts, phrase_counts])
    return WordVectors(
        words + [f"{words[first]} {words[second]}" for first, second in phrases],
        _scaled(vectors, counts / word_counts.sum(), settings.rarity),
    )


def _frequent_words(
    split: Sequence[Sequence[str]], settings: Settings
) -> tuple[list[str], np.ndarray]:
    counts = collections.Counter(word for words in split for word in words)
    # By name where the counts are equal: the order in which words were met is no one's choice.
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[: settings.max_words]
    kept = [(word, count) for word, count in ordered if count >= settings.min_count]
    return [word for word, _ in kept], np.array([count for _, count in kept], np.float64)


def _word_ids(split: Sequence[Sequence[str]], words: list[str], window: int) -> np.ndarray:
    """Returns all texts as one int64 vector; -1 for rare words and, often enough, between texts."""
    index = {word: i for i, word in enumerate(words)}
    gap = [-1] * (window + 1)
    ids: list[int] = []
    for text in split:
        ids += [index.get(word, -1) for word in text]
        ids += gap
    return np.array(ids, np.int64)


def _frequent_phrases(
    ids: np.ndarray, words: int, settings: Settings
) -> tuple[list[tuple[int, int]], np.ndarray, np.ndarray]:
    """Returns pairs of word ids, the phrase id (or -1) that starts at each word, and the counts."""
    keys = np.where((ids[:-1] >= 0) & (ids[1:] >= 0), ids[:-1] * words + ids[1:], -1)
    found, counts = np.unique(keys[keys >= 0], return_counts=True)
    order = np.lexsort((found, -counts))[: settings.max_phrases]
    order = order[counts[order] >= settings.phrase_min_count]
    phrase_ids = np.full(ids.shape, -1, np.int64)
    if len(order):
        by_key = order[np.argsort(found[order])]
        place = np.searchsorted(found[by_key], keys).clip(max=len(by_key) - 1)
        rank = np.empty(len(found), np.int64)
        rank[order] = np.arange(len(order))
        phrase_ids[:-1] = np.where(found[by_key][place] == keys, rank[by_key][place], -1)
    pairs = [(int(key) // words, int(key) % words) for key in found[order]]
    return pairs, phrase_ids, counts[order].astype(np.float64)


def _scaled(vectors: np.ndarray, frequencies: np.ndarray, rarity: float) -> np.ndarray:
    lengths = np.linalg.norm(vectors, axis=1).clip(min=1e-12)
    wanted = rarity / (rarity + frequencies) if rarity else np.ones(len(vectors))
    return (vectors * (wanted / lengths)[:, np.newaxis]).astype(np.float32)
