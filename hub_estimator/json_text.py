"""JSON from outside: read as it is meant, or refused in one way."""

from __future__ import annotations

import collections
import json
from typing import Any

from hub_estimator import texts


class _KeyTwiceError(ValueError):
    """An object has a key twice."""


def parse(text: str | bytes) -> Any:
    """Parses one JSON value.

    Args:
      text: the value; bytes are UTF-8.

    Raises:
      ValueError: it is no JSON or no UTF-8, is nested too deeply, has a whole number of too many
        digits, or an object that has a key twice, of which nobody knows the one that counts. The
        message is short and ends without a full stop.
    """
    try:
        return _DECODER.decode(text.decode("utf-8-sig") if isinstance(text, bytes) else text)
    except (json.JSONDecodeError, UnicodeDecodeError, _KeyTwiceError):
        raise
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ValueError:  # that of Python's limit, which says how to lift it for the whole process
        raise ValueError("it has a whole number of too many digits") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        (twice, _), *_ = collections.Counter(key for key, _ in pairs).most_common(1)
        raise _KeyTwiceError(f"an object has the key {texts.shown(twice)} twice")
    return made


_DECODER = json.JSONDecoder(object_pairs_hook=_object)
