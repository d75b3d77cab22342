"""Checks within a step, whose errors say which example is wrong, and their way back to Python."""

from __future__ import annotations

import re
from collections.abc import Callable

import tensorflow as tf

from hub_estimator import errors, texts

_CLASSES = {error.__name__: error for error in (errors.DataFileError, errors.LabelError)}
_MARKED = re.compile(rf"\[hub_estimator ({'|'.join(_CLASSES)}): (.*?)\]\s*(?:\[Op|\n|$)", re.DOTALL)
_LONGEST_PATH = 4096


def marked(message: str) -> errors.Error | None:
    """Returns the error of a check within a step, given what TensorFlow says; None is another one."""
    found = _MARKED.search(message)
    return None if found is None else _CLASSES[found[1]](_unescaped(found[2]))


def _unescaped(text: str) -> str:
    """Returns a text as it was before `tf.debugging.Assert` escaped it like a literal of C."""
    octets = text.encode("utf-8").decode("unicode_escape").encode("latin-1")
    return octets.decode("utf-8", "replace")


def fail_unless(
    condition: tf.Tensor | bool, error: type[errors.Error], message: Callable[[], tf.Tensor]
) -> tf.Tensor:
    """Returns a tensor that fails the step where a condition does not hold.

    Args:
      condition: bool `[]`.
      error: what `clear_errors` raises for it: `DataFileError` or `LabelError`.
      message: makes that of the error, string `[]`; nothing is computed for it otherwise.
    """

    def fail() -> tf.Tensor:
        marked = tf.strings.join([f"hub_estimator {error.__name__}: ", message()])
        with tf.control_dependencies([tf.debugging.Assert(tf.constant(False), [marked])]):
            return tf.constant(False)

    return tf.cond(tf.convert_to_tensor(condition), lambda: tf.constant(True), fail)


def shown(text: tf.Tensor, most: int = 120) -> tf.Tensor:
    """Returns a text out of data as messages have it, see `texts.shown`.

    Args:
      text: string `[]`.
      most: how many of its characters to show.
    """

    def show(content: bytes) -> bytes:
        return texts.shown(content.decode("utf-8", "surrogateescape"), most).encode()

    found = tf.numpy_function(show, [text], tf.string)
    found.set_shape([])
    return found


def shown_path(path: tf.Tensor) -> tf.Tensor:
    """Returns a path as messages have it, string `[]`: whole, whatever it is."""
    return shown(path, _LONGEST_PATH)


def finite(
    values: tf.Tensor, where: tf.Tensor, what: tuple[str, str], error: type[errors.Error]
) -> tf.Tensor:
    """Returns real numbers; a step that has others fails.

    Args:
      values: `[B, ...]`.
      where: string `[B]`, what messages call the place of each.
      what: what a value is called before and after it, such as `"The label"` and `""`.
      error: the class of the error.
    """
    is_finite = tf.math.is_finite(values)

    def message() -> tf.Tensor:
        place = tf.where(~is_finite)[0]
        value = tf.strings.as_string(tf.gather_nd(values, place))
        before, after = what
        return tf.strings.join(
            [f"{before} ", value, f"{after} in ", where[place[0]], " is not a finite number."]
        )

    with tf.control_dependencies([fail_unless(tf.reduce_all(is_finite), error, message)]):
        return tf.identity(values)
