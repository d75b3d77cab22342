"""Loads SavedModels with nothing but TensorFlow: `loading_program.py <file>`.

The pickled file lists SavedModels, each with calls of its signatures. Prints, as JSON, for each the
outputs of the calls, and what the object has of the interface.
"""

from __future__ import annotations

import json
import pickle
import sys

import numpy as np
import tensorflow as tf

tf1 = tf.compat.v1


def tensors(value):
    """The tensors that stand for a value of a call in a signature, in TensorFlow's flat order."""
    return tf.nest.flatten(composite(value), expand_composites=True)


def composite(value):
    """The value of a call as a tensor, a sparse or a ragged one."""
    if isinstance(value, tf1.SparseTensorValue):
        return tf.SparseTensor.from_value(value)
    if isinstance(value, tf1.ragged.RaggedTensorValue):
        return tf.ragged.constant(value.to_list(), dtype=value.dtype)
    return tf.constant(value)


def plain(value):
    """An output in plain lists, as `tests.modules.plain` gives it."""
    if isinstance(value, tf.SparseTensor):
        return {
            "indices": plain(value.indices),
            "values": plain(value.values),
            "dense_shape": plain(value.dense_shape),
        }
    if isinstance(value, tf.RaggedTensor):
        return {"ragged": value.to_list()}
    if tf.is_tensor(value):
        value = value.numpy()
    if isinstance(value, (np.ndarray, np.generic)):
        value = value.tolist()
    if isinstance(value, list):
        return [plain(element) for element in value]
    return value.decode() if isinstance(value, bytes) else value


def signature_outputs(loaded, name, inputs):
    """Calls a signature; a sparse or ragged input is several arguments there."""
    arguments = {}
    for key, value in inputs.items():
        for number, tensor in enumerate(tensors(value)):
            arguments[f"{key}_{number}" if number else key] = tensor
    return {key: plain(value) for key, value in loaded.signatures[name](**arguments).items()}


def call(loaded, inputs, training):
    """Calls the object itself."""
    values = {key: composite(value) for key, value in inputs.items()}
    given = next(iter(values.values())) if len(values) == 1 else values or None
    output = loaded(given, training=training)
    return {k: plain(v) for k, v in (output if isinstance(output, dict) else {"": output}).items()}


def look(path, calls):
    """What a SavedModel computes and has."""
    loaded = tf.saved_model.load(path)
    return {
        "outputs": [signature_outputs(loaded, name, inputs) for name, inputs in calls],
        "calls": [
            [call(loaded, inputs, False), call(loaded, inputs, True)]
            for name, inputs in calls
            if name == "default"
        ],
        "signatures": sorted(loaded.signatures),
        "variables": [variable.name for variable in loaded.variables],
        "trainable": [variable.name for variable in loaded.trainable_variables],
        "losses": [plain(loss()) for loss in loaded.regularization_losses],
        "values": {variable.name: plain(variable.read_value()) for variable in loaded.variables},
    }


if __name__ == "__main__":
    assert not any(name.startswith("hub_estimator") for name in sys.modules)
    with open(sys.argv[1], "rb") as file:
        found = [look(path, calls) for path, calls in pickle.load(file)]
    print(json.dumps(found))
