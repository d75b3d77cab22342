"""The bindings of the configuration that is in force, and those that nothing reads."""

from __future__ import annotations

from hub_estimator.config import statements
from hub_estimator.config.registry import parameters_of
from hub_estimator.config.statements import Binding

_WHERE = "the configuration"


def bound() -> list[Binding]:
    """Returns the bindings of the configuration that is in force."""
    import gin

    return statements.bindings(gin.config_str(), _WHERE)


def read() -> list[Binding]:
    """Returns the bindings that had an effect so far, and the defaults of what was used."""
    import gin

    return statements.bindings(gin.operative_config_str(), _WHERE)


def unread_bindings() -> list[Binding]:
    """Returns the bindings that nothing has read, as far as the program has run.

    One that only repeats a parameter's default is left out: operative configurations have those of
    every part that was used, and a run may use other parts.
    """
    all_bound = bound()
    unread = set(all_bound)
    for used in read():
        readers = _readers(used, all_bound)
        unread -= set(readers[-1:])
    return sorted((each for each in unread if not _is_default(each)), key=str)


def overruled_bindings() -> set[Binding]:
    """Returns the bindings that something would have read were there none of an inner scope."""
    all_bound = bound()
    return {each for used in read() for each in _readers(used, all_bound)[:-1]}


def _readers(used: Binding, among: list[Binding]) -> list[Binding]:
    """Returns the bindings that a use looks up, that of the innermost scope, which wins, last."""
    found = [binding for binding in among if binding.is_read_by(used)]
    return sorted(found, key=lambda binding: len(binding.scope))


def _is_default(binding: Binding) -> bool:
    missing = object()
    return bool(parameters_of(binding.selector).get(binding.parameter, missing) == binding.value)
