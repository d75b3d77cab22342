"""Evaluating a module on plain values, in a graph and a session of its own."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Any, final

import numpy as np
import tensorflow as tf

from hub_estimator import errors
from hub_estimator.format.tensor_infos import ParsedTensorInfo
from hub_estimator.format.variant import DEFAULT, inside_sentence
from hub_estimator.graph.instance.values import choose_outputs, inputs_by_name
from hub_estimator.graph.module import Module, Spec


@dataclasses.dataclass(frozen=True)
class _Signature:
    """A signature in the graph: the placeholders of each input, and the outputs."""

    infos: dict[str, ParsedTensorInfo]
    feeds: dict[str, list[tf.Tensor]]
    outputs: dict[str, Any]


def eval_function_for_module(spec: Spec, tags: Iterable[str] | None = None) -> EvalFunction:
    """Makes a function that evaluates a module, with its graph and session kept warm.

        with hub.eval_function_for_module("/models/text") as evaluate:
            for batch in batches:
                vectors = evaluate(batch)

    It is also used without `with`, and ended by `close()`. Any number may be open at once.

    Args:
      spec: a `ModuleSpec`, or a handle.
      tags: the tags of the graph variant; None is the variant for inference.

    Returns:
      The function; see `EvalFunction`.

    Raises:
      OSError: there is no module under the handle (`NotAModuleError` tells what is).
      errors.TagsNotFoundError: the module has no variant with these tags.
    """
    return EvalFunction(spec, tags)


@final
class EvalFunction:
    """A module in a graph and a session of its own, called with values rather than tensors.

    Args:
      spec: a `ModuleSpec`, or a handle.
      tags: the tags of the graph variant; None is the variant for inference.
    """

    def __init__(self, spec: Spec, tags: Iterable[str] | None = None) -> None:
        self._graph = tf.Graph()
        self._lock = threading.Lock()
        self._signatures: dict[str, _Signature] = {}
        with self._graph.as_default():
            self._module = Module(spec, tags=tags)
            initializers = [
                tf.compat.v1.global_variables_initializer(),
                tf.compat.v1.tables_initializer(),
            ]
        self._session: tf.compat.v1.Session | None = tf.compat.v1.Session(graph=self._graph)
        try:
            self._session.run(initializers)
        except BaseException:
            self.close()
            raise

    def __call__(
        self, inputs: Any = None, signature: str | None = None, as_dict: bool | None = None
    ) -> Any:
        """Evaluates a signature.

        Args:
          inputs: a dict from the names of the signature's inputs to values, or one value where it
            has one input, or None where it has none. Arrays and what converts to them;
            `tf.compat.v1.SparseTensorValue` for sparse inputs, `RaggedTensorValue` for ragged ones.
            Eager tensors of each kind work too.
          signature: the signature's name; None is `"default"`.
          as_dict: whether to return all outputs in a dict by name, rather than the one named
            `"default"`.

        Returns:
          The value of the output as `session.run` gives it (an array, a `SparseTensorValue`, a
          `RaggedTensorValue`), or the dict of all.

        Raises:
          errors.ClosedError: the function is closed.
          errors.SignatureNotFoundError: the variant has no such signature.
          errors.InputError: inputs are missing or extra, or do not fit by type or shape.
          errors.OutputError: there is no output `"default"`, and not all are asked for.
        """
        signature = signature or DEFAULT
        source = self._module.spec.source
        what = f"The signature {signature!r} of {inside_sentence(source)}"
        session = self._session
        if session is None:
            raise errors.ClosedError(
                f"The evaluation function of {inside_sentence(source)} is closed. Call it "
                "inside of the `with` block, or before close()."
            )
        built = self._signature(signature)
        feed_dict = _feed_dict(built, inputs, what)
        return session.run(choose_outputs(built.outputs, as_dict, what), feed_dict)

    def close(self) -> None:
        """Frees the session; calling it again does nothing."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def __enter__(self) -> EvalFunction:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _signature(self, name: str) -> _Signature:
        with self._lock:
            if name not in self._signatures:
                self._signatures[name] = self._build(name)
            return self._signatures[name]

    def _build(self, name: str) -> _Signature:
        infos = self._module.get_input_info_dict(name)
        with self._graph.as_default():
            feeds = {key: _placeholders(info.type_spec) for key, info in infos.items()}
            inputs = {
                key: tf.nest.pack_sequence_as(info.type_spec, feeds[key], expand_composites=True)
                for key, info in infos.items()
            }
            outputs = self._module(inputs, signature=name, as_dict=True)
        return _Signature(infos, feeds, outputs)


