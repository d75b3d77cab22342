"""The configuration of a model folder, `operative_config.gin`, which is read as data.

The folder may be a stranger's. Gin files can import modules, and call what is in them; what has this
name imports nothing, registers nothing and includes nothing. It can only set what this package, the
program that runs, or a module that the user allowed has registered (see `add_configurable` for what
that must be like), and not where else to write or what to fetch. Files of other names are taken for
the user's own.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Collection, Iterable
from typing import Any

from hub_estimator import errors, files, texts
from hub_estimator.config import registry
from hub_estimator.config.origin import ConfigOrigin, path_bindings
from hub_estimator.config.statements import (
    GIN_FEATURES,
    Binding,
    Import,
    Include,
    Statement,
)
from hub_estimator.config.syntax import place

OPERATIVE_CONFIG = "operative_config.gin"

_logger = logging.getLogger("hub_estimator")


def is_operative(path: str) -> bool:
    """Whether a file is the configuration of a model folder, also where a link leads to it."""
    return OPERATIVE_CONFIG in (os.path.basename(path), os.path.basename(os.path.realpath(path)))


def check(path: str, found: Iterable[Statement], allowed_imports: Collection[str]) -> None:
    """Checks that a configuration is data.

    Args:
      path: the file.
      found: what is in it.
      allowed_imports: the modules that the user allowed.

    Raises:
      errors.ConfigError: it does more than to set something.
    """
    for statement in found:
        if isinstance(statement, Binding):
            continue
        if isinstance(statement, Import) and statement.module in allowed_imports:
            continue
        where = place(repr(path), statement.line)
        data = "A model folder is data, so its configuration"
        if isinstance(statement, Include):
            raise errors.ConfigError(
                f"{where} includes {texts.shown(statement.name)}. {data} includes nothing. Where "
                "you wrote it, give it another name."
            )
        if statement.module.startswith(GIN_FEATURES):
            feature = statement.module.removeprefix(GIN_FEATURES)
            raise errors.ConfigError(
                f"{where} asks for gin's {texts.shown(feature)}. {data} registers nothing."
            )
        raise errors.ConfigError(
            f"{where} imports {texts.shown(statement.module)}. {data} imports nothing. Where you "
            f"trust that module, give --allow_import={statement.module}."
        )


def import_hint(origin: ConfigOrigin | None, allowed_imports: Collection[str]) -> str:
    """Returns what to do where a configuration names what nobody registered; empty if nothing."""
    modules = origin.imports if origin and origin.imports else ("<module>",)
    flags = " ".join(
        f"--allow_import={module}" for module in modules if module not in allowed_imports
    )
    return flags and (
        "The configuration of a model folder imports nothing. Where a module of yours registers "
        f"that, give {flags}."
    )


def adapt(path: str, origin: ConfigOrigin | None, found: Iterable[Statement]) -> list[Binding]:
    """Changes what gin parsed of a configuration, so that it is right here and does no harm.

    Its paths lead to where they led in training. What it may not set has its default.

    Args:
      path: the file.
      origin: where it was at work.
      found: what is in it.

    Returns:
      What had another value than its default and may not.
    """
    import gin

    bound = [statement for statement in found if isinstance(statement, Binding)]
    left_out = []
    for binding in bound:
        if registry.is_given_only(binding.selector, binding.parameter):
            # Of what is only declared none may be known; then nothing is called either.
            default = registry.parameters_of(binding.selector).get(binding.parameter)
            if binding.value != default:
                left_out.append(binding)
            gin.bind_parameter(str(binding), default)
    if origin is None:
        return left_out
    model_folder = files.parent(path) or "."
    for binding in path_bindings(bound):
        name = f"%{binding}" if binding.is_macro else str(binding)
        value = gin.query_parameter(name)
        gin.bind_parameter(name, each_text(value, lambda text: origin.path(text, model_folder)))
    return left_out


def warn(path: str, left_out: Iterable[Binding]) -> None:
    """Says in the log what has no effect of a configuration.

    Args:
      path: the file.
      left_out: what `adapt` returned.
    """
    for binding in left_out:
        _logger.warning(
            "%s sets %s, which has no effect: it says where to write or what to fetch, and counts "
            'only where you give it, as in --gin_bindings="%s=...".',
            path, binding, binding,
        )  # fmt: skip


def each_text(value: Any, change: Callable[[str], str]) -> Any:
    """Returns a value with each text in it, but for the keys of dicts, changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, (list, tuple)):
        return type(value)(each_text(element, change) for element in value)
    if isinstance(value, dict):
        return {key: each_text(element, change) for key, element in value.items()}
    return value
