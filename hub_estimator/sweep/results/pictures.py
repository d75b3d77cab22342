"""Pictures of a sweep, as PNG files: history, importances, parallel coordinates, Pareto front."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from hub_estimator import texts
from hub_estimator.sweep.results import importances, ranking
from hub_estimator.sweep.trials import Study, Trial
from hub_estimator.training.charts import plots

_MOST_LINES = 500  # trials in the parallel coordinates, the best ones
_MOST_AXES = 12
_MOST_LABELS = 12  # of the values of a choice
_GREY = "0.6"
_UNSET = -0.12, "not set"
"""Where a trial is whose condition does not hold, and what stands there."""


def draw(study: Study) -> dict[str, bytes]:
    """Returns the pictures that there is something to see in, by the name of their file without
    `.png`, in the order in which people look at them.
    """
    complete = [trial for trial in study.trials if trial.state == "complete" and trial.values]
    if not complete:
        return {}
    shares = importances.importances(study)
    kinds: Mapping[str, tuple[bool, Callable[[], bytes]]] = {
        "history": (True, lambda: history(study)),
        "importances": (bool(shares), lambda: importance_bars(shares)),
        "parallel_coordinates": (
            len(complete) > 1 and bool(study.settings),
            lambda: parallel_coordinates(study),
        ),
        "pareto_front": (len(study.objectives) > 1, lambda: pareto_front(study)),
    }
    return {name: make() for name, (is_of_use, make) in kinds.items() if is_of_use}


def history(study: Study) -> bytes:
    """Draws the value of each trial by its number, and the best so far; one chart an objective."""
    count = len(study.objectives)
    figure, axes = plots.new_figure(7.5, 1.0 + 3.5 * count, rows=count, sharex=True, squeeze=False)
    for place, objective in enumerate(study.objectives):
        chart = axes[place][0]
        for state, colour in (("pruned", _GREY), ("complete", "C0")):
            points = _points(study.trials, state, place)
            if points:
                chart.scatter(*zip(*points, strict=True), s=24, color=colour, label=state)
        numbers, values = zip(*_points(study.trials, "complete", place), strict=True)
        way = np.maximum if objective.maximizes else np.minimum
        so_far = way.accumulate(np.array(values))
        chart.step(numbers, so_far, where="post", color="C3", label="best so far")
        chart.set(ylabel=_label(objective.metric))
        chart.grid(alpha=0.3)
    axes[0][0].set(title="Each trial, as the sweep saw it")
    axes[0][0].legend(fontsize=8)
    axes[-1][0].set(xlabel="trial")
    axes[-1][0].xaxis.get_major_locator().set_params(integer=True)
    return plots.png(figure)


def importance_bars(shares: Mapping[str, Mapping[str, float]]) -> bytes:
    """Draws how much each setting matters; one chart an objective.

    Args:
      shares: see `importances.importances`.
    """
    most = max(map(len, shares.values()))
    figure, axes = plots.new_figure(
        7.0, len(shares) * (1.2 + 0.35 * most), rows=len(shares), squeeze=False
    )
    for [chart], (metric, of_settings) in zip(axes, shares.items(), strict=True):
        names = [_label(name) for name in of_settings][::-1]
        values = [*of_settings.values()][::-1]
        bars = chart.barh(range(len(names)), values)
        chart.set_yticks(range(len(names)), names)
        chart.bar_label(bars, [f"{value:.2f}" for value in values], padding=3, fontsize=8)
        chart.set(xlim=(0, 1.1), xlabel=f"share in {_label(metric)}")
    axes[0][0].set(title="What matters (PED-ANOVA)")
    return plots.png(figure)


def parallel_coordinates(study: Study) -> bytes:
    """Draws a line for each complete trial through its settings to its values."""
    from matplotlib.collections import LineCollection

    found = [trial for trial in ranking.ranked(study) if trial.state == "complete" and trial.values]
    shown = found[:_MOST_LINES][::-1]  # the best ones on top
    names = [name for name in study.settings if any(name in trial.settings for trial in shown)]
    axes = [_axis(name, shown) for name in names[:_MOST_AXES]]
    axes += [_goal_axis(place, study, shown) for place in range(len(study.objectives))]
    figure, chart = plots.new_figure(max(6.0, 2.0 * len(axes)), 5.5)
    heights = np.array([axis.heights for axis in axes])
    places = np.arange(len(axes))
    lines = [np.column_stack([places, heights[:, number]]) for number in range(len(shown))]
    goal = np.array([trial.values[0] for trial in shown if trial.values is not None])
    cmap = "viridis" if study.objectives[0].maximizes else "viridis_r"
    drawn = LineCollection(lines, cmap=cmap, array=goal, alpha=0.8, linewidth=1.2)
    chart.add_collection(drawn)
    figure.colorbar(
        drawn, ax=chart, fraction=0.03, pad=0.06, label=_label(study.objectives[0].metric)
    )
    for place, axis in enumerate(axes):
        chart.axvline(place, color=_GREY, linewidth=1)
        for height, label in axis.ticks:
            chart.annotate(label, (place, height), xytext=(4, 0), textcoords="offset points",
                           va="center", fontsize=7,
                           bbox={"boxstyle": "round,pad=0.1", "fc": "white", "ec": "none",
                                 "alpha": 0.7})  # fmt: skip
    chart.set_xticks(places, [_label(axis.name) for axis in axes])
    chart.set_yticks([])
    chart.set(xlim=(-0.15, len(axes) - 0.5), ylim=(-0.2, 1.08), title="Settings of each trial")
    return plots.png(figure)


def pareto_front(study: Study) -> bytes:
    """Draws the second and each further objective over the first, and which trials are the front."""
    best = {trial.number for trial in ranking.best(study)}
    complete = [trial for trial in study.trials if trial.state == "complete" and trial.values]
    count = len(study.objectives) - 1
    figure, axes = plots.new_figure(6.5, 0.5 + 4.5 * count, rows=count, squeeze=False)
    for place in range(1, count + 1):
        chart = axes[place - 1][0]
        for is_best, colour, label in (
            (False, _GREY, "other trials"),
            (True, "C3", "Pareto front"),
        ):
            points = [
                (trial.values[0], trial.values[place], trial.number)
                for trial in complete
                if trial.values is not None and (trial.number in best) == is_best
            ]
            if not points:
                continue
            x, y, numbers = zip(*sorted(points), strict=True)
            chart.scatter(x, y, color=colour, label=label, s=28)
            if is_best:
                for value, other, number in zip(x, y, numbers, strict=True):
                    chart.annotate(str(number), (value, other), xytext=(4, 4),
                                   textcoords="offset points", fontsize=8)  # fmt: skip
        chart.set(xlabel=_goal(study, 0), ylabel=_goal(study, place))
        chart.legend(fontsize=8)
        chart.grid(alpha=0.3)
    axes[0][0].set(title="Pareto front, with the numbers of its trials")
    return plots.png(figure)


class _Axis:
    """An axis of the parallel coordinates: heights of 0 to 1, and that of `_UNSET`."""

    def __init__(
        self, name: str, heights: Sequence[float], ticks: Sequence[tuple[float, str]]
    ) -> None:
        self.name = name
        self.heights = [_UNSET[0] if math.isnan(height) else height for height in heights]
        self.ticks = [*ticks, _UNSET] if _UNSET[0] in self.heights else ticks


def _axis(name: str, trials: Sequence[Trial]) -> _Axis:
    scale = importances.numbers_of(name, trials)
    if scale is not None and len(scale) > 1:
        values = [
            scale[trial.settings[name]] if name in trial.settings else math.nan for trial in trials
        ]
        return _number_axis(name, values, importances.is_logarithmic([*scale.values()]))
    choices = sorted({trial.settings[name] for trial in trials if name in trial.settings})
    at = {text: (place + 0.5) / len(choices) for place, text in enumerate(choices)}
    heights = [at.get(trial.settings.get(name, ""), math.nan) for trial in trials]
    return _Axis(name, heights, [(at[text], _label(_end(text))) for text in choices[:_MOST_LABELS]])


def _goal_axis(place: int, study: Study, trials: Sequence[Trial]) -> _Axis:
    values = [trial.values[place] for trial in trials if trial.values is not None]
    return _number_axis(study.objectives[place].metric, values, False)


def _number_axis(name: str, values: Sequence[float], is_logarithmic: bool) -> _Axis:
    known = [value for value in values if not math.isnan(value)]
    low, high = min(known), max(known)
    if low == high:
        return _Axis(name, [0.5 + 0.0 * value for value in values], [(0.5, f"{low:.3g}")])
    way: Callable[[Any], Any] = np.log if is_logarithmic else np.asarray
    heights = (way(np.array(values)) - way(low)) / (way(high) - way(low))
    middle = math.sqrt(low * high) if is_logarithmic else (low + high) / 2
    ticks = [(0.0, low), (0.5, middle), (1.0, high)]
    return _Axis(
        name, [*map(float, heights)], [(height, f"{value:.3g}") for height, value in ticks]
    )


def _points(trials: Sequence[Trial], state: str, place: int) -> list[tuple[int, float]]:
    return [
        (trial.number, trial.values[place])
        for trial in trials
        if trial.state == state and trial.values is not None
    ]


def _goal(study: Study, place: int) -> str:
    objective = study.objectives[place]
    return f"{_label(objective.metric)} ({'higher' if objective.maximizes else 'lower'} is better)"


def _end(text: str) -> str:
    """Returns of a path in quotes its last part, by which people know it."""
    value = text.strip("'\"")
    return value.rstrip("/").rsplit("/", 1)[-1] if "/" in value else value


def _label(name: str) -> str:
    return plots.escaped(plots.short(texts.one_line(name)))
