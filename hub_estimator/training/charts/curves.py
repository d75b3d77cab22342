"""The numbers behind the pictures: plain functions of labels and scores."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Curve:
    """A curve over all thresholds, from the highest one on.

    Attributes:
      x: float64 `[M]`.
      y: float64 `[M]`.
      area: what sums it up in one number; NaN where it is not defined.
    """

    x: np.ndarray
    y: np.ndarray
    area: float


@dataclasses.dataclass(frozen=True)
class Calibration:
    """How often predictions of about the same probability are right; empty bins are left out.

    Attributes:
      predicted: the mean probability of each bin, float64 `[M]`.
      observed: the share of each bin that is so, float64 `[M]`.
      counts: the number of predictions in each bin, int64 `[M]`.
      error: the mean of `|predicted - observed|`, weighted by `counts`: the expected calibration
        error (Naeini et al., "Obtaining Well Calibrated Probabilities Using Bayesian Binning", 2015).
    """

    predicted: np.ndarray
    observed: np.ndarray
    counts: np.ndarray
    error: float


def confusion_matrix(labels: np.ndarray, predicted: np.ndarray, num_classes: int) -> np.ndarray:
    """Counts the examples of each true class (row) by their predicted class (column).

    Args:
      labels: int64 `[N]`.
      predicted: int64 `[N]`.
      num_classes: `K`.

    Returns:
      int64 `[K, K]`.
    """
    places = labels.astype(np.int64) * num_classes + predicted.astype(np.int64)
    return np.bincount(places, minlength=num_classes**2).reshape(num_classes, num_classes)


def class_scores(confusion: np.ndarray) -> dict[str, np.ndarray]:
    """Returns what a confusion matrix says of each class.

    Args:
      confusion: int64 `[K, K]`, the true classes as rows.

    Returns:
      Arrays `[K]`: `examples` and `predicted`, how many are, and are taken for, the class; and
      `precision`, `recall` and `f1`, float64, NaN where they are not defined.
    """
    return _scores(np.diagonal(confusion), confusion.sum(axis=1), confusion.sum(axis=0))


def scores_of_classes(
    labels: np.ndarray, predicted: np.ndarray, num_classes: int
) -> dict[str, np.ndarray]:
    """Returns what `class_scores` does without a matrix, which many classes have no room for.

    Args:
      labels: int64 `[N]`.
      predicted: int64 `[N]`.
      num_classes: `K`.
    """
    counts = [
        np.bincount(classes, minlength=num_classes)
        for classes in (labels[labels == predicted], labels, predicted)
    ]
    return _scores(*counts)


def _scores(
    right: np.ndarray, examples: np.ndarray, predicted: np.ndarray
) -> dict[str, np.ndarray]:
    return {
        "examples": examples,
        "predicted": predicted,
        "precision": _share(right, predicted),
        "recall": _share(right, examples),
        "f1": _share(2 * right, examples + predicted),
    }


def roc_curve(positives: np.ndarray, scores: np.ndarray) -> Curve:
    """Returns the share of the positives found (`y`) for the share of false alarms (`x`).

    The area is that under the curve: the probability that a positive has a higher score than a
    negative, ties counting half.

    Args:
      positives: bool `[N]`.
      scores: float `[N]`.
    """
    found, alarms = _cumulated(positives, scores)
    x = np.concatenate([[0.0], _share(alarms, alarms[-1:])])
    y = np.concatenate([[0.0], _share(found, found[-1:])])
    return Curve(x, y, float(np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2)))


def precision_recall_curve(positives: np.ndarray, scores: np.ndarray) -> Curve:
    """Returns the precision (`y`) for the share of the positives found (`x`).

    The area is the average precision, `sum((x[n] - x[n - 1]) * y[n])`; it is not interpolated.

    Args:
      positives: bool `[N]`.
      scores: float `[N]`.
    """
    found, alarms = _cumulated(positives, scores)
    x = np.concatenate([[0.0], _share(found, found[-1:])])
    y = np.concatenate([[1.0], _share(found, found + alarms)])
    return Curve(x, y, float(np.sum(np.diff(x) * y[1:])))


def calibration(correct: np.ndarray, probabilities: np.ndarray, num_bins: int = 10) -> Calibration:
    """Returns how often what has some probability is so, in bins of equal width.

    Args:
      correct: bool `[N]`.
      probabilities: float `[N]`, 0 to 1; those that are no number are left out.
      num_bins: the number of bins.
    """
    finite = np.isfinite(probabilities)
    correct, probabilities = correct[finite], probabilities[finite]
    bins = np.clip((probabilities * num_bins).astype(np.int64), 0, num_bins - 1)
    counts = np.bincount(bins, minlength=num_bins)
    there = counts > 0
    predicted = _share(np.bincount(bins, probabilities, num_bins), counts)[there]
    observed = _share(np.bincount(bins, correct, num_bins), counts)[there]
    weights = _share(counts[there], np.array([counts.sum()]))
    error = float(np.sum(weights * np.abs(predicted - observed)))
    return Calibration(predicted, observed, counts[there], error)


def thinned(curve: Curve, num_points: int = 500) -> Curve:
    """Returns a curve of at most so many points, the first and the last of it among them."""
    if len(curve.x) <= num_points:
        return curve
    kept = np.unique(np.linspace(0, len(curve.x) - 1, num_points).round().astype(np.int64))
    return Curve(curve.x[kept], curve.y[kept], curve.area)


def _cumulated(positives: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the number of positives and negatives of at least each score, the highest first."""
    order = np.argsort(-scores, kind="stable")
    sorted_scores, sorted_positives = scores[order], positives[order].astype(bool)
    # Equal scores have one threshold, so they come all at once.
    last = np.append(np.flatnonzero(np.diff(sorted_scores)), len(scores) - 1)
    found = np.cumsum(sorted_positives)[last]
    return found, last + 1 - found


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Returns `part / whole`, NaN where the whole is nothing."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(whole > 0, part / whole, np.nan)
