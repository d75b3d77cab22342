"""Whether a table has the columns that a configuration names, which needs no TensorFlow to know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hub_estimator import files
from hub_estimator.training.inputs import tables

_MOST_BYTES = 100_000_000  # of a file that is read once more for it


def check_to_train_on(settings: Mapping[str, Any]) -> None:
    """Checks that the file of a `TextFile` has the columns of its features and labels, and a row.

    Args:
      settings: those of the `TextFile`, as a configuration has them; of what is none that it can have,
        and of a file elsewhere, nothing is said.

    Raises:
      errors.Error: see `tables.read_columns`.
    """
    names = list(_columns([*_features(settings), settings.get("label")]))
    _check(settings.get("path"), names, settings)


def check_to_predict_for(settings: Mapping[str, Any], path: str, keep: Sequence[str]) -> None:
    """Checks that a file of the same form has a row, and the columns that are to be kept.

    Args:
      settings: see `check_to_train_on`.
      path: the file.
      keep: the columns.

    Raises:
      errors.Error: see `tables.read_columns`.
    """
    features = _features(settings)
    names = list(_columns(features if len(features) == 1 else ()))  # of more, a model may take some
    has_names = settings.get("header", True)
    names += [int(name) if not has_names and name.isdecimal() else name for name in keep]
    _check(path, names, settings)


def _check(path: Any, names: Sequence[str | int], settings: Mapping[str, Any]) -> None:
    delimiter, header = settings.get("delimiter"), settings.get("header", True)
    is_readable = delimiter is None or (isinstance(delimiter, str) and len(delimiter) == 1)
    if not isinstance(path, str) or files.is_remote(path) or not is_readable:
        return
    path = files.as_path(path)
    if files.exists(path) and not files.is_folder(path) and files.size(path) <= _MOST_BYTES:
        tables.check_columns(path, names, delimiter, bool(header))


def _features(settings: Mapping[str, Any]) -> list[Any]:
    """Returns the columns of each feature."""
    texts, numbers = settings.get("texts"), settings.get("numbers")
    if texts is None:
        texts = {} if numbers else {"text": "text"}
    parts = [part for part in (texts, numbers) if isinstance(part, Mapping)]
    return [columns for part in parts for columns in part.values()]


def _columns(found: Any) -> Iterator[str | int]:
    """Yields the columns in a setting that has one, or several, or some by name."""
    if isinstance(found, Mapping):
        found = list(found.values())
    if isinstance(found, (list, tuple)):
        for inner in found:
            yield from _columns(inner)
    elif isinstance(found, (str, int)):
        yield found
