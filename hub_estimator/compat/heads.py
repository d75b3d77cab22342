"""What a head of `tensorflow_estimator` keeps to itself and inputs must know."""

from __future__ import annotations

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True)
class HeadDetails:
    """How a head was made.

    Attributes:
      vocabulary: the names of its classes, where it takes labels by name.
      weight_feature: the feature with the weight of each example, or None.
      parts: the heads of a multi-head by name; empty for others.
    """

    vocabulary: tuple[str, ...] | None
    weight_feature: str | None
    parts: dict[str, Any]


def head_details(head: Any) -> HeadDetails:
    """Returns how a head was made; a head of somebody else has none of it."""
    vocabulary = getattr(head, "_label_vocabulary", None)
    weight = getattr(head, "_weight_column", None)
    parts = {member.name: member for member in getattr(head, "_heads", ())}
    return HeadDetails(
        tuple(vocabulary) if vocabulary else None,
        weight if weight is None or isinstance(weight, str) else weight.key,
        parts,
    )
