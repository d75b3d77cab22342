"""The parameters of our own functions and classes, read from their source: none is imported."""

from __future__ import annotations

import ast
import functools
import inspect
import pkgutil
from collections.abc import Iterator
from typing import Any

from hub_estimator import config

_PACKAGE = "hub_estimator"


def parameters(module: str, name: str) -> list[inspect.Parameter] | None:
    """Returns the parameters of a function or class, but for `self`.

    A class is a dataclass, or has an `__init__` of its own. A default that is no literal is
    `config.LATER`.

    Args:
      module: where it is, within this package.
      name: its name.

    Returns:
      The parameters; None where the package is installed without its source.
    """
    tree = _tree(module)
    if tree is None:
        return None
    [found] = [
        node
        for node in tree.body
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and node.name == name
    ]
    if isinstance(found, ast.FunctionDef):
        return list(_of_arguments(found.args))
    for inner in found.body:
        if isinstance(inner, ast.FunctionDef) and inner.name == "__init__":
            return list(_of_arguments(inner.args))[1:]
    return list(_of_fields(found))


@functools.cache
def _tree(module: str) -> ast.Module | None:
    try:
        source = pkgutil.get_data(_PACKAGE, f"{module.replace('.', '/')}.py")
    except OSError:
        return None
    return None if source is None else ast.parse(source)


def _of_arguments(arguments: ast.arguments) -> Iterator[inspect.Parameter]:
    """Yields the parameters of a function; ours have none that are only positional."""
    missing = len(arguments.args) - len(arguments.defaults)
    defaults = [*[None] * missing, *arguments.defaults]
    for argument, default in zip(arguments.args, defaults, strict=True):
        yield _parameter(argument.arg, default, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield _parameter(argument.arg, default, inspect.Parameter.KEYWORD_ONLY)


def _of_fields(found: ast.ClassDef) -> Iterator[inspect.Parameter]:
    """Yields the parameters of a dataclass: its fields, of which class variables are none."""
    for node in found.body:
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
            continue
        if "ClassVar" not in ast.unparse(node.annotation):
            kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
            yield _parameter(node.target.id, node.value, kind)


def _parameter(name: str, default: ast.expr | None, kind: Any) -> inspect.Parameter:
    value = inspect.Parameter.empty if default is None else _value(default)
    return inspect.Parameter(name, kind, default=value)


def _value(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return config.LATER
