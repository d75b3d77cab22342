"""What a gin file says of a sweep, and the `Sweep` that it describes.

It is made of the texts, not called by gin: what trials choose among are texts, and the parts that they
name need not be imported for it.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any

from hub_estimator import config, errors
from hub_estimator.config.parsing import REQUIRED
from hub_estimator.config.statements import Reference
from hub_estimator.sweep.final_check import FinalCheck
from hub_estimator.sweep.pruners import HyperbandPruner, MedianPruner, PercentilePruner
from hub_estimator.sweep.results.publication import Publication
from hub_estimator.sweep.samplers import GP, TPE, CmaEs, Grid, RandomSearch
from hub_estimator.sweep.space import Choice, IntUniform, LogUniform, Regimes, Uniform
from hub_estimator.sweep.sweep import Sweep
from hub_estimator.training.objective import Objective
from hub_estimator.training.settings_text import EXPERIMENT

# Each with a setting that puts it to work.
_PARTS: dict[Callable[..., Any], str | None] = {
    Sweep: None,
    Choice: "Sweep.space = [@module/Choice()]",
    Uniform: "Sweep.space = [@dropout/Uniform()]",
    LogUniform: "Sweep.space = [@rate/LogUniform()]",
    IntUniform: "Sweep.space = [@width/IntUniform()]",
    Regimes: "Sweep.space = [@Regimes()]",
    TPE: "Sweep.sampler = @TPE()",
    RandomSearch: "Sweep.sampler = @RandomSearch()",
    Grid: "Sweep.sampler = @Grid()",
    CmaEs: "Sweep.sampler = @CmaEs()",
    GP: "Sweep.sampler = @GP()",
    MedianPruner: "Sweep.pruner = @MedianPruner()",
    PercentilePruner: "Sweep.pruner = @PercentilePruner()",
    HyperbandPruner: "Sweep.pruner = @HyperbandPruner()",
    FinalCheck: "Sweep.final_check = @FinalCheck()",
    Publication: "Sweep.publication = @Publication()",
}
NAMES = tuple(part.__name__ for part in _PARTS)
"""The names of the parts of sweeps in gin files."""
SWEEP = Sweep.__name__
# What is in these is what a trial's gin text has.
_TEXTS = frozenset({"values", "when", "settings_by_regime"})


def register() -> None:
    """Makes the parts of sweeps known to gin; calling it again changes nothing."""
    for part, use in _PARTS.items():
        config.add_configurable(part, uses=() if use is None else (use,))


def sweep(session: config.Session) -> Sweep:
    """Returns the sweep that a configuration describes.

    Args:
      session: the configuration, in which not all need be given that an experiment needs.

    Raises:
      errors.ConfigError: something is missing, or is no part of a sweep.
      errors.InvalidSettingError: a setting has a value that it cannot have.
    """
    session.check_parts_reached(SWEEP, NAMES)
    made = _Maker(session.calls_reached(SWEEP)).made(Reference("", SWEEP))
    if made.objective is not None:
        return made
    of_run = _Maker(session.calls_reached(EXPERIMENT)).setting(EXPERIMENT, "objective")
    return made if of_run is None else dataclasses.replace(made, objective=of_run)


class _Maker:
    """Makes parts of what is said of their calls."""

    def __init__(self, calls: list[config.Reached]) -> None:
        self._calls = {(_name(call.part), call.scope): call for call in calls}
        self._classes = {part.__name__: part for part in (*_PARTS, Objective)}

    def setting(self, name: str, parameter: str) -> Any:
        """Returns a setting of a part that is called in no scope; None where it is not set."""
        call = self._calls.get((name, ""))
        return None if call is None else self._value(call.values.get(parameter), "")

    def made(self, used: Reference, scope: str = "") -> Any:
        """Returns the part that a text uses, in the scope of what uses it."""
        name = _name(used.name)
        class_ = self._classes[name]
        called_in = used.scope or scope
        # Of one that has no settings at all nothing is said.
        call = self._calls.get((name, called_in), config.Reached(name, called_in, {}, {}))
        given = {
            parameter: value if parameter in _TEXTS else self._value(value, called_in)
            for parameter, value in call.values.items()
        }
        _check_given(class_, call, given)
        return class_(**given)

    def _value(self, value: Any, scope: str) -> Any:
        """Returns the value of a parameter, with the parts in it made, where they are ours."""
        if isinstance(value, Reference) and not value.is_macro:
            if _name(value.name) not in self._classes or not value.is_called:
                return value  # its check refuses it
            return self.made(value, scope)
        if isinstance(value, (list, tuple)):
            return type(value)(self._value(element, scope) for element in value)
        return value


def _check_given(class_: Callable[..., Any], call: config.Reached, given: dict[str, Any]) -> None:
    scope = f"{call.scope}/" if call.scope else ""
    missing = [
        call.names.get(name, f"{scope}{call.part}.{name}")
        for name, parameter in inspect.signature(class_).parameters.items()
        if given.get(name, parameter.default) in (REQUIRED, parameter.empty)
    ]
    if missing:
        raise errors.MissingSettingError(
            f"The configuration needs {', '.join(missing)}. Give it in a gin file or by "
            + " ".join(f'--gin_bindings="{name}=..."' for name in missing)
            + "."
        )


def _name(selector: str) -> str:
    return selector.rsplit(".", 1)[-1]
