"""What the names in a file of legacy Keras stand for, where a process has two of them.

`tf.keras` of TensorFlow 2.15 is the package keras. Something may import tf-keras beside it, as
TensorFlow's own `tensorflow.python.layers` does. Both register their classes with TensorFlow, under
the same names, and the last one wins. Then keras makes a model of layers of tf-keras, does not know
them for its own, and looks for their inputs for ever.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from tensorflow.python.util import tf_export

from hub_estimator.compat.keras_2 import legacy_keras
from hub_estimator.compat.releases import ships_estimator

_ROOT = "keras"


@contextlib.contextmanager
def legacy_keras_names() -> Iterator[None]:
    """Has the names of legacy Keras stand for its own classes, for the time of a `with` block."""
    if not ships_estimator():  # where tf-keras is the only legacy Keras
        yield
        return
    registered = tf_export._NAME_TO_SYMBOL_MAPPING
    others = {name: symbol for name, symbol in registered.items() if _is_of_tf_keras(symbol)}
    own = {name: _named(name) for name in others}
    registered.update({name: symbol for name, symbol in own.items() if symbol is not None})
    try:
        yield
    finally:
        registered.update(others)


def _is_of_tf_keras(symbol: Any) -> bool:
    return str(getattr(symbol, "__module__", "")).partition(".")[0] == "tf_keras"


def _named(name: str) -> Any:
    """Returns what is under a name such as `keras.layers.Dense`; None where there is nothing."""
    root, *parts = name.split(".")
    found = legacy_keras() if root == _ROOT else None
    for part in parts:
        found = getattr(found, part, None)
    return found
