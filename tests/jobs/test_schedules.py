"""When jobs are due: after downtime, when clocks change, and never."""

from __future__ import annotations

import datetime
import sys
import zoneinfo

import pytest

from hub_estimator import errors
from hub_estimator.jobs.schedules import Cron, Every, OnNewCheckpoint

ZONE = "Europe/Berlin"
FIRST = 1_000_000.0


def at(*when, zone="UTC", fold=0):
    return datetime.datetime(*when, tzinfo=zoneinfo.ZoneInfo(zone), fold=fold).timestamp()


def shown(secs, zone=ZONE):
    return datetime.datetime.fromtimestamp(secs, zoneinfo.ZoneInfo(zone)).isoformat()


def series(schedule, start, number):
    found = []
    for _ in range(number):
        start = schedule.next_secs(FIRST, start)
        found.append(shown(start))
    return found


def test_every_so_often():
    schedule = Every(30)
    assert schedule.next_secs(FIRST, None) == FIRST
    assert schedule.next_secs(FIRST, FIRST + 5) == FIRST + 5 + 1800


def test_a_checkpoint_decides():
    assert OnNewCheckpoint().next_secs(FIRST, FIRST) is None


@pytest.mark.parametrize("minutes", [0, -1, "5", float("nan")])
def test_no_number_of_minutes(minutes):
    with pytest.raises(errors.InvalidSettingError, match="^Every.minutes is "):
        Every(minutes)


class TestCron:
    @pytest.fixture(autouse=True)
    def croniter(self):
        pytest.importorskip("croniter", reason="croniter, of the extra [jobs], is not installed")

    def test_a_job_that_never_ran_waits_for_the_next_time(self):
        assert Cron("0 3 * * *", "UTC").next_secs(at(2026, 1, 5, 12), None) == at(2026, 1, 6, 3)

    def test_after_downtime_one_run_catches_up(self):
        schedule = Cron("0 3 * * *", "UTC")
        missed = schedule.next_secs(FIRST, at(2026, 1, 5, 3))
        assert missed == at(2026, 1, 6, 3)
        assert schedule.next_secs(FIRST, at(2026, 2, 20, 12, 30)) == at(2026, 2, 21, 3)

    def test_each_day_has_one_run_where_clocks_are_put_forward(self):
        assert series(Cron("30 2 * * *", ZONE), at(2026, 3, 27, 12), 3) == [
            "2026-03-28T02:30:00+01:00",
            "2026-03-29T03:30:00+02:00",
            "2026-03-30T02:30:00+02:00",
        ]

    def test_each_day_has_one_run_where_clocks_are_put_back(self):
        assert series(Cron("30 2 * * *", ZONE), at(2026, 10, 23, 12), 3) == [
            "2026-10-24T02:30:00+02:00",
            "2026-10-25T02:30:00+02:00",
            "2026-10-26T02:30:00+01:00",
        ]

    def test_a_run_in_the_second_of_two_equal_hours_is_not_repeated(self):
        last = at(2026, 10, 25, 2, 31, zone=ZONE, fold=1)
        assert series(Cron("30 2 * * *", ZONE), last, 1) == ["2026-10-26T02:30:00+01:00"]

    def test_what_repeats_has_no_gap_where_clocks_change(self):
        assert series(Cron("*/30 * * * *", ZONE), at(2026, 10, 25, 0, 10), 5) == [
            "2026-10-25T02:30:00+02:00",
            "2026-10-25T02:00:00+01:00",
            "2026-10-25T02:30:00+01:00",
            "2026-10-25T03:00:00+01:00",
            "2026-10-25T03:30:00+01:00",
        ]
        assert series(Cron("*/30 * * * *", ZONE), at(2026, 3, 29, 0, 40), 2) == [
            "2026-03-29T03:00:00+02:00",
            "2026-03-29T03:30:00+02:00",
        ]

    def test_what_repeats_is_due_once_for_a_time_that_is_left_out(self):
        assert series(Cron("30 */2 * * *", ZONE), at(2026, 3, 28, 22, 0), 4) == [
            "2026-03-29T00:30:00+01:00",
            "2026-03-29T03:30:00+02:00",
            "2026-03-29T04:30:00+02:00",
            "2026-03-29T06:30:00+02:00",
        ]

    def test_without_a_zone_it_is_that_of_the_machine(self):
        last = at(2026, 1, 5, 12)
        due = Cron("0 3 * * *").next_secs(FIRST, last)
        assert datetime.datetime.fromtimestamp(due).hour == 3 and 0 < due - last <= 86400

    @pytest.mark.parametrize(
        "expression", ["never", "* * *", "@daily", "99 * * * *", "0 0 30 2 *", "* * * * * *"]
    )
    def test_what_is_no_time(self, expression):
        with pytest.raises(errors.InvalidSettingError) as caught:
            Cron(expression)
        assert str(caught.value) == (
            f"Cron.expression is {expression!r}, which is never. Write minute, hour, day of the "
            "month, month and day of the week, as in '0 3 * * *'."
        )

    @pytest.mark.parametrize("zone", ["Nowhere/At_All", "../etc", 5])
    def test_what_is_no_zone(self, zone):
        with pytest.raises(errors.InvalidSettingError) as caught:
            Cron("0 3 * * *", zone)
        assert str(caught.value) == (
            f"Cron.time_zone is {zone!r}, which this machine does not know. Give one such as "
            "'Europe/Berlin' or 'UTC', or leave it out."
        )


def test_cron_without_croniter(monkeypatch):
    monkeypatch.setitem(sys.modules, "croniter", None)
    with pytest.raises(errors.MissingExtraError) as caught:
        Cron("0 3 * * *")
    assert str(caught.value) == "Cron needs croniter: pip install 'hub_estimator[jobs]'."
