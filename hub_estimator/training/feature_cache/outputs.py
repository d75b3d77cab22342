"""The outputs of a frozen encoder."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from hub_estimator.training.feature_cache import single_examples
from hub_estimator.training.feature_cache.pieces import Layout, Piece
from hub_estimator.training.feature_cache.work import Features, NotStorableError, are_close
from hub_estimator.training.model.encoders import Encoder


def outputs_of(encoder: Encoder, mode: str, features: Mapping[str, tf.Tensor]) -> list[tf.Tensor]:
    """Adds what a frozen encoder gives to the default graph, without dropout; `[B, D]` for each use.

    Args:
      encoder: the encoder.
      mode: the Estimator's mode.
      features: the tensors by feature name.
    """
    # Training's own mode would drop; the graph variant of the module is the same.
    used = "infer" if mode == "train" else mode
    return dataclasses.replace(encoder, export_name=None)(features, used).outputs


class Outputs:
    """The outputs of an encoder, float32 `[B, D]`, as one array.

    Args:
      encoder: a frozen encoder with one use.
      mode: the Estimator's mode.
      features: the tensors of the default graph by feature name.

    Attributes:
      what: see `Work`.
      about: see `Work`.
      contents: see `Work`.
      width: `D`.
    """

    def __init__(self, encoder: Encoder, mode: str, features: Mapping[str, tf.Tensor]) -> None:
        self._features, self._specs = features, single_examples.specs_of(features)
        (self._output,) = outputs_of(encoder, mode, features)
        self.width = int(self._output.shape[1])
        self.what = f"outputs of encoder {encoder.name!r}"
        self.about = f"{encoder.handle!r}"
        self.contents: Any = None

    def piece(self, session: Any, features: Features) -> Piece:
        """Computes a batch; see `Work`."""
        fed = {self._features[name]: values for name, values in features.items()}
        values = session.run(self._output, fed)
        if len(values) != len(next(iter(features.values()))):
            raise NotStorableError("it gives another number of outputs than there are examples")
        return Piece(Layout(), (values,))

    def check(self, session: Any, features: Features, piece: Piece, is_first: bool) -> None:
        """Checks what was computed of a batch; see `Work`."""
        (values,) = piece.arrays
        if is_first and not are_close(self.piece(session, features).arrays[0], values):
            raise NotStorableError("it gives other outputs each time")
        for row in single_examples.chosen_rows(features, self._specs, is_first):
            single = single_examples.single(features, self._specs, row)
            if not are_close(self.piece(session, single).arrays[0][0], values[row]):
                raise NotStorableError("its outputs depend on the other examples of a batch")