def _placeholders(type_spec: tf.TypeSpec) -> list[tf.Tensor]:
    return [
        tf.compat.v1.placeholder(component.dtype, component.shape)
        for component in tf.nest.flatten(type_spec, expand_composites=True)
    ]


def _feed_dict(built: _Signature, inputs: Any, what: str) -> dict[tf.Tensor, Any]:
    given = inputs_by_name(built.infos, inputs, what)
    feed_dict: dict[tf.Tensor, Any] = {}
    for key, info in built.infos.items():
        name = f"The input {key!r} of {inside_sentence(what)}"
        arrays = _components(given[key], info, name)
        for placeholder, array in zip(built.feeds[key], arrays, strict=True):
            feed_dict[placeholder] = _checked(array, placeholder, name)
    return feed_dict


def _components(value: Any, info: ParsedTensorInfo, what: str) -> list[Any]:
    """Returns the values of the tensors that an input is made of, in TensorFlow's flat order."""
    if isinstance(value, tf.compat.v1.SparseTensorValue):
        parts, fits = [value.indices, value.values, value.dense_shape], info.is_sparse
    elif isinstance(value, tf.compat.v1.ragged.RaggedTensorValue):
        fits = isinstance(info.type_spec, tf.RaggedTensorSpec)
        fits = fits and info.type_spec.ragged_rank == value.ragged_rank
        parts = [value.flat_values, *value.nested_row_splits]
    elif tf.is_tensor(value) and not isinstance(value, (tf.Tensor, tf.Variable)):
        parts = tf.nest.flatten(value, expand_composites=True)
        fits = type(tf.type_spec_from_value(value)) is type(info.type_spec)
        fits = fits and len(parts) == len(tf.nest.flatten(info.type_spec, expand_composites=True))
    else:
        parts, fits = [value], not (info.is_sparse or info.is_composite)
    if not fits:
        raise errors.InputError(f"{what} takes {info.type_spec}, but was given {value!r}.")
    return parts


def _checked(value: Any, placeholder: tf.Tensor, what: str) -> np.ndarray:
    if tf.is_tensor(value) and not hasattr(value, "numpy"):
        raise errors.InputError(
            f"{what} was given {value!r}, which is a tensor of a graph and has no value yet. Give "
            "arrays, or use hub.Module in that graph."
        )
    wanted = f"{placeholder.dtype.name} of shape {placeholder.shape}"
    try:
        array = _array(value, placeholder.dtype)
    except (TypeError, ValueError) as error:
        raise errors.InputError(
            f"{what} takes {wanted}, and {value!r} cannot be converted: {error}"
        ) from error
    if not placeholder.shape.is_compatible_with(array.shape):
        raise errors.InputError(
            f"{what} takes {wanted}, but was given the shape {list(array.shape)}."
        )
    return array


def _array(value: Any, dtype: tf.DType) -> np.ndarray:
    if dtype == tf.string:
        # Not NumPy's own text types, which lose zero bytes at the end.
        array = np.asarray(value, object)
        return np.array([_encode(text) for text in array.flat], object).reshape(array.shape)
    array = np.asarray(value)
    target = dtype.as_numpy_dtype
    fits = array.dtype.kind not in "OSU" and np.can_cast(array.dtype, target, "same_kind")
    if array.size and not fits:
        raise TypeError(f"{array.dtype} is not {dtype.name}.")
    return array.astype(target, copy=False)


def _encode(text: Any) -> bytes:
    if not isinstance(text, (str, bytes)):
        raise TypeError(f"{text!r} is not text.")
    return text.encode() if isinstance(text, str) else text
