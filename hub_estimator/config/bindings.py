"""The bindings of the configuration that is in force, and those that nothing reads."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence

from hub_estimator.config import statements
from hub_estimator.config.registry import LATER, NO_DEFAULT, parameters_of
from hub_estimator.config.statements import Binding
from hub_estimator.config.uses import Call, Uses


def bound() -> list[Binding]:
    """Returns the bindings of the configuration that is in force."""
    import gin

    return statements.written_bindings(gin.config_str())


def read() -> list[Binding]:
    """Returns the bindings that had an effect so far, and the defaults of what was used."""
    import gin

    return statements.written_bindings(gin.operative_config_str())


def reading() -> Reading:
    """Returns what became of the bindings, as far as the program has run."""
    found = read()
    return Reading(bound(), found, frozenset(binding.selector for binding in found))


def reachable(name: str) -> Reading:
    """Returns what would become of the bindings if a part was called, and all that it leads to.

    Args:
      name: the part.
    """
    in_force = bound()
    uses = Uses(in_force)
    uses.walk(name)
    macros = [binding for binding in uses.reached if binding.is_macro]
    found = [*macros, *(read for call in uses.calls for read in _read_by(call))]
    return Reading(in_force, found, frozenset(call.selector for call in uses.calls))


def _read_by(call: Call) -> list[Binding]:
    """Returns what a call reads, in its scope: settings, and defaults of parameters without."""
    defaults = {
        name: default
        for name, default in parameters_of(call.selector).items()
        if default is not NO_DEFAULT and default is not LATER
    }
    values = defaults | {name: binding.value for name, binding in call.settings.items()}
    return [Binding(call.scope, call.selector, name, value) for name, value in values.items()]


def unread_bindings() -> list[Binding]:
    """Returns the bindings that nothing has read so far; see `Reading`."""
    return reading().unread


@dataclasses.dataclass(frozen=True)
class Reading:
    """What became of the bindings of a configuration.

    Attributes:
      bound: the bindings.
      read: what had an effect, and the defaults of what was used.
      parts: the parts that were used.
    """

    bound: Sequence[Binding]
    read: Sequence[Binding]
    parts: frozenset[str]

    @functools.cached_property
    def unread(self) -> list[Binding]:
        """The bindings that nothing has read.

        One that only repeats a parameter's default is left out: operative configurations have those
        of every part that was used, and a run may use other parts.
        """
        unread = set(self.bound).difference(*(readers[-1:] for readers in self._readers))
        return sorted((binding for binding in unread if not _is_default(binding)), key=str)

    @functools.cached_property
    def overruled(self) -> set[Binding]:
        """The bindings that something would have read were there none of an inner scope."""
        return {binding for readers in self._readers for binding in readers[:-1]}

    @functools.cached_property
    def _readers(self) -> list[list[Binding]]:
        """For each use, the bindings that it looks up, that of the innermost scope, which wins, last."""
        found = (
            [binding for binding in self.bound if binding.is_read_by(used)] for used in self.read
        )
        return [sorted(readers, key=lambda binding: len(binding.scope)) for readers in found]


def _is_default(binding: Binding) -> bool:
    missing = object()
    return bool(parameters_of(binding.selector).get(binding.parameter, missing) == binding.value)
