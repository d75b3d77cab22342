"""Which published versions stay."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from hub_estimator import errors
from hub_estimator.jobs.destinations.destination import Version
from hub_estimator.training import checks
from hub_estimator.training.objective import Objective

_DAY_SECS = 86400.0


@dataclasses.dataclass(frozen=True)
class Keep:
    """Which versions of a job stay: those that one of the rules keeps, and the one in use.

    Attributes:
      newest: so many of the newest.
      best: so many of the best, by the recorded metric; None keeps none for being good.
      days: those that are not older than that; None keeps none for being young.
      metric: what is better.
      higher_is_better: see `Objective`.

    Raises:
      errors.InvalidSettingError: a setting has a value that it cannot have, or none is given.
    """

    newest: int | None = None
    best: int | None = None
    days: float | None = None
    metric: str = "loss"
    higher_is_better: bool | None = None

    def __post_init__(self) -> None:
        if self.newest is None and self.best is None and self.days is None:
            raise errors.InvalidSettingError(
                "Keep has no rule. Give Keep.newest, Keep.best or Keep.days; without ExportJob.keep "
                "all versions stay."
            )
        for name in ("newest", "best"):
            if getattr(self, name) is not None:
                checks.whole_number(f"Keep.{name}", getattr(self, name))
        if self.days is not None:
            checks.positive("Keep.days", self.days)
        checks.text("Keep.metric", self.metric)
        _ = self._objective

    @property
    def _objective(self) -> Objective:
        return Objective(self.metric, self.higher_is_better)

    def superfluous(self, versions: Sequence[Version], now: float) -> list[Version]:
        """Returns the versions that are to go.

        Args:
          versions: those of a destination, the oldest first.
          now: in seconds since 1970.
        """
        stay = {version.name for version in versions if version.is_current}
        stay |= {version.name for version in versions[-1:]}
        if self.newest is not None:
            stay |= {version.name for version in versions[-self.newest :]}
        if self.best is not None:
            stay |= {version.name for version in self._best_first(versions)[: self.best]}
        if self.days is not None:
            after = now - self.days * _DAY_SECS
            stay |= {version.name for version in versions if version.publication.published >= after}
        return [version for version in versions if version.name not in stay]

    def _best_first(self, versions: Sequence[Version]) -> list[Version]:
        """Returns the versions with the metric, the newest of equal ones first."""
        values = [
            (self._objective.value(version.publication.metrics), version)
            for version in reversed(versions)
        ]
        known = [(value, version) for value, version in values if value is not None]
        sign = -1 if self._objective.maximizes else 1
        return [version for _, version in sorted(known, key=lambda pair: sign * pair[0])]
