"""What training does not change of encoders, computed of each batch ahead of the step that takes it.

For data of which nothing is stored, as it is read anew in each epoch. The input computes it, in a
session of its own, while the model is at the steps before: on the processor's other cores.
"""

from __future__ import annotations

import dataclasses
import inspect
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from hub_estimator.graph.instance.cut import LowerPart, NoBorderError
from hub_estimator.training.example_spec import ExampleSpec
from hub_estimator.training.feature_cache import concurrency
from hub_estimator.training.feature_cache.border_values import is_numbers
from hub_estimator.training.feature_cache.outputs import outputs_of
from hub_estimator.training.feature_cache.work import Features, NotStorableError, are_close
from hub_estimator.training.inputs.base import InputFn
from hub_estimator.training.inputs.failures import plain
from hub_estimator.training.model import precomputed
from hub_estimator.training.model.encoders import Encoder

_PROBED = 2
"""Of how many examples all tensors inside of a module are looked at."""
_GIVEN = ("mode", "params", "config", "input_context")
"""What an Estimator gives an `input_fn` that has parameters of these names."""
_PREFETCHED = 2
"""How many batches are computed beside those that are just being computed."""

_logger = logging.getLogger("hub_estimator")


@dataclasses.dataclass(frozen=True)
class Unchanged:
    """What training does not change of an encoder.

    Attributes:
      number: the encoder's number in the model, from 0.
      encoder: the encoder.
      lower: what of it that is; None is all of it.
    """

    number: int
    encoder: Encoder
    lower: LowerPart | None

    def key(self, mode: str) -> tuple[Any, ...]:
        """Returns what is equal where the same is computed, of encoders of one model."""
        return self.number, self.lower is None, self.encoder.tags_for(mode)

    def is_known(self, mode: str) -> bool:
        """Whether the values of all variables that it reads are the module's, not chosen by chance."""
        if self.lower is not None and not self.lower.variables:
            return True
        return self.encoder.module.digest(self.encoder.tags_for(mode)) is not None


class Ahead:
    """Computes what training does not change of encoders, in a session of its own.

    Args:
      parts: what that is.
      mode: the Estimator's mode.
      spec: what the model takes.
      features: a batch of the data, by which it is found out what is best computed.

    Attributes:
      encoders: those of which something is computed; none where nothing can be.
    """

    def __init__(
        self, parts: Sequence[Unchanged], mode: str, spec: ExampleSpec, features: Features
    ) -> None:
        self._names = sorted({name for part in parts for name in part.encoder.feature_specs()})
        self._at_once = concurrency.batches_at_once(
            {name: spec.features[name] for name in self._names}
        )
        with tf.Graph().as_default() as graph:
            tf.compat.v1.train.create_global_step()
            self._given = {
                name: tf.compat.v1.placeholder(spec.features[name].dtype, spec.features[name].shape)
                for name in self._names
            }
            built = [_Built(part, mode, self._given) for part in parts]
            start = [
                *(variable.initializer for each in built for variable in each.variables),
                tf.compat.v1.local_variables_initializer(),
                tf.compat.v1.tables_initializer(),
            ]
        # Calls that wait in TensorFlow's common threads would leave none of these to what they wait for.
        config = tf.compat.v1.ConfigProto(use_per_session_threads=True)
        self._session = tf.compat.v1.Session(graph=graph, config=config)
        self._session.run(start)
        some = {self._given[name]: features[name][:_PROBED] for name in self._names}
        self.encoders: list[Encoder] = []
        self._tensors: dict[str, tf.Tensor] = {}
        for each in built:
            tensors = each.chosen(self._session, some)
            if tensors:
                self.encoders.append(each.part.encoder)
                self._tensors |= tensors

    def added_to(self, input_fn: InputFn, without: Sequence[str]) -> InputFn:
        """Returns an `input_fn` whose batches have what is computed of them as further features.

        Args:
          input_fn: gives batches `(features, labels)` with all features of the model.
          without: the names of the features that nobody else takes; the batches are without them.
        """

        def added(*args: Any, **kwargs: Any) -> tf.data.Dataset:
            batches = input_fn(*args, **kwargs).map(
                plain(lambda *batch: self._added(without, *batch)),
                self._at_once,
                deterministic=True,
            )
            options = tf.data.Options()
            # Calls wait in threads, which the steps' operations would have to share; so does what reads
            # and decodes the examples.
            options.threading.private_threadpool_size = self._at_once + concurrency.threads()
            return batches.prefetch(_PREFETCHED).with_options(options)

        taken = [name for name in _GIVEN if name in inspect.signature(input_fn).parameters]
        added.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in taken]
        )
        return added

    def close(self) -> None:
        """Ends the session; what is being computed is cancelled."""
        self._session.close()

    def _added(
        self, without: Sequence[str], features: Mapping[str, tf.Tensor], *labels: Any
    ) -> tuple[Any, ...]:
        given = [features[name] for name in self._names]
        tensors = self._tensors.values()
        computed = tf.numpy_function(self._compute, given, [each.dtype for each in tensors])
        for value, tensor in zip(computed, tensors, strict=True):
            value.set_shape(tensor.shape)
        left = {name: value for name, value in features.items() if name not in without}
        return (left | dict(zip(self._tensors, computed, strict=True)), *labels)

    def _compute(self, *given: np.ndarray) -> list[np.ndarray]:
        fed = dict(zip(self._given.values(), given, strict=True))
        try:
            values: list[np.ndarray] = self._session.run([*self._tensors.values()], fed)
        except tf.errors.InvalidArgumentError as error:
            raise ValueError(error.message) from error  # of which TensorFlow makes the same again
        except tf.errors.ResourceExhaustedError as error:
            raise MemoryError(error.message) from error  # likewise
        return values


