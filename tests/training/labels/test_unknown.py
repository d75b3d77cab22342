"""Labels of a head of somebody else: they are read, and nothing is known of the predictions."""

from __future__ import annotations

import numpy as np
import pytest

from hub_estimator import errors
from hub_estimator.training.labels.predicted_and_true import Outcomes
from hub_estimator.training.labels.unknown import AnyLabels
from tests.training.labels.label_contract import Given, ReadLabelContract


class TestAnyLabels(ReadLabelContract):
    given = Given(
        AnyLabels(),
        cells=["0.5", "-1", "2"],
        stored=[[0.5], [-1.0], [2.0]],
        taken=[0.5, -1, 2],
        wrong_cell=("many", "'many'", "is not a number"),
        wrong_stored=([float("inf")], "inf", "is not a finite number"),
    )


NOTHING = Outcomes(AnyLabels(), np.zeros(1), np.zeros(1), {})


@pytest.mark.parametrize(
    "ask",
    [
        lambda labels: labels.prediction_key,
        lambda labels: labels.written("csv", ""),
        lambda labels: labels.truth(np.zeros(1)),
        lambda labels: labels.report(NOTHING, "step 1", 1, 1),
    ],
)
def test_nothing_is_known_of_the_predictions(ask):
    assert not AnyLabels().is_known
    with pytest.raises(errors.PartsMismatchError) as caught:
        ask(AnyLabels())
    assert str(caught.value) == (
        "Nothing is known of the predictions of the head, which is none of tf.estimator's. Use "
        "Estimator.predict from Python."
    )
