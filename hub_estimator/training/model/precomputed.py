"""The names under which features hold what encoders would give, or compute, of the rest of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def name(encoder: int, use: int) -> str:
    """Returns the name of the feature that holds what one use of an encoder gives.

    Args:
      encoder: the encoder's number in the model, from 0.
      use: which of its uses, from 0.
    """
    return f"encoder_{encoder}/output_{use}"


def outputs(features: Mapping[str, Any], encoder: int) -> list[Any] | None:
    """Returns what each use of an encoder gives, `[B, D]`; None where that is not there."""
    found: list[Any] = []
    while name(encoder, len(found)) in features:
        found.append(features[name(encoder, len(found))])
    return found or None


def inner_name(encoder: int, tensor: str) -> str:
    """Returns the name of the feature that holds a tensor inside of a module.

    Args:
      encoder: the encoder's number in the model, from 0.
      tensor: the tensor's name in the module's graph.
    """
    return f"encoder_{encoder}/inside/{tensor}"


def inner_tensors(features: Mapping[str, Any], encoder: int) -> dict[str, Any] | None:
    """Returns the tensors inside of an encoder's module by their names; None where none is there."""
    start = inner_name(encoder, "")
    found = {
        name.removeprefix(start): value
        for name, value in features.items()
        if name.startswith(start)
    }
    return found or None
