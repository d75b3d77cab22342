"""Any of several classes of each example."""

from __future__ import annotations

from hub_estimator.training.labels.any_classes import AnyClasses
from tests.training.labels.label_contract import Given, LabelContract

NO_TOPIC = "is not a class of the model's head. It has: art, law, war"
PREDICTED = [[0.75, 0.25, 0.5], [0.25, 0.25, 0.25], [0.75, 0.25, 1]]


class TestAnyClasses(LabelContract):
    given = Given(
        AnyClasses(3),
        cells=["0|2", "", "1|1"],
        stored=[[0, 2], [], [1, 1]],
        taken=[[1, 0, 1], [0, 0, 0], [0, 1, 0]],
        wrong_cell=("3", "3", "is not a class of the model's head, which takes 0 to 2"),
        wrong_stored=([3, 1], "3", "is not a class of the model's head, which takes 0 to 2"),
        predicted=PREDICTED,
        row={"classes": ["0", "2"], "probabilities": {"0": 0.75, "1": 0.25, "2": 0.5}},
    )


class TestAnyClassesWithNames(LabelContract):
    given = Given(
        AnyClasses(3, ("art", "law", "war")),
        cells=["art|war", "", "law"],
        stored=[[b"art", b"war"], [], [b"law"]],
        taken=[[1, 0, 1], [0, 0, 0], [0, 1, 0]],
        wrong_cell=("tax", "'tax'", NO_TOPIC),
        wrong_stored=([b"tax"], "'tax'", NO_TOPIC),
        predicted=PREDICTED,
        row={"classes": ["art", "war"], "probabilities": {"art": 0.75, "law": 0.25, "war": 0.5}},
    )
