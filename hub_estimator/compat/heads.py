"""The heads of `tensorflow_estimator`: what is wrong with one, and what it keeps to itself."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from typing import Any

from hub_estimator import errors, texts
from hub_estimator.compat.stand_ins import estimator_module

OTHER_NUMBER = (
    "%s: n_classes is %d, but label_vocabulary has %d: %s. There must be one name for each class."
)
WRONG = "%s cannot be made as it is set: %s."


@functools.cache
def head_class(name: str) -> Any:
    """Returns the class of `tf.estimator` called `name`, whose errors say which head is wrong.

    Making a head raises `errors.InvalidSettingError`, which is a `ValueError` too, where upstream
    raises one in its own words.
    """
    head = getattr(estimator_module("v2"), name)
    make = head.__init__

    @functools.wraps(make)
    def make_or_say_why_not(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            make(self, *args, **kwargs)
        except errors.Error:
            raise
        except ValueError as error:
            settings = inspect.signature(make).bind(self, *args, **kwargs).arguments
            raise errors.InvalidSettingError(_why_not(name, settings, error)) from error

    head.__init__ = make_or_say_why_not
    return head


def _why_not(name: str, settings: dict[str, Any], error: ValueError) -> str:
    names, size = settings.get("label_vocabulary"), settings.get("n_classes")
    if isinstance(names, (list, tuple)) and isinstance(size, int) and len(names) != size:
        shown = texts.shown_names(list(map(str, names)))
        return OTHER_NUMBER % (name, size, len(names), shown)
    return WRONG % (name, str(error).rstrip("."))


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
