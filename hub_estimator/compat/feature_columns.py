"""Feature columns of our own: the base classes that TensorFlow keeps to itself."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Any, ClassVar

import tensorflow as tf
from tensorflow.python.feature_column import feature_column as first_generation

_RESOURCE = "module"


class ColumnState(tf.Module):
    """What a column holds in a graph or a layer.

    Layers of legacy Keras, which make up the second API's canned Estimators, train what they find
    in it.

    Args:
      value: the state itself.
      variables: all its variables.
      trained: those of them that are trained.
    """

    def __init__(
        self, value: Any, variables: Sequence[tf.Variable], trained: Sequence[tf.Variable]
    ) -> None:
        super().__init__()
        self.value = value
        self.all_variables = list(variables)
        self._trained = frozenset(id(variable) for variable in trained)

    @property
    def variables(self) -> tuple[tf.Variable, ...]:
        """All variables."""
        return tuple(self.all_variables)

    @property
    def trainable_variables(self) -> tuple[tf.Variable, ...]:
        """The variables that are trained."""
        return tuple(variable for variable in self.all_variables if id(variable) in self._trained)

    @property
    def non_trainable_variables(self) -> tuple[tf.Variable, ...]:
        """The variables that are not trained."""
        return tuple(
            variable for variable in self.all_variables if id(variable) not in self._trained
        )


class DenseColumn(
    first_generation._DenseColumn,
    tf.__internal__.feature_column.DenseColumn,
):
    """A dense feature column with state, in both generations of TensorFlow's feature columns.

    `tf.compat.v1.feature_column.input_layer` calls the first generation's methods, the legacy Keras
    layers inside of canned Estimators the second's. Subclasses have one method for both uses.
    """

    key: Any
    """The name of a feature, or the feature column that gives it."""

    makes_state_when_called: ClassVar[bool] = False
    """Whether layers make the state with their output rather than before: the scopes differ, and with
    them the variables' names."""

    @abc.abstractmethod
    def make_state(self, trainable: bool) -> ColumnState:
        """Makes the column's state in the current graph.

        Args:
          trainable: whether the layer around is trained.
        """

    @abc.abstractmethod
    def embed(self, feature: Any, state: ColumnState) -> tf.Tensor:
        """Returns the float32 tensor `[B, D]` for a feature."""

    @property
    def dtype(self) -> tf.DType:
        """The type of the dense tensor."""
        return tf.float32

    @property
    def parents(self) -> list[Any]:
        """The feature, or the column that gives it."""
        return [self.key]

    def create_state(self, state_manager: Any) -> None:
        """Makes the column's state, kept by the layer's `StateManager`."""
        if not self.makes_state_when_called:
            self._state(state_manager)

    def transform_feature(self, transformation_cache: Any, state_manager: Any) -> Any:
        """Returns the feature as it is given."""
        return transformation_cache.get(self.key, state_manager)

    def get_dense_tensor(self, transformation_cache: Any, state_manager: Any) -> tf.Tensor:
        """Returns the float32 tensor `[B, D]`."""
        feature = transformation_cache.get(self, state_manager)
        return self.embed(feature, self._state(state_manager))

    def _state(self, state_manager: Any) -> ColumnState:
        if not state_manager.has_resource(self, _RESOURCE):
            state = self.make_state(bool(state_manager._trainable))
            state_manager.add_resource(self, _RESOURCE, state)
        return state_manager.get_resource(self, _RESOURCE)

    @property
    def _is_v2_column(self) -> bool:
        return True

    @property
    def _parse_example_spec(self) -> dict[str, Any]:
        return self.parse_example_spec

    @property
    def _variable_shape(self) -> tf.TensorShape:
        return self.variable_shape

    def _transform_feature(self, inputs: Any) -> Any:
        return inputs.get(self.key)

    def _get_dense_tensor(
        self, inputs: Any, weight_collections: Any = None, trainable: bool | None = None
    ) -> tf.Tensor:
        feature = inputs.get(self)
        return self.embed(feature, self.make_state(trainable is not False))
