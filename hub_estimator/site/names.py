"""The names of published models and the numbers of their versions: they become paths and URLs."""

from __future__ import annotations

import re

from hub_estimator import errors, texts

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}/[a-z][a-z0-9_-]{0,63}")
_PART = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_VERSION = re.compile(r"[1-9][0-9]{0,8}")


def check(name: str) -> None:
    """Checks the name of a model: `owner/model`.

    Raises:
      errors.InvalidModelNameError: it is none.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise errors.InvalidModelNameError(
            f"{texts.shown(name)} cannot be the name of a published model. Give an owner and a model, "
            "as in acme/reviews-en: each begins with a lower-case letter, and has these, digits, '-' "
            "and '_', at most 64."
        )


def is_part(name: str) -> bool:
    """Whether a name can be that of an owner, or of a model without its owner."""
    return bool(_PART.fullmatch(name))


def version_of(text: str) -> int | None:
    """Returns the number of a version that a text is; None where it is none."""
    return int(text) if _VERSION.fullmatch(text) else None


def parse_version(text: str) -> int:
    """Returns the number of a version that was given as text.

    Raises:
      errors.InvalidModelNameError: it is none.
    """
    number = version_of(text)
    if number is None:
        raise errors.InvalidModelNameError(
            f"{texts.shown(text)} cannot be a version. Give a whole number from 1 to 999999999."
        )
    return number
