"""Which versions stay."""

from __future__ import annotations

import pytest

from hub_estimator import errors
from hub_estimator.jobs.destinations.destination import Publication, Version
from hub_estimator.jobs.keeping import Keep

DAY = 86400.0
NOW = 100 * DAY


def versions(*accuracies, current=-1):
    """Versions that are 0, 1, 2, ... days old, the newest last."""
    number = len(accuracies)
    return [
        Version(
            str(index),
            f"/out/{index}",
            Publication("x", index, "", NOW - (number - 1 - index) * DAY, {"accuracy": value}),
            index == current % number,
        )
        for index, value in enumerate(accuracies)
    ]


def gone(keep, found):
    return [version.name for version in keep.superfluous(found, NOW)]


def test_the_newest():
    assert gone(Keep(newest=2), versions(1, 2, 3, 4)) == ["0", "1"]


def test_the_best_and_the_newest():
    found = versions(0.9, 0.5, 0.9, None, 0.1)
    assert gone(Keep(best=1, metric="accuracy"), found) == ["0", "1", "3"]
    assert gone(Keep(best=2, metric="accuracy"), found) == ["1", "3"]
    assert gone(Keep(newest=2, best=1, metric="accuracy"), found) == ["0", "1"]
    least = Keep(best=1, metric="accuracy", higher_is_better=False)
    assert gone(least, found) == ["0", "1", "2", "3"]


def test_the_young():
    assert gone(Keep(days=1.5), versions(1, 1, 1, 1)) == ["0", "1"]
    assert gone(Keep(days=10), versions(1, 1)) == []


def test_what_is_in_use_stays():
    assert gone(Keep(newest=1), versions(1, 1, 1, current=0)) == ["1"]
    old = versions(1)[0]
    assert gone(Keep(days=1), [old]) == [] and Keep(days=1).superfluous([], NOW) == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {},
            (
                "Keep has no rule. Give Keep.newest, Keep.best or Keep.days; without ExportJob.keep all "
                "versions stay."
            ),
        ),
        ({"newest": 0}, "Keep.newest is 0; it must be at least 1."),
        ({"best": 1.5}, "Keep.best is 1.5; it must be a whole number."),
        ({"days": -1}, "Keep.days is -1; it must be at least 0."),
    ],
)
def test_settings_that_cannot_be(settings, message):
    with pytest.raises(errors.InvalidSettingError) as caught:
        Keep(**settings)
    assert str(caught.value) == message
