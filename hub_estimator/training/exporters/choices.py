"""Which evaluated checkpoints an exporter takes: when it looks, and what it looks for."""

from __future__ import annotations

import dataclasses
import math
import numbers
from collections.abc import Collection, Mapping
from typing import Any, Literal, Protocol

from hub_estimator import errors, files
from hub_estimator.training import checks
from hub_estimator.training.exporters import folders, records

# After each evaluation; after the last one; or a number of steps from one export to the next.
Every = Literal["evaluation", "end"] | int
Metrics = Mapping[str, Any]


def check_every(name: str, every: Any) -> None:
    """Checks a setting of this kind.

    Raises:
      errors.ModelError: it is something else.
    """
    if isinstance(every, str):
        if every not in ("evaluation", "end"):
            raise errors.ModelError(
                f"{name} is {every!r}; it must be 'evaluation', 'end' or a number of steps."
            )
    else:
        checks.whole_number(name, every)


def is_due(every: Every, step: int, last_step: int, is_final: bool | None) -> bool:
    """Whether an exporter looks at a checkpoint at all.

    Args:
      every: when it does.
      step: the global step of the checkpoint.
      last_step: that of the newest export; 0 without one.
      is_final: whether it is the last one of the training; None where somebody asks for it outside
        of training.
    """
    if every == "evaluation" or is_final or is_final is None:
        return True
    return every != "end" and step >= last_step + int(every)


class Choice(Protocol):
    """What an exporter looks for in a checkpoint."""

    @property
    def link(self) -> str:
        """The name of the stable path to the newest export."""

    @property
    def metric(self) -> str | None:
        """The name of the metric that decides; None without one."""

    def check_metrics(self, owner: str, names: Collection[str]) -> None:
        """Raises an `errors.ExportError` where evaluations do not give the metric."""

    def check(self, owner: str, checkpoint_path: Any, metrics: Metrics | None) -> None:
        """Raises an `errors.ExportError` where the choice cannot be made."""

    def takes(self, folder: str, exporter: str, metrics: Metrics | None) -> bool:
        """Whether to export, given what the exporter of this name exported into its folder."""

    def leads(self, folder: str, export: str) -> bool:
        """Whether the newest export is what the stable path should lead to."""

    def remember(self, folder: str, export: str) -> None:
        """Keeps in mind what was exported."""


@dataclasses.dataclass(frozen=True)
class Latest:
    """Takes each checkpoint."""

    link: str = "latest"
    metric: None = None

    def check_metrics(self, owner: str, names: Collection[str]) -> None:
        """See `Choice`; it needs none."""

    def check(self, owner: str, checkpoint_path: Any, metrics: Metrics | None) -> None:
        """See `Choice`; all is fine."""

    def takes(self, folder: str, exporter: str, metrics: Metrics | None) -> bool:
        """See `Choice`; always."""
        return True

    def leads(self, folder: str, export: str) -> bool:
        """See `Choice`; always."""
        return True

    def remember(self, folder: str, export: str) -> None:
        """See `Choice`; there is nothing to remember."""


@dataclasses.dataclass(frozen=True)
class Best:
    """Takes a checkpoint whose metric is better than that of all taken before; NaN never is.

    The best value is read from the exports themselves, so nothing is forgotten where the process
    dies right after one, and from `best.json` beside them, should all be moved elsewhere.

    Attributes:
      metric: the name of the metric.
      higher_is_better: whether greater values are better ones.
      link: the name of the stable path.
    """

    metric: str
    higher_is_better: bool
    link: str = "best"

    def check_metrics(self, owner: str, names: Collection[str]) -> None:
        """See `Choice`."""
        if self.metric not in names:
            raise errors.ExportError(
                f"{owner} looks for the metric {self.metric!r}, which the evaluation does not "
                f"have. It has: {', '.join(sorted(names))}."
            )

    def check(self, owner: str, checkpoint_path: Any, metrics: Metrics | None) -> None:
        """See `Choice`."""
        if checkpoint_path is None or metrics is None:
            raise errors.ExportError(
                f"{owner}.export chooses by an evaluation: give it checkpoint_path, the checkpoint "
                "that was evaluated, and eval_result, the metrics."
            )
        self.check_metrics(owner, metrics)
        value = records.as_plain(metrics[self.metric])
        if value is not None and not isinstance(value, numbers.Real):
            raise errors.ExportError(
                f"{owner} looks for the metric {self.metric!r}, which is not one number but "
                f"{value!r}. Choose another one of: {', '.join(sorted(metrics))}."
            )

    def takes(self, folder: str, exporter: str, metrics: Metrics | None) -> bool:
        """See `Choice`."""
        value = self._value(
            {name: records.as_plain(each) for name, each in (metrics or {}).items()}
        )
        return value is not None and all(
            self._is_better(value, known) for known in self._known(folder, exporter)
        )

    def leads(self, folder: str, export: str) -> bool:
        """See `Choice`; not where a better one, which somebody removed, is remembered."""
        value = self._value(records.metrics(export))
        return value is not None and not any(
            self._is_better(known, value) for known in self._remembered(folder)
        )

    def remember(self, folder: str, export: str) -> None:
        """See `Choice`."""
        best = {
            "metric": self.metric,
            "higher_is_better": self.higher_is_better,
            "value": records.metrics(export).get(self.metric),
            records.GLOBAL_STEP: records.step(export),
        }
        if best != self._state(folder):
            files.write_text(self._path(folder), records.as_json(best))

    def _known(self, folder: str, exporter: str) -> list[float]:
        """Returns the metric of each export that is there, and of the best there ever was."""
        exports = folders.own_exports(folder, exporter)
        found = [self._value(records.metrics(export)) for export in exports]
        return [value for value in found if value is not None] + self._remembered(folder)

    def _remembered(self, folder: str) -> list[float]:
        """Returns the metric of the best there ever was, where it is by the same metric."""
        state = self._state(folder)
        by = state.get("metric"), state.get("higher_is_better")
        value = self._value({self.metric: state.get("value")})
        return [value] if by == (self.metric, self.higher_is_better) and value is not None else []

    def _value(self, metrics: Metrics) -> float | None:
        """Returns the metric; None where there is none, or it is not finite."""
        value = metrics.get(self.metric)
        try:
            number = float(value) if isinstance(value, numbers.Real) else math.nan
        except OverflowError:  # a whole number that somebody wrote there
            number = math.nan
        return number if math.isfinite(number) else None

    def _is_better(self, value: float, other: float) -> bool:
        return value > other if self.higher_is_better else value < other

    def _path(self, folder: str) -> str:
        return files.join(folder, "best.json")

    def _state(self, folder: str) -> dict[str, Any]:
        return records.read_json(self._path(folder))
