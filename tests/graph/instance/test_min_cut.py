"""Cutting networks at the least cost."""

from __future__ import annotations

import pytest

from hub_estimator.graph.instance.min_cut import END, START, Network

pytestmark = pytest.mark.one_tensorflow


def network(*roads):
    made = Network()
    for place, other, capacity in roads:
        made.add(place, other, capacity)
    return made


@pytest.mark.parametrize(
    ("roads", "side"),
    [
        ([(START, "a", 5), ("a", "b", 2), ("b", END, 3)], {"a"}),
        ([(START, "a", 5), ("a", "b", 4), ("b", END, 3)], {"a", "b"}),
        ([(START, "a", 9), ("a", END, 1), ("a", "b", 9), ("b", END, 1)], {"a", "b"}),
        # The shortest way goes across; the largest flow has to go back on it.
        (
            [(START, "a", 3), (START, "b", 2), ("a", "b", 5), ("a", END, 2), ("b", END, 3)],
            set(),
        ),
        ([(START, "a", 2), (START, "a", 2), ("a", END, 3)], {"a"}),
    ],
)
def test_the_side_of_the_start(roads, side):
    assert network(*roads).cut(limit=100) == {START, *side}


def test_a_cut_that_costs_too_much():
    roads = [(START, "a", 7), ("a", END, 8)]
    assert network(*roads).cut(limit=8) == {START}
    assert network(*roads).cut(limit=7) is None
