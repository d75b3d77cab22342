"""The space of a sweep: what its trials set, each part of it a choice, a number or a regime.

Values of settings are gin texts here, so that a choice may be anything that a gin file can name.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from hub_estimator import errors, texts
from hub_estimator.training import checks

Values = Mapping[str, Any]
"""What was chosen, by the name of the dimension: a text of a choice, or a number."""
When = Mapping[str, Any]

_MOST_POINTS = 100_000


class Trial(Protocol):
    """What chooses values, as a trial of Optuna does."""

    def suggest_categorical(self, name: str, choices: Sequence[str]) -> str:
        """Returns one of some texts."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool) -> float:
        """Returns a number."""

    def suggest_int(self, name: str, low: int, high: int, *, step: int, log: bool) -> int:
        """Returns a whole number."""


class Dimension(Protocol):
    """A part of a space."""

    @property
    def when(self) -> When | None:
        """See `Choice`."""

    @property
    def label(self) -> str:
        """What it is called: among its values, in the storage, and in the `when` of others."""

    @property
    def names(self) -> tuple[str, ...]:
        """The settings that it may set."""

    def suggested(self, trial: Trial) -> Any:
        """Returns the value that a trial chooses."""

    def points(self) -> Sequence[Any]:
        """Returns its values in a grid; none where it has no such values."""

    def extremes(self) -> Sequence[Any]:
        """Returns the values that are to be checked before the first trial."""

    def settings(self, value: Any) -> dict[str, str]:
        """Returns what a value sets: gin texts by the names of settings."""


class _OfOneSetting:
    """What sets one setting, and is called as that where it has no name of its own."""

    setting: str
    name: str | None

    @property
    def label(self) -> str:
        """See `Dimension`."""
        return self.name or self.setting

    @property
    def names(self) -> tuple[str, ...]:
        """See `Dimension`."""
        return (self.setting,)


@dataclasses.dataclass(frozen=True)
class Choice(_OfOneSetting):
    """One of some values.

    Attributes:
      setting: what it sets: a macro, such as `'MODULE'`, or `'Encoder.trainable'`.
      values: the values.
      when: only in trials in which others have these values: `{'FINE_TUNE': True}`, or a list of
        values. It names settings, and those that have a name by that.
      name: what it is called; None is as its setting. Two of one setting need names.

    Raises:
      errors.InvalidSettingError: a setting has a value that it cannot have.
    """

    setting: str
    values: Sequence[Any]
    when: When | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        _check(self)
        checks.listed("Choice.values", self.values, "['/modules/a', '/modules/b']")
        if not self.values or len(set(self._texts)) < len(self._texts):
            raise errors.InvalidSettingError(
                f"Choice.values of {self.setting!r} is {texts.shown(list(self.values))}; give at "
                "least one value, and none twice."
            )

    @property
    def _texts(self) -> tuple[str, ...]:
        return tuple(map(repr, self.values))

    def suggested(self, trial: Trial) -> Any:
        """See `Dimension`."""
        return trial.suggest_categorical(self.label, self._texts)

    def points(self) -> Sequence[Any]:
        """See `Dimension`."""
        return self._texts

    extremes = points

    def settings(self, value: Any) -> dict[str, str]:
        """See `Dimension`."""
        return {self.setting: value}


@dataclasses.dataclass(frozen=True)
class Uniform(_OfOneSetting):
    """A number between two, all of them alike.

    Attributes:
      setting: see `Choice`.
      low: the smallest.
      high: the greatest.
      points_in_grid: how many of them a grid has, at equal distances from `low` to `high`.
      when: see `Choice`.
      name: see `Choice`.

    Raises:
      errors.InvalidSettingError: a setting has a value that it cannot have.
    """

    setting: str
    low: float
    high: float
    points_in_grid: int | None = None
    when: When | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        _check(self)
        _check_range(self, -math.inf)

    def suggested(self, trial: Trial) -> Any:
        """See `Dimension`."""
        return trial.suggest_float(self.label, float(self.low), float(self.high), log=False)

    def points(self) -> Sequence[Any]:
        """See `Dimension`."""
        return _evenly(self.low, self.high, self.points_in_grid)

    def extremes(self) -> Sequence[Any]:
        """See `Dimension`."""
        return list(dict.fromkeys([float(self.low), float(self.high)]))

    def settings(self, value: Any) -> dict[str, str]:
        """See `Dimension`."""
        return {self.setting: repr(float(value))}


