"""What somebody may have meant by a name that is wrong, also of another part."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Sequence

from hub_estimator.config import registry
from hub_estimator.config.statements import Binding

_MOST = 3
_SHORTEST = 3  # letters; too many names begin with fewer


def for_part(name: str, parameter: str = "") -> str:
    """Returns what may have been meant by a part that is not there.

    Args:
      name: what was written.
      parameter: the parameter of it that was set, if one was.
    """
    near = near_names(name.rsplit(".", 1)[-1], registry.known_configurables())
    if not near and parameter:
        near = _with_parameter(parameter, registry.known_configurables())
    return _asked(near) or _listed(registry.known_configurables())


def for_parameter(selector: str, parameter: str) -> str:
    """Returns what may have been meant by a parameter that a part does not have.

    Args:
      selector: the part.
      parameter: what was written.
    """
    own = registry.parameters_of(selector)
    parts = [selector.rsplit(".", 1)[-1]]
    return _asked(
        _of_parts_within(parameter, parts)
        or near_names(parameter, own)
        or _with_parameter(parameter, registry.known_configurables())
        or _near_of_parts_within(parameter, parts)
    ) or _listed(own)


def for_macro(name: str, macros: Collection[str]) -> str:
    """Returns what may have been meant by a macro that is not there.

    Args:
      name: what was written.
      macros: those that are there.
    """
    return _asked(near_names(name, macros)) or _listed(macros)


def for_unread(binding: Binding, read: Sequence[Binding], parts: Collection[str]) -> str:
    """Returns what may have been meant by a setting that nothing reads.

    Args:
      binding: the setting.
      read: what something reads.
      parts: the parts that are used.
    """
    # Macros are mistaken for macros, parameters for parameters.
    known = {str(other) for other in read if other.is_macro == binding.is_macro}
    near = near_names(str(binding), known)
    if binding.is_macro:
        return _asked(near or _with_parameter(str(binding), parts)) or _listed(known)
    uses = [] if binding.selector in parts else registry.uses_of(binding.selector)
    if uses:
        fitting = [use for use in uses if _part_of(use) in parts]
        others = [] if fitting else _of_parts_within(binding.parameter, parts)
        return _asked(others) or (
            f"Nothing uses {binding.selector}. To use it, set {' or '.join(fitting or uses)}."
        )
    return _asked(near) or _listed(known)


def near_names(name: str, known: Iterable[str]) -> list[str]:
    """Returns the names that are like another one: those that begin with it first."""
    lower = {candidate.lower(): candidate for candidate in sorted(known)}
    wanted = name.lower()
    found = [text for text in lower if text.startswith(wanted) and len(wanted) >= _SHORTEST]
    found += difflib.get_close_matches(wanted, lower, n=_MOST, cutoff=0.6)
    return [lower[text] for text in dict.fromkeys(found)][:_MOST]


def _with_parameter(parameter: str, parts: Iterable[str]) -> list[str]:
    """Returns the settings of a name that parts have; of too many, as of `name`, none."""
    found = [
        f"{part}.{parameter}" for part in sorted(parts) if parameter in registry.parameters_of(part)
    ]
    return found if len(found) <= _MOST else []


def _of_parts_within(parameter: str, parts: Collection[str]) -> list[str]:
    """Returns the settings of a name of what some parts can use, with how they do."""
    return [
        f"{setting}, with {use}"
        for setting in _with_parameter(parameter, registry.known_configurables())
        for use in registry.uses_of(_part_of(setting))
        if _part_of(use) in parts
    ]


def _near_of_parts_within(parameter: str, parts: Collection[str]) -> list[str]:
    """Returns the settings, of a name like another one, of what some parts can use; see above."""
    known = registry.known_configurables().values()
    used = [part for part in known if any(_part_of(use) in parts for use in part.uses)]
    near = near_names(parameter, {name for part in used for name in part.parameters})
    return [setting for name in near for setting in _of_parts_within(name, parts)][:_MOST]


def _part_of(setting: str) -> str:
    """Returns the part of `[scope/]part.parameter`, whatever follows."""
    return setting.partition(".")[0].rpartition("/")[-1]


def _asked(names: Sequence[str]) -> str:
    return f"Did you mean {' or '.join(names)}?" if names else ""


def _listed(names: Collection[str]) -> str:
    return f"There is: {', '.join(sorted(names))}." if names else "There is none."