class _Built:
    """A part in the default graph.

    Args:
      part: the part.
      mode: the Estimator's mode.
      features: the tensors by feature name.

    Attributes:
      part: the part.
      variables: those that it reads.
    """

    def __init__(self, part: Unchanged, mode: str, features: Mapping[str, tf.Tensor]) -> None:
        self.part = part
        before = len(tf.compat.v1.global_variables())
        if part.lower is None:
            outputs = outputs_of(part.encoder, mode, features)
            self._tensors = {
                precomputed.name(part.number, use): output for use, output in enumerate(outputs)
            }
        else:
            encoder = dataclasses.replace(part.encoder, export_name=None)
            names = part.lower.tensors
            found = encoder.inner_tensors(encoder.build(mode), features, mode, names)
            self._tensors = {
                name: tensor
                for name, tensor in zip(names, found, strict=True)
                if is_numbers(tensor)
            }
        self.variables = [
            variable
            for variable in tf.compat.v1.global_variables()[before:]
            if part.lower is None or part.lower.reads(variable.op.name)
        ]

    def chosen(
        self, session: tf.compat.v1.Session, fed: Mapping[tf.Tensor, np.ndarray]
    ) -> dict[str, tf.Tensor]:
        """Returns the tensors that spare most, by the names of features; says in the log which.

        Args:
          session: a session of the graph.
          fed: some examples.
        """
        name = self.part.encoder.name
        try:
            tensors = self._chosen(session, fed)
        except (NoBorderError, NotStorableError) as reason:
            otherwise = "in each step" if self.part.lower is None else "as a whole in each step"
            _logger.info("Encoder %r runs %s: %s.", name, otherwise, reason)
            return {}
        what = (
            "Outputs of encoder %r are"
            if self.part.lower is None
            else ("What encoder %r is trained from is")
        )
        _logger.info(f"{what} computed ahead of each step.", name)
        return tensors

    def _chosen(
        self, session: tf.compat.v1.Session, fed: Mapping[tf.Tensor, np.ndarray]
    ) -> dict[str, tf.Tensor]:
        try:
            values = session.run(self._tensors, fed)
            again = session.run(self._tensors, fed) if self.part.lower is None else values
        except tf.errors.OpError as error:  # each step tells what it is, if it is the data
            raise NotStorableError("its first examples cannot be run by themselves") from error
        if self.part.lower is None:
            if not all(are_close(again[name], value) for name, value in values.items()):
                raise NotStorableError("it gives other outputs each time")
            return self._tensors
        sizes = {name: value.nbytes / _PROBED for name, value in values.items()}
        return {
            precomputed.inner_name(self.part.number, name): self._tensors[name]
            for name in self.part.lower.border(sizes)
        }
