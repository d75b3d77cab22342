"""What says which example each is, such as an id or a path: it is kept beside what is predicted.

It passes the model by. An input puts it into the features of its batches, under names that no other
feature has, and who runs the model takes it out again. So it is of the same example as the features
beside it, whatever the size of the batches. Each value is a text of JSON: a number stays a number.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from hub_estimator import errors, texts
from hub_estimator.training.cells import is_missing

_PREFIX = "hub_estimator/kept/"
_NULL = b"null"
_QUOTED = re.compile('[",\r\n]')


def feature(name: str) -> str:
    """Returns the name of the feature that holds what is kept under a name."""
    return f"{_PREFIX}{name}"


def name_of(feature: str) -> str:
    """Returns the name under which is kept what a feature holds; see `feature`."""
    return feature.removeprefix(_PREFIX)


def split(features: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns the features that are the model's, and those that hold what is kept."""
    of_model = {name: value for name, value in features.items() if not name.startswith(_PREFIX)}
    return of_model, {name: value for name, value in features.items() if name not in of_model}


def column(name: str, values: Iterable[Any]) -> np.ndarray:
    """Returns values as a feature holds them: texts of JSON, bytes `[N]` of type object.

    Args:
      name: what they are kept under.
      values: texts, numbers, lists and dicts of these, or None; what JSON does not know is its text,
        and a number that is none is None.

    Raises:
      errors.DataFileError: one is nested too deeply.
    """
    try:
        return np.array([*map(_encoded, values)], object)
    except RecursionError as error:
        raise errors.DataFileError(
            f"A value of {name!r} is nested too deeply to be kept."
        ) from error


def csv_fields(column: np.ndarray) -> np.ndarray:
    """Returns values of `column` as fields of CSV, `[N]` of type object; None is an empty one."""
    return np.array([*map(_csv_field, column)], object)


def json_values(column: np.ndarray) -> np.ndarray:
    """Returns values of `column` as values in lines of JSON, `[N]` of type object."""
    return np.array([value.decode("utf-8") for value in column], object)


def cell(value: bytes) -> str:
    """Returns one value of `column` as the cell of a table; None is an empty one."""
    text = value.decode("utf-8")
    if value == _NULL:
        return ""
    return str(json.loads(text)) if text.startswith('"') else text


def check(keep: Any, setting: str) -> tuple[str, ...]:
    """Checks a setting that names what to keep; returns the names, each once.

    Raises:
      errors.InvalidSettingError: it is no list of names.
    """
    is_list = isinstance(keep, Sequence) and not isinstance(keep, (str, bytes))
    if not is_list or not all(isinstance(name, str) and name for name in keep):
        raise errors.InvalidSettingError(
            f"{setting} is {texts.shown(keep)}; it must be a list of columns in quotes, as in ['id']."
        )
    return tuple(dict.fromkeys(keep))


def _encoded(value: Any) -> bytes:
    plain = _plain(value)
    try:
        return _ENCODER.encode(plain).encode("utf-8")
    except (
        ValueError
    ):  # a number that is none, half a surrogate pair, or a path in another encoding
        return json.dumps(_finite(plain), default=_plain).encode("ascii")


def _plain(value: Any) -> Any:
    """Returns a value as JSON has it."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if is_missing(value):
        return None
    if isinstance(value, (np.float16, np.float32)):
        return float(str(value))  # 0.1 as it was meant
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if isinstance(value, (bool, int, float, list, tuple, dict)):
        return value
    return str(value)


def _finite(value: Any) -> Any:
    """Returns a value without numbers that are none."""
    if isinstance(value, dict):
        return {str(key): _finite(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _csv_field(value: bytes) -> str:
    text = cell(value)
    return f'"{text.replace(chr(34), chr(34) * 2)}"' if _QUOTED.search(text) else text


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=_plain)
