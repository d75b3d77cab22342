"""Functions of eager TensorFlow in TF1 graphs, without calls, on the graph's own variables."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from hub_estimator import errors, texts
from hub_estimator.conversion.effects import Effect, Effects, trimmed
from hub_estimator.conversion.inlining import Inlined, inline_calls
from hub_estimator.format.operation_rules import CALLS_PYTHON, RULES
from hub_estimator.graph.importing.functions import rename_clashing


@dataclasses.dataclass(frozen=True)
class Results:
    """What a function's operations give in a graph.

    Attributes:
      outputs: its outputs, as the function structures them.
      updates: the operations that change variables, where the outputs do not wait for them.
      effects: all operations that do more than compute.
    """

    outputs: Any
    updates: tuple[tf.Operation, ...]
    effects: tuple[tf.Operation, ...]


@dataclasses.dataclass(frozen=True, eq=False)
class EagerFunction:
    """A traced function.

    Attributes:
      concrete: the `tf.types.experimental.ConcreteFunction`.
      what: what messages call it.
    """

    concrete: Any
    what: str

    @classmethod
    def trace(cls, function: Callable[..., Any], specs: Any, what: str) -> EagerFunction:
        """Traces a Python function of one argument.

        Args:
          function: the function.
          specs: the `tf.TypeSpec`s of its argument, in any structure.
          what: what messages call it.

        Raises:
          errors.NotConvertibleError: it makes variables, or cannot be traced.
        """
        try:
            concrete = tf.function(function, autograph=False).get_concrete_function(specs)
        except errors.Error:
            raise
        except Exception as error:  # the caller's own code may raise anything
            raise errors.NotConvertibleError(
                f"{what} cannot be traced ({type(error).__name__}: {error}). A call must make no "
                "variables, and give nothing but tensors: make the variables when the object is made."
            ) from error
        return cls(concrete, what)

    @property
    def captured(self) -> list[Any]:
        """The eager tensors outside of it that it uses."""
        return list(self.concrete.captured_inputs)

    def check(self) -> None:
        """Checks that it can be in a module.

        Raises:
          errors.NotConvertibleError: it calls Python, or makes variables.
        """
        graph_def = self._inlined.graph_def
        bodies = (function.node_def for function in graph_def.library.function)
        for node in itertools.chain(graph_def.node, *bodies):
            rule = RULES.get(node.op)
            if rule is not None and rule.kind == CALLS_PYTHON:
                raise errors.NotConvertibleError(
                    f"{self.what} has the operation {texts.shown(node.name)} of the type {node.op}, "
                    "which calls a Python function of the program that made it, and no file has "
                    "that. Write it with TensorFlow's own operations."
                )
            if node.op == "VarHandleOp":
                raise errors.NotConvertibleError(
                    f"{self.what} makes a variable, {texts.shown(node.name)}, each time that it is "
                    "called. Make it once, when the object is made."
                )

    def build(
        self,
        inputs: Any,
        captures: Mapping[int, tf.Tensor],
        scope: str,
        updates_apart: bool = False,
    ) -> Results:
        """Adds its operations to the default graph.

        Args:
          inputs: the tensors of the graph for its argument, in the structure of its specs.
          captures: the tensor of the graph for each that it captures, by the `id` of that.
          scope: the name scope of the operations.
          updates_apart: whether its outputs do not wait for changes of variables.
        """
        given = tf.nest.flatten(inputs, expand_composites=True)
        given += [captures[id(tensor)] for tensor in self.captured]
        names = [tensor.name for tensor in self.concrete.graph.inputs]
        feeds = dict(zip(names, given, strict=True))
        part = trimmed(self._inlined, self._effects, feeds, updates_apart)
        outputs = list(dict.fromkeys(name for name in part.outputs if name not in feeds))
        found = _import(part.graph_def, feeds, [*outputs, *self._effects], scope)
        by_name = feeds | dict(zip(outputs, found, strict=False))
        effects = dict(zip(self._effects, found[len(outputs) :], strict=True))
        return Results(
            outputs=tf.nest.pack_sequence_as(
                self.concrete.structured_outputs,
                [by_name[name] for name in part.outputs],
                expand_composites=True,
            ),
            updates=tuple(
                operation
                for name, operation in effects.items()
                if updates_apart and self._effects[name] is Effect.UPDATE
            ),
            effects=tuple(effects.values()),
        )

    @functools.cached_property
    def _effects(self) -> dict[str, Effect]:
        """What the operations do that run wherever it is called, by their names."""
        controls = [operation.name for operation in self.concrete.graph.control_outputs]
        return Effects(self._inlined.graph_def).of(controls)

    @functools.cached_property
    def _inlined(self) -> Inlined:
        graph = self.concrete.graph
        outputs = [tensor.name for tensor in graph.outputs]
        controls = [operation.name for operation in graph.control_outputs]
        return inline_calls(graph.as_graph_def(), outputs, controls, self.what)


def _import(
    graph_def: Any, feeds: Mapping[str, tf.Tensor], elements: list[str], scope: str
) -> list[Any]:
    graph = tf.compat.v1.get_default_graph()
    used = {edge for node in graph_def.node for edge in node.input}
    with tf.compat.v1.name_scope(scope) as absolute:
        for node in graph_def.node:
            if "shared_name" in node.attr:
                # TensorFlow's own have numbers, and the paths of files on its author's machine.
                node.attr["shared_name"].s = f"{absolute}{node.name}".encode()
        return tf.import_graph_def(
            rename_clashing(graph_def, graph, absolute),
            input_map={name: value for name, value in feeds.items() if name in used},
            return_elements=elements,
            name=absolute,
        )
