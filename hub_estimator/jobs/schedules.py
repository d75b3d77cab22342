"""When a job is due: at times like those of cron, every so often, or when there is a new checkpoint.

A schedule knows nothing but when the job was run last. So what was missed while nobody ran jobs is
one run, however long that was.
"""

from __future__ import annotations

import dataclasses
import datetime
import zoneinfo
from collections.abc import Iterator
from typing import Any, Protocol

from hub_estimator import errors, texts
from hub_estimator.training import checks

_MINUTE_SECS = 60.0
_FIELDS = 5
# Around a change of the clocks there is no order between local times and moments; none is longer.
_LONGEST_CHANGE = datetime.timedelta(hours=3)
_FURTHEST_YEARS = 8  # from one 29th of February to the next, at most


class Schedule(Protocol):
    """When a job is due."""

    def next_secs(self, first: float, last: float | None) -> float | None:
        """Returns when the next run is due; None where a checkpoint decides, not the time.

        Args:
          first: since when the job is known, in seconds since 1970.
          last: when it was run last, likewise; None is never.
        """


@dataclasses.dataclass(frozen=True)
class OnNewCheckpoint:
    """Whenever there is another checkpoint to publish, or a new evaluation of it."""

    def next_secs(self, first: float, last: float | None) -> float | None:
        """See `Schedule`."""
        return None


@dataclasses.dataclass(frozen=True)
class Every:
    """At once, and then every so many minutes.

    Attributes:
      minutes: from the beginning of one run to that of the next.

    Raises:
      errors.InvalidSettingError: it is not a number above zero.
    """

    minutes: float

    def __post_init__(self) -> None:
        checks.positive("Every.minutes", self.minutes)

    def next_secs(self, first: float, last: float | None) -> float | None:
        """See `Schedule`."""
        return first if last is None else last + self.minutes * _MINUTE_SECS


@dataclasses.dataclass(frozen=True)
class Cron:
    """At the times of an expression as in a crontab, from when the job is known on.

    Where clocks are put forward, what falls into the hour that is left out is due after it. Where
    they are put back, fixed times are due in the first of the two hours, and what repeats through
    all hours in both.

    Attributes:
      expression: `minute hour day_of_month month day_of_week`, such as `'0 3 * * *'`.
      time_zone: such as `'Europe/Berlin'`; None is that of the machine.

    Raises:
      errors.InvalidSettingError: there is no such time, or no such zone.
      errors.MissingExtraError: croniter is not installed.
    """

    expression: str
    time_zone: str | None = None

    def __post_init__(self) -> None:
        checks.text("Cron.expression", self.expression)
        _ = self._zone
        try:
            if len(self.expression.split()) != _FIELDS:
                raise ValueError("it does not have five fields")
            next(self._matches(datetime.datetime(2000, 1, 1)))
        except (ValueError, KeyError, StopIteration) as error:
            raise errors.InvalidSettingError(
                f"Cron.expression is {texts.shown(self.expression)}, which is never. Write minute, "
                "hour, day of the month, month and day of the week, as in '0 3 * * *'."
            ) from error

    def next_secs(self, first: float, last: float | None) -> float | None:
        """See `Schedule`."""
        after = first if last is None else last
        here = datetime.datetime.fromtimestamp(after, self._zone).replace(tzinfo=None)
        found: list[float] = []
        for local in self._matches(here - _LONGEST_CHANGE):
            found += [moment for moment in self._moments(local) if moment > after]
            if found and local > here + _LONGEST_CHANGE:
                break
        return min(found, default=None)

    @property
    def _zone(self) -> zoneinfo.ZoneInfo | None:
        if self.time_zone is None:
            return None
        try:
            return zoneinfo.ZoneInfo(self.time_zone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, TypeError, OSError) as error:
            raise errors.InvalidSettingError(
                f"Cron.time_zone is {texts.shown(self.time_zone)}, which this machine does not know. "
                "Give one such as 'Europe/Berlin' or 'UTC', or leave it out."
            ) from error

    def _matches(self, start: datetime.datetime) -> Iterator[datetime.datetime]:
        """Yields the local times of the expression after a local time."""
        found = _croniter().croniter(
            self.expression, start, max_years_between_matches=_FURTHEST_YEARS
        )
        return found.all_next(datetime.datetime)

    def _moments(self, local: datetime.datetime) -> Iterator[float]:
        """Yields the moments at which a clock shows a local time, two where it is put back."""
        shown = local.replace(tzinfo=self._zone)
        first, again = shown.timestamp(), shown.replace(fold=1).timestamp()
        yield first
        # Of a time that is left out, the second moment lies before the first: no clock shows it then.
        if self._repeats and again > first:
            yield again

    @property
    def _repeats(self) -> bool:
        """Whether the expression goes through all hours, rather than naming some."""
        return self.expression.split()[1].startswith("*")


def _croniter() -> Any:
    try:
        import croniter
    except ImportError as error:
        raise errors.MissingExtraError(
            "Cron needs croniter: pip install 'hub_estimator[jobs]'."
        ) from error
    return croniter
