"""Values that threads make ahead: in order, so many at once, with errors in their places."""

from __future__ import annotations

import threading

import pytest

from hub_estimator.training.running.made_ahead import made_ahead

pytestmark = pytest.mark.one_tensorflow


@pytest.mark.parametrize("count", [1, 2, 5])
def test_in_their_order(count):
    assert list(made_ahead(lambda value: 2 * value, iter(range(50)), count)) == [*range(0, 100, 2)]
    assert list(made_ahead(lambda value: value, iter(()), count)) == []


def test_so_many_at_once():
    together = threading.Barrier(2, timeout=60)

    def meet(value):
        if value:  # the first one is made by itself
            together.wait()
        return value

    assert list(made_ahead(meet, iter(range(5)), 2)) == [0, 1, 2, 3, 4]


def test_the_next_is_made_while_one_is_used():
    begun = threading.Event()

    def make(value):
        if value:
            begun.set()
        return value

    values = made_ahead(make, iter([0, 1]), 1)
    assert next(values) == 0 and begun.wait(60)
    assert list(values) == [1]


@pytest.mark.parametrize("where", ["taking", "making"])
def test_an_error_comes_in_its_place(where):
    def taken():
        yield from range(3)
        if where == "taking":
            raise ValueError("no more")
        yield 3

    def make(value):
        if value == 3:
            raise ValueError("no more")
        return value

    found = []
    with pytest.raises(ValueError, match="no more"):
        found.extend(made_ahead(make, taken(), 2))
    assert found == [0, 1, 2]


def test_closing_takes_no_more():
    taken = []

    def values():
        for number in range(100):
            taken.append(number)
            yield number

    made = made_ahead(lambda value: value, values(), 2)
    assert next(made) == 0
    made.close()
    assert len(taken) <= 3
