"""What TF2 has, as a TF1 Hub module: its functions' operations on variables of the module's graph.

The module is as one that a `module_fn` defines: no calls of functions that a program could not
differentiate, tables with initializers of their own, files as assets. Where the object can be told to
train, a variant with the tags `{"train"}` has that, with its changes of variables as update operations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from hub_estimator.conversion.calls import NamedCall, named_calls
from hub_estimator.conversion.functions import EagerFunction
from hub_estimator.conversion.object_state import ObjectState
from hub_estimator.conversion.placeholders import placeholder_of
from hub_estimator.format import collections
from hub_estimator.format.checkpoint import write_checkpoint
from hub_estimator.format.protos import ModuleAttachment
from hub_estimator.format.variant import DEFAULT, TRAIN_TAGS, inside_sentence
from hub_estimator.graph.defining.authoring import add_signature, create_module_spec


class TF1Module:
    """A TF1 Hub module made of an eager object; in a process that executes eagerly.

    Args:
      loaded: the object, as `tf.saved_model.load` returns it; its files must be there still.
      names: the names of `loaded.variables`, where they are known better than the object knows.
      source: what messages call it.

    Raises:
      errors.NotConvertibleError: it cannot be a module; the message says why.
      errors.DefinitionError: likewise; its subclasses tell why.
    """

    def __init__(self, loaded: Any, names: Sequence[str] | None, source: str) -> None:
        what = inside_sentence(source)
        self._calls = named_calls(loaded, source)
        self._functions = {
            (name, training): _trace(call, training, f"The signature {name!r} of {what}")
            for name, call in self._calls.items()
            for training in (False, *([True] if call.takes_training else []))
        }
        self._losses = [
            EagerFunction.trace(lambda _, loss=loss: loss(), (), f"A regularization loss of {what}")
            for loss in getattr(loaded, "regularization_losses", None) or ()
        ]
        functions = [*self._functions.values(), *self._losses]
        for function in functions:
            function.check()
        self._messages = _messages(loaded)
        self._state = ObjectState(loaded, functions, names, what)
        variants = [(frozenset[str](), {"training": False})]
        if self._calls[DEFAULT].takes_training:
            variants.append((TRAIN_TAGS, {"training": True}))
        self._spec = create_module_spec(self._define, variants)

    def write(self, path: str) -> None:
        """Writes the module; errors are those of `ModuleSpec.export`."""
        values = [named.value for named in self._state.variables]
        self._spec.write(path, lambda prefix: write_checkpoint(prefix, values))

    def _define(self, training: bool) -> None:
        """Makes a variant's graph: the `module_fn`."""
        captures = self._state.build()
        for loss in self._losses:
            built = loss.build((), captures, "regularization_loss")
            tf.compat.v1.add_to_collection(collections.REGULARIZATION_LOSSES, built.outputs)
        for message in self._messages:
            tf.compat.v1.add_to_collection(collections.ATTACHMENTS, message)
        for name, call in sorted(self._calls.items()):
            self._add(name, call, training and call.takes_training, captures)

    def _add(
        self, name: str, call: NamedCall, training: bool, captures: Mapping[int, tf.Tensor]
    ) -> None:
        scope = "".join(letter if letter.isalnum() else "_" for letter in name)
        inputs = {key: placeholder_of(spec, key) for key, spec in call.inputs.items()}
        function = self._functions[name, training]
        built = function.build(inputs, captures, f"call_{scope}", updates_apart=training)
        for update in built.updates:
            tf.compat.v1.add_to_collection(collections.UPDATE_OPS, update)
        add_signature(name, inputs, built.outputs)


def _messages(loaded: Any) -> list[Any]:
    """Returns the messages that were attached to the TF1 Hub module that an object was made of."""
    messages = getattr(loaded, "attached_messages", None)
    return [
        ModuleAttachment(key=key, value=value.numpy())
        for key, value in (messages().items() if callable(messages) else ())
    ]


def _trace(call: NamedCall, training: bool, what: str) -> EagerFunction:
    return EagerFunction.trace(lambda given: call.call(given, training), dict(call.inputs), what)
