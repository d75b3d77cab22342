"""The values that a module's variables have at first: those on disk, or their initializers'."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from hub_estimator.format.checkpoint import open_checkpoint
from hub_estimator.format.checkpoint_damage import naming_damage
from hub_estimator.format.spec import ModuleSpec
from hub_estimator.format.variant import VariableEntry
from hub_estimator.graph.instance.plan import state_plan
from hub_estimator.graph.reusable.eager_state import EagerState


def initial_values(spec: ModuleSpec, state: EagerState) -> Iterator[tuple[VariableEntry, Any]]:
    """Yields the variables that a variant lacks with their values at first, an array or a tensor.

    Where values are computed from other variables, these come before, and must be there by then.

    Args:
      spec: the module.
      state: the state of the variant, as far as it is there; variables join it on the way.

    Raises:
      errors.DamagedCheckpointError: a file of the checkpoint is damaged.
    """
    created = state_plan(
        spec, state.variant, None, frozenset(state.variables), creates=True
    ).created
    entries = [value.entry for value in created]
    if spec.checkpoint_path is None:
        yield from ((entry, _computed(state, entry)) for entry in entries)
    elif entries:
        yield from _stored(spec.checkpoint_path, entries)


def _stored(path: str, entries: Sequence[VariableEntry]) -> Iterator[tuple[VariableEntry, Any]]:
    with naming_damage(path):
        reader = open_checkpoint(path)
        # The parts of a variable follow one another.
        read = functools.lru_cache(maxsize=1)(reader.get_tensor)
        for entry in entries:
            yield entry, _part(np.asarray(read(entry.key)), entry)


def _part(whole: np.ndarray, entry: VariableEntry) -> np.ndarray:
    if not entry.slice_spec:
        return whole
    info = entry.proto.save_slice_info_def
    slices = [
        slice(offset, offset + size)
        for offset, size in zip(info.var_offset, info.var_shape, strict=True)
    ]
    return whole[tuple(slices)]


def _computed(state: EagerState, entry: VariableEntry) -> tf.Tensor:
    @functools.partial(tf.function, autograph=False)
    def compute() -> tf.Tensor:
        return state.add([entry.proto.initial_value_name], "initial_value/")[0]

    # A call of it would be one more of the many traces that TensorFlow warns of.
    return compute.get_concrete_function()()
