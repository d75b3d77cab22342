"""`pandas_input_fn` and `numpy_input_fn` with the columns of pandas 3 and NumPy 2.

Both feed queues with NumPy arrays, and ask TensorFlow for the type of each column. TensorFlow knows
those of NumPy 1. Texts come in others now, `str` in pandas and `StringDType` in NumPy.
"""

from __future__ import annotations

import functools
import importlib
import math
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from hub_estimator import errors, texts

MISSING = (
    "%s: %s is missing in row %d, counted from 0, and of its type, %s, TensorFlow has no missing "
    "values. Fill it in, or leave the row out."
)
NOT_TEXT = (
    "%s: %s has %s in row %d, counted from 0. Its type is object, which TensorFlow takes for texts "
    "alone. Make it one of texts or of numbers: .astype(str), .astype('float32')."
)
OTHER_TYPE = (
    "%s: %s is of the type %s, which TensorFlow does not have. Make it one of texts or of numbers: "
    ".astype(str), .astype('int64')."
)

_INPUTS = "tensorflow_estimator.python.estimator.inputs"
_MODULES = (
    *(f"{_INPUTS}.numpy_io", f"{_INPUTS}.pandas_io", f"{_INPUTS}.inputs"),
    "tensorflow_estimator.python.estimator.api._v1.estimator.inputs",
)
_NUMBERS = frozenset("biufc")  # kinds of NumPy's types
_TEXTS = frozenset("SU")


@functools.cache
def accept_columns_of_today() -> None:
    """Makes both functions, under all their names, take the columns that pandas and NumPy have now.

    What they could take before they are given as it is. What TensorFlow cannot take raises
    `errors.ColumnTypeError`, which names the column.
    """
    modules = [importlib.import_module(name) for name in _MODULES]
    for name, convert in (("numpy_input_fn", _arrays), ("pandas_input_fn", _frames)):
        accepting = _converting(getattr(modules[-1], name), convert)
        for module in modules:
            if hasattr(module, name):
                setattr(module, name, accepting)


def _converting(function: Callable[..., Any], convert: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def converting(x: Any, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        return function(*convert(x, y), *args, **kwargs)

    return converting


def _arrays(x: Any, y: Any) -> tuple[Any, Any]:
    return _of_numpy_input(x, "x"), _of_numpy_input(y, "y")


def _of_numpy_input(values: Any, name: str) -> Any:
    if not isinstance(values, Mapping):
        return _column(values, "numpy_input_fn", name)
    return {
        key: _column(value, "numpy_input_fn", f"{name}[{key!r}]") for key, value in values.items()
    }


def _frames(x: Any, y: Any) -> tuple[Any, Any]:
    pandas: Any = sys.modules.get("pandas")
    if pandas is None or not isinstance(x, pandas.DataFrame):
        return x, y  # upstream says what is wrong with it
    if y is None:
        return _frame(x, "x"), None
    is_labelled = isinstance(y, (pandas.DataFrame, pandas.Series)) and x.index.equals(y.index)
    return (_frame(x, "x"), _frame(y, "y")) if is_labelled else (x, y)


def _frame(frame: Any, name: str) -> Any:
    """Returns a frame, or a series, whose columns and index TensorFlow can take."""
    series: Any = sys.modules["pandas"].Series

    def column(values: Any, name: str) -> Any:
        array = _column(values, "pandas_input_fn", name)
        return series(array, dtype=array.dtype)  # else pandas makes `str` of texts again

    # The index goes through the queue as well, where nobody sees it.
    result = frame.reset_index(drop=True)
    if result.ndim == 1:
        return column(result, name).rename(result.name)
    for position, key in enumerate(result.columns):
        result.isetitem(position, column(result.iloc[:, position], f"{name}[{key!r}]"))
    return result


def _column(values: Any, function: str, name: str) -> Any:
    """Returns a column as an array that TensorFlow can take; what has no type, as it is.

    Raises:
      errors.ColumnTypeError: it cannot be made one.
    """
    if not hasattr(values, "dtype"):
        return values
    array = values if isinstance(values, np.ndarray) else _of_pandas(values, function, name)
    if array.dtype.kind == "T":  # NumPy's `StringDType`
        array = array.astype(object)
    if array.dtype.kind == "O":
        _check_is_text(array, function, name)
    elif array.dtype.kind not in _NUMBERS | _TEXTS:
        raise errors.ColumnTypeError(OTHER_TYPE % (function, name, array.dtype))
    return array


def _of_pandas(values: Any, function: str, name: str) -> Any:
    """Returns the array of a series, an index or an array of pandas."""
    pandas: Any = importlib.import_module("pandas")
    series = pandas.Series(values).reset_index(drop=True)
    if isinstance(series.dtype, pandas.SparseDtype):
        series = series.sparse.to_dense()
    if isinstance(series.dtype, np.dtype):
        return series.to_numpy()
    given, missing = series.dtype, series.isna()
    if isinstance(given, pandas.CategoricalDtype):
        given = given.categories.dtype
    kind = getattr(given, "numpy_dtype", given).kind
    if kind == "f":
        return series.to_numpy(getattr(given, "numpy_dtype", given), na_value=np.nan)
    if missing.any():
        row = int(missing.to_numpy().argmax())
        raise errors.ColumnTypeError(MISSING % (function, name, row, series.dtype))
    if kind in _NUMBERS:
        return series.to_numpy(getattr(given, "numpy_dtype", given))
    if pandas.api.types.is_string_dtype(given):
        return series.to_numpy(object)
    raise errors.ColumnTypeError(OTHER_TYPE % (function, name, series.dtype))


def _check_is_text(array: Any, function: str, name: str) -> None:
    for row, value in enumerate(array.flat):
        if isinstance(value, (str, bytes)):
            continue
        row = row * len(array) // array.size
        if _is_missing(value):
            raise errors.ColumnTypeError(MISSING % (function, name, row, array.dtype))
        raise errors.ColumnTypeError(NOT_TEXT % (function, name, texts.shown(value), row))


def _is_missing(value: Any) -> bool:
    # pandas' own are compared by their types' names, as pandas need not be there.
    return (
        value is None
        or type(value).__name__ in ("NAType", "NaTType")
        or (isinstance(value, float) and math.isnan(value))
    )
