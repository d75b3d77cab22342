"""JSON: from outside, it is read as it is meant or refused in one way; values are written as JSON."""

from __future__ import annotations

import collections
import collections.abc
import dataclasses
import enum
import json
import math
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


def as_plain(value: Any) -> Any:
    """Returns a value as JSON can have it.

    Args:
      value: a data class, which becomes an object of its fields and its public properties; an `Enum`,
        which becomes its value; sequences, sets (sorted), mappings, texts and numbers of these. What
        JSON has no number for becomes null.
    """
    if dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value)]
        names += [
            name
            for name, member in vars(type(value)).items()
            if isinstance(member, property) and not name.startswith("_")
        ]
        return {name: as_plain(getattr(value, name)) for name in names}
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, collections.abc.Mapping):
        return {str(key): as_plain(inner) for key, inner in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(map(as_plain, value))
    if isinstance(value, (list, tuple)):
        return [as_plain(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def text(value: Any) -> str:
    """Returns a value, see `as_plain`, as JSON in ASCII over several lines."""
    return json.dumps(as_plain(value), indent=2, allow_nan=False) + "\n"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        (twice, _), *_ = collections.Counter(key for key, _ in pairs).most_common(1)
        raise _KeyTwiceError(f"an object has the key {texts.shown(twice)} twice")
    return made


_DECODER = json.JSONDecoder(object_pairs_hook=_object)
