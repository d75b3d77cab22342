"""The numbers of the report, by hand and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest

from hub_estimator.training.charts import curves

LABELS = np.array([0, 0, 1, 1, 1, 2])
PREDICTED = np.array([0, 1, 1, 1, 0, 0])
POSITIVES = np.array([True, False, True, True, False])
SCORES = np.array([0.9, 0.8, 0.8, 0.3, 0.1])


def test_confusion_matrix():
    expected = [[1, 1, 0, 0], [1, 2, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    assert curves.confusion_matrix(LABELS, PREDICTED, 4).tolist() == expected


def test_class_scores():
    scores = curves.class_scores(curves.confusion_matrix(LABELS, PREDICTED, 4))
    nan = np.nan
    assert scores["examples"].tolist() == [2, 3, 1, 0]
    assert scores["predicted"].tolist() == [3, 3, 0, 0]
    np.testing.assert_allclose(scores["precision"], [1 / 3, 2 / 3, nan, nan])
    np.testing.assert_allclose(scores["recall"], [1 / 2, 2 / 3, 0, nan])
    np.testing.assert_allclose(scores["f1"], [2 / 5, 4 / 6, 0, nan])


def test_class_scores_without_a_matrix():
    expected = curves.class_scores(curves.confusion_matrix(LABELS, PREDICTED, 4))
    scores = curves.scores_of_classes(LABELS, PREDICTED, 4)
    assert list(scores) == list(expected)
    for name, values in expected.items():
        np.testing.assert_array_equal(scores[name], values)


def test_roc_curve():
    curve = curves.roc_curve(POSITIVES, SCORES)
    np.testing.assert_allclose(curve.x, [0, 0, 1 / 2, 1 / 2, 1])
    np.testing.assert_allclose(curve.y, [0, 1 / 3, 2 / 3, 1, 1])
    # Of the six pairs, four in the right order and one a tie: (1+1) + (1/2+1) + (0+1).
    assert curve.area == pytest.approx(4.5 / 6)


def test_precision_recall_curve():
    curve = curves.precision_recall_curve(POSITIVES, SCORES)
    np.testing.assert_allclose(curve.x, [0, 1 / 3, 2 / 3, 1, 1])
    np.testing.assert_allclose(curve.y, [1, 1, 2 / 3, 3 / 4, 3 / 5])
    assert curve.area == pytest.approx((1 + 2 / 3 + 3 / 4) / 3)


def test_calibration():
    correct = np.array([True, False, True, True, False])
    result = curves.calibration(correct, np.array([1.0, 0.95, 0.5, 0.55, 0.0]), num_bins=2)
    np.testing.assert_allclose(result.predicted, [0.0, 0.75])
    np.testing.assert_allclose(result.observed, [0.0, 0.75])
    assert result.counts.tolist() == [1, 4] and result.error == pytest.approx(0)
    odd = curves.calibration(np.array([True] * 3), np.array([np.nan, np.inf, 0.5]))
    assert odd.counts.tolist() == [1] and odd.error == 0.5
    off = curves.calibration(np.array([True, False]), np.array([0.2, 0.9]))
    assert off.counts.tolist() == [1, 1] and off.error == pytest.approx((0.8 + 0.9) / 2)


@pytest.mark.parametrize("positives", [np.zeros(3, bool), np.ones(3, bool)])
def test_a_class_that_is_missing_has_no_area(positives):
    scores = np.array([0.1, 0.2, 0.3])
    assert np.isnan(curves.roc_curve(positives, scores).area)
    area = curves.precision_recall_curve(positives, scores).area
    assert np.isnan(area) if not positives.any() else area == 1


def test_thinned():
    curve = curves.Curve(np.arange(1000.0), np.arange(1000.0), 0.5)
    thin = curves.thinned(curve, 10)
    assert len(thin.x) == 10 and thin.x[0] == 0 and thin.x[-1] == 999 and thin.area == 0.5
    assert curves.thinned(thin, 10) is thin


def test_scikit_learn_agrees():
    sklearn = pytest.importorskip("sklearn.metrics")
    random = np.random.default_rng(1)
    positives = random.random(500) < 0.3
    scores = np.round(random.random(500) * 0.5 + positives * 0.3, 2)  # with many ties
    curve = curves.roc_curve(positives, scores)
    assert curve.area == pytest.approx(sklearn.roc_auc_score(positives, scores))
    x, y, _ = sklearn.roc_curve(positives, scores, drop_intermediate=False)
    np.testing.assert_allclose([curve.x, curve.y], [x, y])
    curve = curves.precision_recall_curve(positives, scores)
    assert curve.area == pytest.approx(sklearn.average_precision_score(positives, scores))
    precision, recall, _ = sklearn.precision_recall_curve(positives, scores)
    np.testing.assert_allclose([curve.x, curve.y], [recall[::-1], precision[::-1]])
    labels, predicted = random.integers(5, size=(2, 500))
    expected = sklearn.confusion_matrix(labels, predicted)
    np.testing.assert_array_equal(curves.confusion_matrix(labels, predicted, 5), expected)
