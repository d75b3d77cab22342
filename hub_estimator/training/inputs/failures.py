"""Errors of a step, made the same that a check before the run would have raised.

What goes wrong while TensorFlow reads and decodes is an error of the step that needed the batch, far
from the file that is wrong. Inputs say the file in that error, and `clear_errors` makes it the same
error that a check before the run would have raised.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from hub_estimator import errors
from hub_estimator.training import step_checks
from hub_estimator.training.inputs.damaged_records import damaged_file

# What an error of TensorFlow says of the graph, before it says what happened.
_BEFORE = re.compile(r"\A(.*?^Node: [^\n]*\n)?(\{\{.*?\}\} ?)*", re.MULTILINE | re.DOTALL)


@contextlib.contextmanager
def clear_errors() -> Iterator[None]:
    """Raises what an input says of its data, where a session raises an error of TensorFlow.

    Raises:
      errors.DataFileError: a file is damaged or could not be decoded.
      errors.LabelError: a label is none that the model's head takes.
    """
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        clear = step_checks.marked(error.message)
        if clear is None:
            raise
        raise clear from error
    except tf.errors.DataLossError as error:
        if error.op is not None and error.op.type.startswith("Restore"):
            raise errors.DataFileError(
                f"A checkpoint is damaged or cut short: {reason(error)}."
            ) from error
        path, known = damaged_file(error) or (None, error)
        which = "A file of records" if path is None else f"The file of records {path!r}"
        raise errors.DataFileError(f"{which} is damaged or cut short: {reason(known)}.") from error


def reason(error: tf.errors.OpError) -> str:
    """Returns what an error of a session says, without where in the graph."""
    return _BEFORE.sub("", error.message).partition("\n")[0].partition(" [[")[0].rstrip(".")


def plain(function: Callable[..., Any]) -> Callable[..., Any]:
    """Returns a function for `tf.data` that is traced as it is, not rewritten by AutoGraph."""
    return tf.autograph.experimental.do_not_convert(function)


def map_batches(
    batches: tf.data.Dataset,
    convert: Callable[..., Any],
    message: Callable[..., tf.Tensor],
) -> tf.data.Dataset:
    """Converts batches in parallel, in their order; of one that fails, says which example it is.

    Args:
      batches: tuples of tensors `[B, ...]`.
      convert: from the tensors of a batch to what it becomes, tensors `[B, ...]`.
      message: from the tensors of one example, which cannot be converted, to what is wrong with it,
        string `[]`.
    """

    def one_batch(*batch: Any) -> tf.data.Dataset:
        converted = _or_nothing(batch, convert)
        # Asked for another element only where the first is missing: it costs nothing otherwise.
        return converted.concatenate(_one_by_one(batch, convert, message)).take(1)

    return batches.interleave(
        plain(one_batch),
        cycle_length=tf.data.AUTOTUNE,
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )


def _or_nothing(batch: Any, convert: Callable[..., Any]) -> tf.data.Dataset:
    return tf.data.Dataset.from_tensors(batch).map(plain(convert)).ignore_errors()


def _one_by_one(
    batch: Any, convert: Callable[..., Any], message: Callable[..., tf.Tensor]
) -> tf.data.Dataset:
    def one(*example: Any) -> tf.data.Dataset:
        alone = tf.nest.map_structure(lambda each: each[tf.newaxis], example)
        converted = _or_nothing(alone, convert)

        def refuse(*example: Any) -> Any:
            with tf.control_dependencies(
                [step_checks.fail_unless(False, errors.DataFileError, lambda: message(*example))]
            ):
                return tf.nest.map_structure(_anything_like, converted.element_spec)

        refused = tf.data.Dataset.from_tensors(example).map(plain(refuse))
        return converted.concatenate(refused).take(1)

    size = tf.shape(tf.nest.flatten(batch)[0], tf.int64)[0]
    # What fails alone fails here; a batch whose examples are all well was hit by something passing.
    examples = tf.data.Dataset.from_tensor_slices(batch).flat_map(plain(one))
    return examples.map(plain(_first)).padded_batch(size)


def _first(*batch: Any) -> Any:
    """Returns the one example of a batch; `unbatch` ends the process where a value has no elements."""
    values = tf.nest.map_structure(lambda each: each[0], batch)
    return values if len(values) > 1 else values[0]


def _anything_like(spec: tf.TensorSpec) -> tf.Tensor:
    return tf.zeros([size or 1 for size in spec.shape], spec.dtype)
