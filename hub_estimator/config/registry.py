"""What gin files can name, the parameters that it has, and what some of these mean."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from hub_estimator import errors

NO_DEFAULT = inspect.Parameter.empty
"""In the place of a default: the parameter has none."""
LATER = object()
"""In the place of a default: it is known once the part is added."""


@dataclasses.dataclass(frozen=True)
class Known:
    """What is configurable.

    Attributes:
      function: the function or class; None for what is only declared.
      parameters: the parameters that a configuration may set, with their defaults, `NO_DEFAULT` or
        `LATER`.
      paths: those that are paths of what is read.
      given_only: those that a model folder's configuration may not set.
      module: what comes before its name where that alone is ambiguous.
      uses: settings that put it to work.
    """

    function: Callable[..., Any] | None
    parameters: Mapping[str, Any]
    paths: frozenset[str]
    given_only: frozenset[str]
    module: str
    uses: tuple[str, ...]


# Gin's registry belongs to the process and has no public listing, so this table of what was put there
# belongs to the process too.
_known: dict[str, Known] = {}


def declare_configurable(
    name: str,
    module: str = "hub_estimator",
    parameters: Sequence[inspect.Parameter] | None = None,
    denylist: Sequence[str] = (),
    paths: Collection[str] = (),
    given_only: Collection[str] = (),
    uses: Sequence[str] = (),
) -> None:
    """Makes known what `add_configurable` is going to add, so that texts can be checked before.

    It cannot be called. Declaring what is known changes nothing.

    Args:
      name: its name in gin files.
      module: see `add_configurable`.
      parameters: those that it has, a default being `LATER` where it is not known yet; None where
        they are not known before it is added.
      denylist: see `add_configurable`.
      paths: see `add_configurable`.
      given_only: see `add_configurable`.
      uses: see `add_configurable`.
    """
    if name in _known:
        return

    def declared(**settings: Any) -> None:
        raise NotImplementedError(f"{name} is declared; it was not added.")

    if parameters is not None:
        declared.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    if not _is_in_gin(f"{module}.{name}"):
        _register(declared, name, module, denylist)
    settable = {} if parameters is None else _settable(declared, denylist)
    _known[name] = Known(
        None, settable, frozenset(paths), frozenset(given_only), module, tuple(uses)
    )


def add_configurable(
    function: Callable[..., Any],
    name: str | None = None,
    module: str = "hub_estimator",
    denylist: Sequence[str] = (),
    paths: Collection[str] = (),
    given_only: Collection[str] = (),
    uses: Sequence[str] = (),
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
      uses: settings that put it to work, such as `"Experiment.report = @Report()"`, for those who set
        something of it where nothing uses it.
    """
    name = name or function.__name__
    if name in _known and _known[name].function is not None:
        return
    _register(function, name, module, denylist)
    settable = _settable(function, denylist)
    _known[name] = Known(
        function, settable, frozenset(paths), frozenset(given_only), module, tuple(uses)
    )


def _register(
    function: Callable[..., Any], name: str, module: str, denylist: Sequence[str]
) -> None:
    """Has gin know a function, in place of what was declared under its name."""
    import gin

    if name in _known:
        gin.enter_interactive_mode()  # in which a name may be registered again
    try:
        with gin.unlock_config():
            gin.external_configurable(function, name=name, module=module, denylist=list(denylist))
    finally:
        if name in _known:
            gin.exit_interactive_mode()


def _is_in_gin(selector: str) -> bool:
    """Whether somebody registered a name already, as `gin.tf` does with parts of TensorFlow."""
    import gin

    try:
        gin.get_configurable(selector)
    except (KeyError, ValueError):
        return False
    return True


def _settable(function: Callable[..., Any], denylist: Sequence[str]) -> dict[str, Any]:
    """Returns the parameters that a configuration may set, with their defaults."""
    return {
        parameter.name: parameter.default
        for parameter in inspect.signature(function).parameters.values()
        if parameter.name not in denylist
        and parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    }


def known_configurables() -> Mapping[str, Known]:
    """Returns all that is configurable by name, but for what a program's own modules registered."""
    return _known


def parameters_of(selector: str) -> Mapping[str, Any]:
    """Returns the parameters of a configurable with their defaults; none where it is not known."""
    known = _find(selector)
    return known.parameters if known else {}


def uses_of(selector: str) -> Sequence[str]:
    """Returns settings that put a part to work, as far as that was told."""
    known = _find(selector)
    return known.uses if known else ()


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


def is_settled(selector: str, parameter: str) -> bool:
    """Whether the default of a parameter is known: that of what is only declared may not be."""
    known = _find(selector)
    return known is not None and known.parameters.get(parameter, LATER) is not LATER


def _find(selector: str) -> Known | None:
    return _known.get(selector.rsplit(".", 1)[-1])
