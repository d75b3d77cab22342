"""A module's values in the checkpoint of a training: the scope that its variables have there."""

from __future__ import annotations

from collections.abc import Callable

from hub_estimator import errors
from hub_estimator.format.checkpoint import contents, find_values
from hub_estimator.format.spec import ModuleSpec
from hub_estimator.format.variant import some_of


def name_transform(spec: ModuleSpec, checkpoint: str, scope: str | None) -> Callable[[str], str]:
    """Returns what gives a variable's name in a checkpoint for its name in the module.

    Args:
      spec: the module.
      checkpoint: names the checkpoint.
      scope: the scope of the module's variables in it; None looks for the one that has them all.

    Raises:
      errors.CheckpointScopeError: several have.
      tf_errors.CheckpointNotFoundError: there is no such checkpoint.
    """
    found = _scopes(spec, checkpoint) if scope is None else [_as_prefix(scope)]
    if len(found) > 1:
        raise errors.CheckpointScopeError(
            f"The checkpoint {checkpoint} has all variables of the module in several scopes: "
            f"{some_of([repr(name.rstrip('/')) for name in found])}. Say which one: scope=... (--scope)."
        )
    prefix = found[0] if found else ""
    return lambda name: prefix + name


def _as_prefix(scope: str) -> str:
    return f"{scope.strip('/')}/" if scope.strip("/") else ""


def _scopes(spec: ModuleSpec, checkpoint: str) -> list[str]:
    """Returns what the names of all of a module's variables start with in a checkpoint, sorted."""
    keys = sorted({entry.key for entry in spec.variant(_needed(spec)).variables}, key=len)
    if not keys:
        return []
    values = find_values(checkpoint, keys)
    names = set(contents(values.reader))
    longest = keys[-1]
    starts = {name.removesuffix(longest) for name in names if name.endswith(longest)}
    whole = {start for start in starts if not start or start.endswith("/")}
    return sorted(start for start in whole if all(start + key in names for key in keys))


def _needed(spec: ModuleSpec) -> frozenset[str]:
    return frozenset() if frozenset() in spec.get_tags() else spec.get_tags()[0]
