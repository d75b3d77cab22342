"""A TF2 SavedModel at work: calling it, what it takes and gives, and what of it is trained.

What programs train has the reusable interface: https://www.tensorflow.org/hub/reusable_saved_models.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from hub_estimator.format.origin import Origin
from hub_estimator.format.variant import DEFAULT
from hub_estimator.graph.loading import load_at

_TRAINING = "training"  # the argument by which `__call__` is told to train
_NOT_INPUTS = (_TRAINING, "mask")


@dataclasses.dataclass(frozen=True)
class Interface:
    """What a signature takes and gives.

    Attributes:
      inputs: the type and the shape of each input by its name.
      outputs: the names of the outputs, sorted.
    """

    inputs: Mapping[str, tf.TensorSpec]
    outputs: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class LoadedSavedModel:
    """What `hub.load` returned for a SavedModel, used in one way whatever it has of the interface.

    Its `"default"` signature is its `__call__`, where it has that; others are its signatures.

    Attributes:
      loaded: the object, which holds the variables.
    """

    loaded: Any

    @classmethod
    def load(cls, origin: Origin) -> LoadedSavedModel:
        """Loads what is at a place; errors are those of `hub.load`."""
        return cls(load_at(origin))

    @property
    def is_callable(self) -> bool:
        """Whether it has a `__call__`."""
        return callable(self.loaded)

    @property
    def signature_names(self) -> list[str]:
        """The names of the signatures."""
        return sorted({*self.loaded.signatures, *([DEFAULT] if self.is_callable else [])})

    @property
    def variables(self) -> list[tf.Variable] | None:
        """All its variables; None where it does not say."""
        return _listed(self.loaded, "variables")

    @property
    def trainable_variables(self) -> list[tf.Variable] | None:
        """The variables that training changes, maybe none; None where it does not say."""
        return _listed(self.loaded, "trainable_variables")

    def interfaces(self) -> dict[str, Interface]:
        """Returns what each signature takes and gives, by its name."""
        functions = dict(self.loaded.signatures)
        if self.is_callable:
            functions[DEFAULT] = self._function
        return {
            name: Interface(_inputs(function), _output_names(function.structured_outputs))
            for name, function in functions.items()
        }

    def __call__(
        self, inputs: Any, signature: str = DEFAULT, training: bool | None = None
    ) -> dict[str, Any]:
        """Applies a signature.

        Args:
          inputs: a dict of tensors by input name, or the one tensor that it takes.
          signature: the signature's name.
          training: what to tell a `__call__` that takes it; None leaves that to its default. It
            needs no update operations: they are part of the call.

        Returns:
          All outputs by name; one that has no name is `"default"`.
        """
        if signature == DEFAULT and self.is_callable:
            outputs = self._call(inputs, training)
        elif isinstance(inputs, Mapping):
            outputs = self.loaded.signatures[signature](**inputs)
        else:
            outputs = self.loaded.signatures[signature](inputs)
        return dict(outputs) if isinstance(outputs, Mapping) else {DEFAULT: outputs}

    def collect_trained(self) -> list[tf.Variable]:
        """Adds the variables that training changes to the graph's collection; returns them.

        There is none in eager mode.
        """
        trained = self.trainable_variables or []
        for variable in [] if tf.executing_eagerly() else trained:
            tf.compat.v1.add_to_collection(tf.compat.v1.GraphKeys.TRAINABLE_VARIABLES, variable)
        return trained

    def collect_losses(self) -> None:
        """Adds its regularization losses, if it has some, to the graph's collection."""
        for loss in getattr(self.loaded, "regularization_losses", None) or ():
            key = tf.compat.v1.GraphKeys.REGULARIZATION_LOSSES
            tf.compat.v1.losses.add_loss(loss(), key)

    @property
    def _function(self) -> Any:
        """One of the functions that a call chooses from."""
        return self.loaded.__call__.concrete_functions[0]

    def _call(self, inputs: Any, training: bool | None) -> Any:
        extra = {}
        if training is not None and _TRAINING in self._function.function_type.parameters:
            extra = {_TRAINING: training}
        if not isinstance(inputs, Mapping):
            return self.loaded(inputs, **extra)
        first = self._function.structured_input_signature[0][0]
        if isinstance(first, Mapping):
            name = next(iter(self._function.function_type.parameters))
            return self.loaded(**{name: dict(inputs)}, **extra)
        return self.loaded(**inputs, **extra)


def _listed(loaded: Any, name: str) -> list[tf.Variable] | None:
    found = getattr(loaded, name, None)
    return None if found is None else list(found)


def _inputs(function: Any) -> dict[str, tf.TensorSpec]:
    arguments, named = function.structured_input_signature
    by_name = dict(zip(function.function_type.parameters, arguments, strict=False)) | dict(named)
    inputs: dict[str, tf.TensorSpec] = {}
    for name, given in by_name.items():
        if isinstance(given, Mapping):
            inputs |= given
        elif isinstance(given, tf.TensorSpec) and name not in _NOT_INPUTS:
            inputs[name] = given
    return inputs


def _output_names(outputs: Any) -> tuple[str, ...]:
    return tuple(sorted(outputs)) if isinstance(outputs, Mapping) else (DEFAULT,)
