"""How replicas on CPU devices add up in a session.

A `MirroredStrategy` that is made while TensorFlow executes eagerly, its default since TensorFlow 2,
adds up by collective operations. Run by a session on CPU devices, these wait for one another for
ever, in all releases. One that is made in graph mode reduces to one device, unless it was told
otherwise or all its devices are GPUs.
"""

from __future__ import annotations

import functools
from typing import Any

import tensorflow as tf
from tensorflow.python.distribute import cross_device_ops, mirrored_strategy


@functools.cache
def reduce_to_one_device_in_sessions() -> None:
    """Makes each `MirroredStrategy` do in sessions as if it had been made in graph mode.

    What a strategy was told (`cross_device_ops`), what runs eagerly or in a `tf.function`, and
    strategies whose devices are all GPUs stay as they are.
    """
    extended = mirrored_strategy.MirroredExtended
    choose = extended._get_cross_device_ops
    # One for all: a strategy compares those of several tensors by identity.
    to_one_device = tf.distribute.ReductionToOneDevice()

    @functools.wraps(choose)
    def choose_for_sessions(self: Any, value: Any) -> Any:
        chosen = choose(self, value)
        if tf.compat.v1.executing_eagerly_outside_functions():
            return chosen
        # Not among those that a program can name, so nobody asked for it.
        is_default = isinstance(chosen, cross_device_ops.CollectiveAllReduce)
        if is_default and not all(_is_gpu(device) for device in self.worker_devices):
            return to_one_device
        return chosen

    extended._get_cross_device_ops = choose_for_sessions


def _is_gpu(device: str) -> bool:
    return tf.DeviceSpec.from_string(device).device_type == "GPU"
