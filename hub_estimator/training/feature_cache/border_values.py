"""The tensors on the border between what training changes of a module, and what it does not."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from hub_estimator.training.feature_cache import single_examples
from hub_estimator.training.feature_cache.border import Border, Stored, lengths_of
from hub_estimator.training.feature_cache.pieces import Piece
from hub_estimator.training.feature_cache.probe import probe
from hub_estimator.training.feature_cache.work import Features, NotStorableError, are_close
from hub_estimator.training.model.encoders import Encoder

_PROBED, _LARGE_PROBED, _LARGE = 8, 3, 4096
"""How many examples show how the tensors follow from them; fewer where each has many values."""
_OTHER_EXAMPLES = "what comes before what is trained depends on the other examples of a batch"
_CHANCE = (
    "chance (as in dropout) after what would be stored hides whether what fills up examples counts"
)


class BorderValues:
    """The values of the tensors on the border, of the one use of an encoder.

    Args:
      encoder: an encoder of which a part is trained, with one use.
      mode: the Estimator's mode.
      features: the tensors of the default graph by feature name.

    Attributes:
      what: see `Work`.
      about: see `Work`.
      width: see `Work`.
    """

    def __init__(self, encoder: Encoder, mode: str, features: Mapping[str, tf.Tensor]) -> None:
        self._encoder = dataclasses.replace(encoder, export_name=None)
        self._features, self._specs = features, single_examples.specs_of(features)
        self._lower = self._encoder.lower_part(mode)
        self._built = self._encoder.build(mode)
        found = self._encoder.inner_tensors(self._built, features, mode, self._lower.tensors)
        self._tensors = {
            name: tensor
            for name, tensor in zip(self._lower.tensors, found, strict=True)
            if is_numbers(tensor)
        }
        (self._whole,) = self._encoder.outputs_of(self._built, features, mode)
        self.what = f"what encoder {encoder.name!r} is trained from"
        self.about = f"{encoder.handle!r}"
        self.width = 0
        self._border = Border((), (), ())
        self._inside: dict[str, tf.Tensor] = {}
        self._upper: Any = None
        self._checked: set[tuple[bool, bool]] = set()  # which kinds of batches, by `_kind`

    @property
    def contents(self) -> Any:
        """What an entry says of its arrays: the border."""
        return self._border.as_json()

    def explore(self, session: Any, features: Features) -> None:
        """Finds the border; see `Exploring`.

        Raises:
          NoBorderError: there is none.
        """
        rows = _different(features)
        if len(rows) < 2:
            raise NotStorableError("there are too few examples to see what is of each")

        def run(chosen: Sequence[int]) -> dict[str, np.ndarray]:
            some = single_examples.some(features, self._specs, chosen)
            return session.run(self._tensors, self._fed(some))

        try:
            probed = probe(run, rows, single_examples.lengths(features, self._specs))
        except tf.errors.OpError as error:  # each step tells what it is, if it is the data
            raise NotStorableError("its first examples cannot be run by themselves") from error
        sizes = {name: found.size for name, found in probed.found.items()}
        self._border = probed.border(self._lower.border(sizes))
        if not self._border.stored:
            raise NotStorableError("what is trained takes nothing of each example")
        size = sum(sizes[stored.tensor] for stored in self._border.stored)
        self.width = max(1, round((size + 8 * len(self._border.groups)) / 4))
        self._inside = {
            name: tf.compat.v1.placeholder(tensor.dtype, tensor.shape)
            for name, tensor in self._tensors.items()
            if name in self._names
        }
        self._upper = self._encoder.output_from(self._built, self._inside)

    @property
    def _names(self) -> set[str]:
        return {
            *(stored.tensor for stored in self._border.stored),
            *(derived.tensor for derived in self._border.derived),
        }

    def piece(self, session: Any, features: Features) -> Piece:
        """Computes a batch, without what fills up all of its examples; see `Work`."""
        count = len(next(iter(features.values())))
        features = single_examples.some(features, self._specs, range(count))
        seen = {source.tensor for source in self._border.groups if source.tensor is not None}
        wanted = {name: self._tensors[name] for name in self._names | seen}
        values = session.run(wanted, self._fed(features))
        lengths = self._lengths(features, values, count)
        for derived in self._border.derived:
            own = np.ones(count, np.int64) if derived.group is None else lengths[derived.group]
            if not np.array_equal(values[derived.tensor], derived.of(own)):
                raise NotStorableError(_OTHER_EXAMPLES)
        rows = [
            _rows(stored, values[stored.tensor], lengths, count) for stored in self._border.stored
        ]
        return Piece(self._border.layout, (*(each[:, np.newaxis] for each in lengths), *rows))

    def _lengths(
        self, features: Features, values: Mapping[str, np.ndarray], count: int
    ) -> list[np.ndarray]:
        """Returns the lengths of each group, int64 `[B]`."""
        found = []
        for source in self._border.groups:
            if source.tensor is None:
                lengths = single_examples.lengths(features, self._specs)
            else:
                lengths = lengths_of(source.rule, values[source.tensor], count)
            if lengths is None or len(lengths) != count:
                raise NotStorableError(_OTHER_EXAMPLES)
            found.append(lengths)
        return found

    def check(self, session: Any, features: Features, piece: Piece, is_first: bool) -> None:
        """Checks what was computed of a batch; see `Work`."""
        rows = single_examples.chosen_rows(features, self._specs, is_first)
        kind = self._kind(features)
        if kind not in self._checked:
            self._checked.add(kind)
            some = single_examples.chosen_rows(features, self._specs, is_first=True)
            self._check_output(session, features, piece, some[::-1])
        for row in rows:
            single = single_examples.single(features, self._specs, row)
            alone = self.piece(session, single).arrays
            if not all(map(are_close, alone, piece.between(row, row + 1).arrays)):
                raise NotStorableError(_OTHER_EXAMPLES)

    def _kind(self, features: Features) -> tuple[bool, bool]:
        """Returns whether some examples of a batch are filled up, and whether all are."""
        lengths = single_examples.lengths(features, self._specs)
        if lengths is None:
            return False, False
        whole = single_examples.some(features, self._specs, range(len(lengths)))
        is_cut = any(values.shape != whole[name].shape for name, values in features.items())
        return bool(np.ptp(lengths)), is_cut

    def _check_output(
        self, session: Any, features: Features, piece: Piece, rows: Sequence[int]
    ) -> None:
        """Checks that examples give what they give otherwise, whichever they are together with."""
        fed = self._fed({name: values[list(rows)] for name, values in features.items()})
        expected = session.run(self._whole, fed)
        if not are_close(expected, session.run(self._whole, fed)):
            if any(stored.is_padded for stored in self._border.stored):
                raise NotStorableError(_CHANCE)
            return
        columns = self._border.columns(piece.arrays, len(piece))
        inside = {self._inside[name]: column[np.array(rows)] for name, column in columns.items()}
        if not are_close(session.run(self._upper, inside), expected):
            raise NotStorableError(_OTHER_EXAMPLES)

    def _fed(self, features: Features) -> dict[Any, np.ndarray]:
        return {self._features[name]: values for name, values in features.items()}


def _rows(
    stored: Stored, values: np.ndarray, lengths: Sequence[np.ndarray], count: int
) -> np.ndarray:
    """Returns the rows `[R, D]` of a tensor of a batch.

    Raises:
      NotStorableError: it is not made up of the examples' rows.
    """
    own = np.ones(count, np.int64) if stored.group is None else lengths[stored.group]
    if stored.is_padded:
        shape = (count, int(own.max()), *stored.inner)
        if values.ndim == len(shape) and values.shape[0] == count and values.shape[1] >= shape[1]:
            there = np.arange(values.shape[1]) < own[:, np.newaxis]
            if stored.fill is not None and (values[~there] != stored.fill).any():
                raise NotStorableError(_OTHER_EXAMPLES)
            values = values[there]
    if values.shape != (int(own.sum()), *stored.inner):
        raise NotStorableError(_OTHER_EXAMPLES)
    return np.ascontiguousarray(values.reshape(len(values), stored.width))


def is_numbers(tensor: tf.Tensor) -> bool:
    """Whether a tensor has numbers, of a type that numpy has."""
    dtype = tensor.dtype
    return (dtype.is_floating or dtype.is_integer or dtype.is_bool) and (
        np.dtype(dtype.as_numpy_dtype).kind in "biuf"
    )


def _different(features: Features) -> list[int]:
    """Returns a few examples of a batch, from that with least in it to that with most."""
    order = np.argsort(single_examples.amounts(features), kind="stable")
    values = sum(values[:1].size for values in features.values())
    count = min(_PROBED if values <= _LARGE else _LARGE_PROBED, len(order))
    places = np.linspace(0, len(order) - 1, count)
    return [int(order[place]) for place in places.round().astype(int)]
