"""What the final check found: the best settings trained again, on data that the search did not see."""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Mapping, Sequence


@dataclasses.dataclass(frozen=True)
class FinalResult:
    """What the runs with the settings of one trial found.

    Attributes:
      trial: its number.
      metrics: of each run the values by the name of the metric; what is not finite is NaN.
      failed: how many further runs failed.
    """

    trial: int
    metrics: Mapping[str, Sequence[float]]
    failed: int = 0

    @property
    def runs(self) -> int:
        """How many runs there are."""
        return max(map(len, self.metrics.values()), default=0)

    def mean(self, name: str) -> float:
        """Returns the mean of a metric over the runs; NaN where it is not known."""
        values = self.metrics.get(name, ())
        return statistics.fmean(values) if values else math.nan

    def deviation(self, name: str) -> float:
        """Returns the standard deviation of a metric over the runs; NaN of less than two."""
        values = self.metrics.get(name, ())
        return (
            statistics.stdev(values)
            if len(values) > 1 and all(map(math.isfinite, values))
            else math.nan
        )

    def shown(self, name: str) -> str:
        """Returns a metric for people: `0.8812 ± 0.0031`."""
        mean, deviation = self.mean(name), self.deviation(name)
        if math.isnan(mean):
            return "-"
        return f"{mean:.4f}" if math.isnan(deviation) else f"{mean:.4f} ± {deviation:.4f}"
