"""The factorization behind word vectors from texts; it needs scipy.

See `from_texts` for what is done, and where it is from.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

import numpy as np
import scipy.sparse
import scipy.sparse.linalg

_logger = logging.getLogger("hub_estimator")  # shown like the package's own log


def factored(
    ids: np.ndarray,
    phrase_ids: np.ndarray,
    sizes: tuple[int, int],
    width: int,
    window: int,
    context_power: float,
) -> np.ndarray:
    """Returns the vectors of words and phrases by the contexts that they have.

    Args:
      ids: the words of all texts, int64 `[N]`; -1 is none.
      phrase_ids: the phrase that starts at each of them, int64 `[N]`; -1 is none.
      sizes: how many words and how many phrases there are.
      width: `D`.
      window: how many words to either side are contexts.
      context_power: exponent of the contexts' counts.

    Returns:
      Float32 `[words + phrases, D]`, not yet normalized.
    """
    words, phrases = sizes
    around = [*range(-window, 0), *range(1, window + 1)]
    counts = context_counts(ids, ids, around, (words, words))
    contexts = np.asarray(counts.sum(axis=0)).ravel() ** context_power
    information = _positive_information(counts, contexts)
    _logger.info("Factoring %d x %d with %d entries.", words, words, information.nnz)
    left, values, right = scipy.sparse.linalg.svds(
        information, k=width, v0=np.full(words, words**-0.5, np.float32)
    )
    keep = np.argsort(-values)
    left, roots, right = left[:, keep], np.sqrt(values[keep]).clip(min=1e-6), right[keep]
    if not phrases:
        return left * roots
    # A phrase has contexts as a word has: the factorization of the words places it among them.
    beside = [*range(-window, 0), *range(2, window + 2)]
    counts = context_counts(phrase_ids, ids, beside, (phrases, words))
    return np.concatenate([left * roots, _positive_information(counts, contexts) @ right.T / roots])


def context_counts(
    rows: np.ndarray, contexts: np.ndarray, offsets: Iterable[int], shape: tuple[int, int]
) -> scipy.sparse.csr_matrix:
    """Counts how often context j stands at one of `offsets` from i."""
    total = scipy.sparse.csr_matrix(shape, dtype=np.float32)
    for offset in offsets:
        i = rows[max(0, -offset) : len(rows) - max(0, offset)]
        j = contexts[max(0, offset) : len(contexts) - max(0, -offset)]
        real = (i >= 0) & (j >= 0)
        ones = np.ones(np.count_nonzero(real), np.float32)
        total = total + scipy.sparse.csr_matrix((ones, (i[real], j[real])), shape=shape)
    return total


def _positive_information(
    counts: scipy.sparse.csr_matrix, contexts: np.ndarray
) -> scipy.sparse.csr_matrix:
    """Returns `max(0, log(p(i, j) / (p(i) p(j))))`, float32, where i and j met."""
    counts = counts.tocoo()
    of_rows = np.asarray(counts.sum(axis=1)).ravel()
    expected = of_rows[counts.row] * (contexts / contexts.sum())[counts.col]
    values = np.log(counts.data / expected)
    met = values > 0
    entries = (values[met].astype(np.float32), (counts.row[met], counts.col[met]))
    return scipy.sparse.csr_matrix(entries, shape=counts.shape)