@dataclasses.dataclass(frozen=True)
class LogUniform(Uniform):
    """A number between two above zero, all orders of magnitude alike, as for a learning rate.

    See `Uniform`; those of a grid are at equal ratios.

    Raises:
      errors.InvalidSettingError: a setting has a value that it cannot have.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.positive("LogUniform.low", self.low)

    def suggested(self, trial: Trial) -> Any:
        """See `Dimension`."""
        return trial.suggest_float(self.label, float(self.low), float(self.high), log=True)

    def points(self) -> Sequence[Any]:
        """See `Dimension`."""
        logarithms = _evenly(math.log(self.low), math.log(self.high), self.points_in_grid)
        inner = [math.exp(logarithm) for logarithm in logarithms[1:-1]]
        # The ends as they were given.
        ends = [float(self.low), float(self.high)][: len(logarithms)]
        return [*ends[:1], *inner, *ends[1:]]


@dataclasses.dataclass(frozen=True)
class IntUniform(_OfOneSetting):
    """A whole number between two, all of them alike.

    Attributes:
      setting: see `Choice`.
      low: the smallest.
      high: the greatest.
      step: only every so many of them, from `low` on.
      when: see `Choice`.
      name: see `Choice`.

    Raises:
      errors.InvalidSettingError: a setting has a value that it cannot have.
    """

    setting: str
    low: int
    high: int
    step: int = 1
    when: When | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        _check(self)
        for name in ("low", "high"):
            checks.whole_number(f"IntUniform.{name}", getattr(self, name), least=-(2**53))
        checks.whole_number("IntUniform.step", self.step)
        _check_order(self)

    @property
    def _highest(self) -> int:
        return self.high - (self.high - self.low) % self.step

    def suggested(self, trial: Trial) -> Any:
        """See `Dimension`."""
        return trial.suggest_int(self.label, self.low, self._highest, step=self.step, log=False)

    def points(self) -> Sequence[Any]:
        """See `Dimension`."""
        return range(self.low, self.high + 1, self.step)

    def extremes(self) -> Sequence[Any]:
        """See `Dimension`."""
        return list(dict.fromkeys([self.low, self._highest]))

    def settings(self, value: Any) -> dict[str, str]:
        """See `Dimension`."""
        return {self.setting: repr(int(value))}


@dataclasses.dataclass(frozen=True)
class Regimes:
    """One of some ways to train, each of which is several settings at once.

    Attributes:
      settings_by_regime: by the name of the regime, its settings:
        `{'frozen': {'FINE_TUNE': False}, 'tuned': {'FINE_TUNE': True, 'LEARNING_RATE': 0.001}}`.
      when: see `Choice`.
      name: what it is called.

    Raises:
      errors.InvalidSettingError: a setting has a value that it cannot have.
    """

    settings_by_regime: Mapping[str, Mapping[str, Any]]
    when: When | None = None
    name: str = "regime"

    def __post_init__(self) -> None:
        checks.text("Regimes.name", self.name)
        given = self.settings_by_regime
        is_sound = isinstance(given, Mapping) and all(
            isinstance(name, str) and name and isinstance(settings, Mapping)
            and all(isinstance(setting, str) and setting for setting in settings)
            for name, settings in given.items()
        )  # fmt: skip
        if not is_sound or not given:
            raise errors.InvalidSettingError(
                f"Regimes.settings_by_regime is {texts.shown(given)}; give the settings of each by "
                "its name, as in {'frozen': {'FINE_TUNE': False}, 'tuned': {'FINE_TUNE': True}}."
            )
        _check_when("Regimes", self.when)

    @property
    def label(self) -> str:
        """See `Dimension`."""
        return self.name

    @property
    def names(self) -> tuple[str, ...]:
        """See `Dimension`."""
        return tuple(dict.fromkeys(itertools.chain(*self.settings_by_regime.values())))

    def suggested(self, trial: Trial) -> Any:
        """See `Dimension`."""
        return trial.suggest_categorical(self.label, self.points())

    def points(self) -> Sequence[Any]:
        """See `Dimension`."""
        return tuple(map(repr, self.settings_by_regime))

    extremes = points

    def settings(self, value: Any) -> dict[str, str]:
        """See `Dimension`."""
        [chosen] = [each for name, each in self.settings_by_regime.items() if repr(name) == value]
        return {name: repr(setting) for name, setting in chosen.items()}


@dataclasses.dataclass(frozen=True)
class Space:
    """All dimensions of a sweep.

    Attributes:
      dimensions: each before those whose `when` names it.

    Raises:
      errors.InvalidSettingError: two are called the same, or a `when` names what is not before it, or
        a value that cannot be.
    """

    dimensions: tuple[Dimension, ...]

    def __post_init__(self) -> None:
        before: dict[str, Dimension] = {}
        for dimension in self.dimensions:
            if dimension.label in before:
                raise errors.InvalidSettingError(
                    f"Sweep.space has two of the name {dimension.label!r}. Give one of them a `name` "
                    "of its own."
                )
            for label, wanted in (dimension.when or {}).items():
                _check_condition(dimension, label, wanted, before)
            before[dimension.label] = dimension

    @property
    def names(self) -> tuple[str, ...]:
        """The settings that trials may set, each once."""
        return tuple(
            dict.fromkeys(name for dimension in self.dimensions for name in dimension.names)
        )

    def suggested(self, trial: Trial) -> dict[str, Any]:
        """Returns what a trial chooses, of the dimensions that are of use for it."""
        values: dict[str, Any] = {}
        for dimension in self.dimensions:
            if _is_active(dimension, values):
                values[dimension.label] = dimension.suggested(trial)
        return values

    def settings(self, values: Values) -> dict[str, str]:
        """Returns what values set: gin texts by the names of settings.

        Raises:
          errors.InvalidSettingError: two dimensions set the same.
        """
        found: dict[str, str] = {}
        for dimension in self.dimensions:
            if dimension.label not in values:
                continue
            for name, text in dimension.settings(values[dimension.label]).items():
                if name in found:
                    raise errors.InvalidSettingError(
                        f"Sweep.space sets {name!r} twice in the same trial, the second time by "
                        f"{dimension.label!r}. Give one of them a `when`."
                    )
                found[name] = text
        return found

    def grid(self) -> list[dict[str, Any]]:
        """Returns the product: all values of all dimensions, the last one changing fastest.

        Raises:
          errors.InvalidSettingError: a dimension has no values of a grid, or there are too many.
        """
        for dimension in self.dimensions:
            if not dimension.points():
                raise errors.InvalidSettingError(
                    f"A grid needs values, and {dimension.label!r} is a range. Set its "
                    "points_in_grid, or write a Choice."
                )
        found: list[dict[str, Any]] = [{}]
        for dimension in self.dimensions:
            found = [each for values in found for each in _extended(values, dimension)]
            if len(found) > _MOST_POINTS:
                raise errors.InvalidSettingError(
                    f"The grid has more than {_MOST_POINTS:,} trials. Take fewer values, or another "
                    "Sweep.sampler."
                )
        return found

    def samples(self) -> list[dict[str, Any]]:
        """Returns values in which each dimension has each of its extremes at least once."""
        found: list[dict[str, Any]] = []
        for chosen in self.dimensions:
            for value in chosen.extremes():
                values = self._with(chosen, value)
                if values not in found:
                    found.append(values)
        return found

    def _with(self, chosen: Dimension, value: Any) -> dict[str, Any]:
        """Returns values in which a dimension has one, and all that it needs to be of use."""
        needed = {chosen.label: value}
        for dimension in reversed(self.dimensions):
            if dimension.label in needed:
                for label, wanted in (dimension.when or {}).items():
                    needed.setdefault(label, _wanted_texts(wanted)[0])
        values: dict[str, Any] = {}
        for dimension in self.dimensions:
            if dimension.label in needed:
                values[dimension.label] = needed[dimension.label]
            elif _is_active(dimension, values):
                values[dimension.label] = dimension.extremes()[0]
        return values


def _extended(values: dict[str, Any], dimension: Dimension) -> Iterator[dict[str, Any]]:
    if not _is_active(dimension, values):
        yield values
        return
    for value in dimension.points():
        yield {**values, dimension.label: value}


def _is_active(dimension: Dimension, values: Values) -> bool:
    """Whether a dimension is of use where those before it have some values."""
    return all(
        label in values and _text(values[label]) in _wanted_texts(wanted)
        for label, wanted in (dimension.when or {}).items()
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else repr(value)


def _wanted_texts(wanted: Any) -> list[str]:
    return list(map(repr, wanted if isinstance(wanted, (list, tuple)) else [wanted]))


def _check_condition(
    dimension: Dimension, label: str, wanted: Any, before: Mapping[str, Dimension]
) -> None:
    what = f"The `when` of {dimension.label!r}"
    if label not in before:
        there = ", ".join(map(repr, before)) or "none"
        raise errors.InvalidSettingError(
            f"{what} names {label!r}, which is not before it in Sweep.space. Before it: {there}."
        )
    possible = list(map(_text, before[label].points()))
    for text in _wanted_texts(wanted):
        if text not in possible:
            raise errors.InvalidSettingError(
                f"{what} asks for {label} = {text}, which cannot be. It can be: "
                f"{', '.join(possible) or 'any number of a range'}."
            )


def _check(dimension: Any) -> None:
    owner = type(dimension).__name__
    checks.text(f"{owner}.setting", dimension.setting)
    if dimension.name is not None:
        checks.text(f"{owner}.name", dimension.name)
    _check_when(owner, dimension.when)


def _check_when(owner: str, when: Any) -> None:
    if when is not None and not (isinstance(when, Mapping) and all(when)):
        raise errors.InvalidSettingError(
            f"{owner}.when is {texts.shown(when)}; give values by names, as in {{'FINE_TUNE': True}}."
        )


def _check_range(dimension: Any, least: float) -> None:
    owner = type(dimension).__name__
    checks.number(f"{owner}.low", dimension.low, least)
    checks.number(f"{owner}.high", dimension.high, least)
    if dimension.points_in_grid is not None:
        checks.whole_number(f"{owner}.points_in_grid", dimension.points_in_grid)
    _check_order(dimension)


def _check_order(dimension: Any) -> None:
    if dimension.low > dimension.high:
        owner = type(dimension).__name__
        raise errors.InvalidSettingError(
            f"{owner}.low of {dimension.setting!r} is {dimension.low}, more than {owner}.high, "
            f"{dimension.high}."
        )


def _evenly(low: float, high: float, number: int | None) -> list[float]:
    """Returns numbers at equal distances; of one it is the lower end."""
    if number is None:
        return []
    if number == 1 or low == high:
        return [float(low)]
    return [low + (high - low) * index / (number - 1) for index in range(number)]
