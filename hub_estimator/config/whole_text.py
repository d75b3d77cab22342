"""A configuration as it would run, as the text of a gin file: what is set, and defaults of what is used."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from hub_estimator.config import bindings, registry
from hub_estimator.config.parsing import ReadFile
from hub_estimator.config.statements import Binding
from hub_estimator.config.uses import Call, Uses
from hub_estimator.config.values import is_literal

_DEFAULT = "  # default"


def whole_text(
    name: str, files: Sequence[ReadFile], given: Collection[str], imports: Sequence[str]
) -> str:
    """Returns the text of a gin file that sets all that a call of a part leads to.

    Args:
      name: the part.
      files: the files that the configuration is from.
      given: the names of what bindings beside them set.
      imports: the modules that it needs.
    """
    uses = Uses(bindings.bound())
    uses.walk(name)
    macros = sorted((binding for binding in uses.reached if binding.is_macro), key=str)
    by_part: dict[str, list[Call]] = {}
    for call in uses.calls:
        by_part.setdefault(call.selector, []).append(call)
    blocks = [
        [*_of_files(files), *_of_bindings(given)],
        [f"import {module}" for module in imports],
        [_line(binding) for binding in macros],
        *(_of_part(part, calls) for part, calls in by_part.items()),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _of_files(files: Sequence[ReadFile]) -> list[str]:
    """Returns comments that say where the configuration is from."""
    if not files:
        return []
    lines = [f"#   {'  ' * file.depth}{file.path!r}" for file in files]
    return ["# From these files, those that a file includes below it:", *lines]


def _of_bindings(given: Collection[str]) -> list[str]:
    """Returns the comment that says what was given beside files."""
    return [f"# Set by bindings: {', '.join(sorted(given))}"] if given else []


def _of_part(part: str, calls: Sequence[Call]) -> list[str]:
    """Returns the settings of a part, those of its calls in all scopes, and its defaults."""
    parameters = registry.parameters_of(part)
    found = _settings(calls)
    lines: list[str] = []
    for parameter in [*parameters, *(name for name in found if name not in parameters)]:
        default = parameters.get(parameter, registry.NO_DEFAULT)
        if any(parameter not in call.settings for call in calls):
            lines += _of_default(f"{part}.{parameter}", default)
        lines += [_line(binding, default) for binding in found.get(parameter, ())]
    return lines


def _settings(calls: Iterable[Call]) -> Mapping[str, list[Binding]]:
    """Returns what calls read of each parameter, outer scopes first."""
    found: dict[str, dict[Binding, None]] = {}
    for call in calls:
        for parameter, binding in call.settings.items():
            found.setdefault(parameter, {})[binding] = None
    return {name: sorted(read, key=lambda binding: binding.scope) for name, read in found.items()}


def _of_default(name: str, default: object) -> Iterator[str]:
    """Yields the line of a default; of one that a gin file cannot have, a comment."""
    if default is registry.NO_DEFAULT:
        return
    if is_literal(default):
        yield f"{name} = {default!r}{_DEFAULT}"
    else:
        yield f"# {name}: {getattr(default, '__name__', None) or repr(default)}, by default"


def _line(binding: Binding, default: object = registry.NO_DEFAULT) -> str:
    is_default = is_literal(default) and repr(binding.value) == repr(default)
    return f"{binding} = {binding.value_text}{_DEFAULT if is_default else ''}"
