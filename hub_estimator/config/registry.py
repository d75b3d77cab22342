"""What gin files can name, and the parameters that it has."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

# Gin's registry belongs to the process and has no public listing, so this table of what
# `add_configurable` put there, which suggestions are made from, belongs to the process too: the
# parameters of each configurable, with their defaults.
_known: dict[str, dict[str, Any]] = {}


def add_configurable(
    function: Callable[..., Any],
    name: str | None = None,
    module: str = "hub_estimator",
    denylist: Sequence[str] = (),
) -> None:
    """Makes a function or class configurable by gin; adding it again changes nothing.

    Args:
      function: the function or class; it works unchanged where it is called without gin.
      name: its name in gin files; by default its own.
      module: what comes before the name where the name alone is ambiguous.
      denylist: parameters that the run gives and no configuration may set.
    """
    import gin

    name = name or function.__name__
    if name in _known:
        return
    with gin.unlock_config():
        gin.external_configurable(function, name=name, module=module, denylist=list(denylist))
    _known[name] = {
        each.name: each.default
        for each in inspect.signature(function).parameters.values()
        if each.name not in denylist
        and each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)
    }


def known_names() -> list[str]:
    """Returns the names of all that is configurable."""
    return list(_known)


def parameters_of(selector: str) -> Mapping[str, Any]:
    """Returns the parameters of a configurable with their defaults; none where it is not known."""
    return _known.get(selector.rsplit(".", 1)[-1], {})
