"""Tables of a module as objects that SavedModels carry."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import tensorflow as tf

CREATED_BY = frozenset({"HashTableV2", "MutableHashTableV2", "MutableHashTableOfTensorsV2"})
"""The types of the operations that make tables."""


class Table(tf.saved_model.experimental.TrackableResource):
    """A table; TensorFlow makes and fills it again where a SavedModel with it is loaded.

    Args:
      node: the node that makes it.
    """

    def __init__(self, node: Any) -> None:
        super().__init__()
        self._node = node
        # Tables of one name are one.
        self._shared_name = f"{node.name}_{uuid.uuid4()}"
        self._fill: Callable[[], None] | None = None
        # Here, where TensorFlow executes eagerly; the first use may be in a function.
        self._resource_handle = self._create_resource()

    def fill_with(self, fill: Callable[[], None]) -> None:
        """Fills the table.

        Args:
          fill: adds what fills it to the default graph, that of a function.
        """
        self._fill = fill
        tf.function(fill, autograph=False)()

    def _create_resource(self) -> tf.Tensor:
        attributes = {
            name: _python_value(value)
            for name, value in self._node.attr.items()
            if name in ("key_dtype", "value_dtype", "value_shape")
        }
        create = getattr(tf.raw_ops, self._node.op)
        return create(shared_name=self._shared_name, **attributes)

    def _initialize(self) -> None:
        if self._fill is not None:
            self._fill()

    def _destroy_resource(self) -> None:
        tf.raw_ops.DestroyResourceOp(resource=self.resource_handle, ignore_lookup_error=True)


def _python_value(attribute: Any) -> Any:
    if attribute.HasField("shape"):
        return tf.TensorShape(attribute.shape)
    return tf.as_dtype(attribute.type)
