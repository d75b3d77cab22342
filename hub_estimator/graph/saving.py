"""The values of an instance's variables to a checkpoint: by the session itself where it can."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import tensorflow as tf

from hub_estimator.format.checkpoint import (
    StoredValues,
    Value,
    balanced,
    save_operation,
    write_checkpoint,
)
from hub_estimator.graph.state import StateGraph


@dataclasses.dataclass(frozen=True)
class _Saver:
    """An operation that writes the values to the prefix that is fed to it."""

    prefix: tf.Tensor
    save: tf.Operation


def write_values(
    state: StateGraph,
    session: tf.compat.v1.Session,
    prefix: str,
    kept: Sequence[StoredValues] = (),
) -> None:
    """Writes the values that the variables have in a session, and others.

    Args:
      state: the instance's state; the variables of other variants on it are written too.
      session: a session of its graph.
      prefix: the path of the checkpoint without endings.
      kept: the values of variables that are not in the graph.

    Raises:
      tf.errors.FailedPreconditionError: a variable has no value.
    """
    # A session in another process writes where that one runs, and a finished graph takes nothing.
    is_elsewhere = getattr(session, "sess_str", None) not in ("", b"")
    if kept or state.graph.finalized or is_elsewhere:
        arrays = session.run({name: each.value for name, each in state.held.items()})
        values = [
            Value(each.entry.key, each.entry.slice_spec, arrays[name])
            for name, each in state.held.items()
        ]
        write_checkpoint(prefix, values + [each for found in kept for each in found.read()])
        return
    saver = _saver(state)
    session.run(saver.save, {saver.prefix: prefix})


def _saver(state: StateGraph) -> _Saver:
    """Returns the operations that save, which are added to the graph once."""
    key = ("saver", len(state.held))  # other variants may have added more
    if key not in state.prepared:
        state.prepared[key] = _add_saver(state)
    return state.prepared[key]


def _add_saver(state: StateGraph) -> _Saver:
    held = state.held.values()
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
            [each.entry.key for each in held],
            [each.entry.slice_spec for each in held],
            [each.value for each in held],
            balanced([each.entry.size for each in held]),
        )
    return _Saver(prefix, save)
