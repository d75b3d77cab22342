"""Which evaluated checkpoints an exporter takes: when it looks, and what it looks for."""

from __future__ import annotations

import dataclasses
import numbers
from collections.abc import Collection, Mapping
from typing import Any, Literal, Protocol

from hub_estimator import errors, files
from hub_estimator.training import checks
from hub_estimator.training.exporters import export_records, folders
from hub_estimator.training.objective import Objective

# After each evaluation; after the last one; or a number of steps from one export to the next.
Every = Literal["evaluation", "end"] | int
Metrics = Mapping[str, Any]


def check_every(name: str, every: Any) -> None:
    """Checks a setting of this kind.

    Raises:
      errors.InvalidSettingError: it is something else.
    """
    if isinstance(every, str):
        if every not in ("evaluation", "end"):
            raise errors.InvalidSettingError(
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

    def by_default(self, objective: Objective) -> Choice:
        """Returns the same by this objective, where it needs one and was given none."""

    def check_metrics(self, owner: str, names: Collection[str]) -> None:
        """Raises an `errors.MetricNotFoundError` where evaluations do not give what it goes by."""

    def check(self, owner: str, checkpoint_path: Any, metrics: Metrics | None) -> None:
        """Raises an `errors.ExportError` or `errors.MetricNotFoundError` where it cannot be made."""

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

    def by_default(self, objective: Objective) -> Latest:
        """See `Choice`; it needs none."""
        return self

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


def best(owner: str, objective: Objective | None) -> Best:
    """Returns the choice of an exporter of the best.

    Args:
      owner: the exporter, for messages.
      objective: what is better; None is what a run says, or else the least loss.

    Raises:
      errors.InvalidSettingError: it is no objective.
    """
    if objective is None:
        return Best(Objective(), is_given=False)
    checks.part(f"{owner}.objective", objective, "@Objective()", "is_better")
    return Best(objective)


@dataclasses.dataclass(frozen=True)
class Best:
    """Takes a checkpoint that is better than all taken before; one whose metric is NaN never is.

    The best value is read from the exports themselves, so nothing is forgotten where the process
    dies right after one, and from `best.json` beside them, should all be moved elsewhere.

    Attributes:
      objective: what is better.
      is_given: whether somebody chose the objective.
      link: the name of the stable path.
    """

    objective: Objective
    is_given: bool = True
    link: str = "best"

    def by_default(self, objective: Objective) -> Best:
        """See `Choice`."""
        return self if self.is_given else Best(objective)

    def check_metrics(self, owner: str, names: Collection[str]) -> None:
        """See `Choice`."""
        self.objective.check(owner, names)

    def check(self, owner: str, checkpoint_path: Any, metrics: Metrics | None) -> None:
        """See `Choice`."""
        if checkpoint_path is None or metrics is None:
            raise errors.ExportError(
                f"{owner}.export chooses by an evaluation: give it checkpoint_path, the checkpoint "
                "that was evaluated, and eval_result, the metrics."
            )
        self.check_metrics(owner, metrics)
        metric = self.objective.metric
        value = export_records.as_plain(metrics[metric])
        if value is not None and not isinstance(value, numbers.Real):
            raise errors.ExportError(
                f"{owner} looks for the metric {metric!r}, which is not one number but {value!r}. "
                f"Choose another one of: {', '.join(sorted(metrics))}."
            )

    def takes(self, folder: str, exporter: str, metrics: Metrics | None) -> bool:
        """See `Choice`."""
        plain = {name: export_records.as_plain(value) for name, value in (metrics or {}).items()}
        value = self.objective.value(plain)
        return value is not None and all(
            self.objective.is_better(value, known) for known in self._known(folder, exporter)
        )

    def leads(self, folder: str, export: str) -> bool:
        """See `Choice`; not where a better one, which somebody removed, is remembered."""
        value = self.objective.value(export_records.metrics(export))
        return value is not None and not any(
            self.objective.is_better(known, value) for known in self._remembered(folder)
        )

    def remember(self, folder: str, export: str) -> None:
        """See `Choice`."""
        metric = self.objective.metric
        record = {
            "metric": metric,
            "higher_is_better": self.objective.maximizes,
            "value": export_records.metrics(export).get(metric),
            export_records.GLOBAL_STEP: export_records.step(export),
        }
        if record != self._state(folder):
            files.write_text(self._path(folder), export_records.as_json(record))

    def _known(self, folder: str, exporter: str) -> list[float]:
        """Returns the metric of each export that is there, and of the best there ever was."""
        exports = folders.own_exports(folder, exporter)
        found = [self.objective.value(export_records.metrics(export)) for export in exports]
        return [value for value in found if value is not None] + self._remembered(folder)

    def _remembered(self, folder: str) -> list[float]:
        """Returns the metric of the best there ever was, where it is by the same objective."""
        state, metric = self._state(folder), self.objective.metric
        by = state.get("metric"), state.get("higher_is_better")
        value = self.objective.value({metric: state.get("value")})
        return [value] if by == (metric, self.objective.maximizes) and value is not None else []

    def _path(self, folder: str) -> str:
        return files.join(folder, "best.json")

    def _state(self, folder: str) -> dict[str, Any]:
        return export_records.read_json(self._path(folder))
