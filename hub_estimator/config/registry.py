"""What gin files can name, the parameters that it has, and what some of these mean."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from hub_estimator import errors


@dataclasses.dataclass(frozen=True)
class _Known:
    """What `add_configurable` added.

    Attributes:
      parameters: the parameters that a configuration may set, with their defaults.
      paths: those that are paths of what is read.
      given_only: those that a model folder's configuration may not set.
    """

    parameters: Mapping[str, Any]
    paths: frozenset[str]
    given_only: frozenset[str]


# Gin's registry belongs to the process and has no public listing, so this table of what
# `add_configurable` put there belongs to the process too.
_known: dict[str, _Known] = {}


def add_configurable(
    function: Callable[..., Any],
    name: str | None = None,
    module: str = "hub_estimator",
    denylist: Sequence[str] = (),
    paths: Collection[str] = (),
    given_only: Collection[str] = (),
) -> None:
    """Makes a function or class configurable by gin; adding it again changes nothing.

    What is added can be named by the configuration of a model folder, which may be a stranger's: so
    it must do no harm, whatever its arguments are. It may read; it may write only into the model
    folder of the run.

    Args:
      function: the function or class; it works unchanged where it is called without gin.
      name: its name in gin files; by default its own.
      module: what comes before the name where the name alone is ambiguous.
      denylist: parameters that the run gives and no configuration may set.
      paths: parameters that are paths of what is read, or lists of these; see `ConfigOrigin`.
      given_only: parameters that say where to write or whether to fetch something. In the
        configuration of a model folder they have no effect.
    """
    import gin

    name = name or function.__name__
    if name in _known:
        return
    with gin.unlock_config():
        gin.external_configurable(function, name=name, module=module, denylist=list(denylist))
    parameters = {
        parameter.name: parameter.default
        for parameter in inspect.signature(function).parameters.values()
        if parameter.name not in denylist
        and parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    }
    _known[name] = _Known(parameters, frozenset(paths), frozenset(given_only))


def known_names() -> list[str]:
    """Returns the names of all that is configurable."""
    return list(_known)


def parameters_of(selector: str) -> Mapping[str, Any]:
    """Returns the parameters of a configurable with their defaults; none where it is not known."""
    known = _find(selector)
    return known.parameters if known else {}


def is_path(selector: str, parameter: str) -> bool:
    """Whether a parameter is a path of what is read."""
    known = _find(selector)
    return known is not None and parameter in known.paths


def is_given_only(selector: str, parameter: str) -> bool:
    """Whether a model folder's configuration may not set a parameter."""
    known = _find(selector)
    return known is not None and parameter in known.given_only


def part(name: str) -> Any:
    """Returns what a name in a gin file stands for: one object for all names of a part.

    Raises:
      errors.UnknownSettingError: it stands for several parts, which modules added since.
    """
    import gin

    try:
        return gin.get_configurable(name)
    except KeyError as error:
        raise errors.UnknownSettingError(
            ambiguous(str(error.args[0]), "the configuration")
        ) from error


def ambiguous(message: str, where: str) -> str:
    """Returns what to say where gin says that a name stands for several parts."""
    return f"{message.rstrip('.')} ({where}). Write more of its name, as it is there."


def _find(selector: str) -> _Known | None:
    return _known.get(selector.rsplit(".", 1)[-1])
