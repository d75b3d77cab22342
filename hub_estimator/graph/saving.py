"""The values of an instance's variables to a checkpoint: by the session itself where it can."""

from __future__ import annotations

import dataclasses

import tensorflow as tf

from hub_estimator.format.checkpoint import Value, balanced, save_operation, write_checkpoint
from hub_estimator.format.variant import Variant
from hub_estimator.graph.state import StateGraph


@dataclasses.dataclass(frozen=True)
class _Saver:
    """An operation that writes the values to the prefix that is fed to it."""

    prefix: tf.Tensor
    save: tf.Operation


def write_values(
    state: StateGraph, variant: Variant, session: tf.compat.v1.Session, prefix: str
) -> None:
    """Writes the values that the variables have in a session.

    Args:
      state: the instance's state.
      variant: the variant that it is of.
      session: a session of its graph.
      prefix: the path of the checkpoint without endings.

    Raises:
      tf.errors.FailedPreconditionError: a variable has no value.
    """
    # A session in another process writes where that one runs, and a finished graph takes nothing.
    if state.graph.finalized or getattr(session, "sess_str", None) not in ("", b""):
        arrays = session.run(state.values)
        values = [
            Value(entry.key, entry.slice_spec, arrays[entry.op_name]) for entry in variant.variables
        ]
        write_checkpoint(prefix, values)
        return
    saver = _saver(state, variant)
    session.run(saver.save, {saver.prefix: prefix})


def _saver(state: StateGraph, variant: Variant) -> _Saver:
    """Returns the operations that save, which are added to the graph once."""
    if "saver" not in state.prepared:
        state.prepared["saver"] = _add_saver(state, variant)
    return state.prepared["saver"]


def _add_saver(state: StateGraph, variant: Variant) -> _Saver:
    entries = variant.variables
    with (
        state.graph.as_default(),
        tf.control_dependencies(None),
        tf.device(None),
        tf.device("/cpu:0"),
        tf.compat.v1.name_scope(None),
        tf.compat.v1.name_scope("module_export"),
    ):
        prefix = tf.compat.v1.placeholder(tf.string, [], "prefix")
        save = save_operation(
            prefix,
            [entry.key for entry in entries],
            [entry.slice_spec for entry in entries],
            [state.values[entry.op_name] for entry in entries],
            balanced([entry.size for entry in entries]),
        )
    return _Saver(prefix, save)
