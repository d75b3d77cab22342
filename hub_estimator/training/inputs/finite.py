"""Numbers of a data file that are none, or infinite: they would make all values of a model so."""

from __future__ import annotations

import tensorflow as tf

from hub_estimator import errors
from hub_estimator.training.inputs.failures import fail_unless


def checked(
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
