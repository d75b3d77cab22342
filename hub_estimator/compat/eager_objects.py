"""Objects of eager TensorFlow: working with them anywhere, and what makes the tables among them."""

from __future__ import annotations

import contextlib
from typing import Any

from tensorflow.python.eager import context


def eagerly() -> contextlib.AbstractContextManager[None]:
    """Returns a context in which TensorFlow executes eagerly, also inside of a TF1 graph."""
    return context.eager_mode()


def resource_functions(resource: Any) -> tuple[Any, Any]:
    """Returns the functions that make a loaded table or the like, and that fill it.

    Args:
      resource: a `tf.saved_model.experimental.TrackableResource` that TensorFlow loaded.
    """
    return tuple(
        function.concrete_functions[0]
        for function in (resource._create_resource, resource._initialize)
    )
