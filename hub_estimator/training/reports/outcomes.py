"""What a model predicts for the examples of an evaluation, beside what is true of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from hub_estimator.training import kept
from hub_estimator.training.inputs import batches
from hub_estimator.training.inputs.base import InputFn
from hub_estimator.training.labels.label_spec import LabelSpec
from hub_estimator.training.labels.predicted_and_true import Outcomes
from hub_estimator.training.model.prediction_graph import build_for_prediction
from hub_estimator.training.running.trained_model import TrainedModel

_MOST_NUMBERS = 50_000_000  # predicted of all examples: 200 MB
# Of each text so much is kept: enough to see what it is about.
_TEXT_BYTES = 400


def collect(
    trained: TrainedModel, input_fn: InputFn, checkpoint: str, max_examples: int
) -> dict[str, Outcomes]:
    """Predicts for the first examples of an evaluation, in one pass.

    Args:
      trained: the model.
      input_fn: gives features and labels, and may give what is kept of the examples.
      checkpoint: the prefix of the checkpoint.
      max_examples: how many examples at most; see `Report`.

    Returns:
      The outcomes of each head that we know, by its name; of a model's only head by "".
    """
    heads = trained.spec.labels
    known = {"": heads} if isinstance(heads, LabelSpec) else dict(heads)
    known = {name: labels for name, labels in known.items() if labels.is_known}
    if not known:
        return {}
    most = _MOST_NUMBERS // sum(labels.size for labels in known.values())
    max_examples = max(1, min(max_examples, most))
    with tf.Graph().as_default():
        examples = batches.of(input_fn)
        fetches, scaffold = _build(trained, examples, known)
        found = list(_found(fetches, examples, scaffold, checkpoint, max_examples))
    whole = [np.concatenate(parts)[:max_examples] for parts in zip(*found, strict=True)]
    joined = tf.nest.pack_sequence_as(fetches, whole)
    cells = {name: list(map(kept.cell, column)) for name, column in joined["kept"].items()}
    numbers = getattr(trained.eval_input, "row_numbers", None)
    return {
        name: Outcomes(
            labels,
            labels.truth(joined["truth"][name]),
            joined["predicted"][name],
            joined["texts"],
            cells,
            numbers,
        )
        for name, labels in known.items()
    }


def _build(
    trained: TrainedModel, examples: batches.Batches, heads: Mapping[str, LabelSpec]
) -> tuple[dict[str, Any], Any]:
    """Builds the model in the default graph; returns what to fetch and how to restore it."""
    batch, truth = examples.next
    features, to_keep = kept.split(batch)
    built = build_for_prediction(trained.estimator, features)
    texts = {
        name: tf.strings.substr(feature, 0, _TEXT_BYTES)
        for name, feature in features.items()
        if isinstance(feature, tf.Tensor) and feature.dtype == tf.string and feature.shape.rank == 1
    }
    keys = {name: labels.prediction_key for name, labels in heads.items()}
    fetches = {
        "predicted": {n: built.predictions[(n, key) if n else key] for n, key in keys.items()},
        "truth": {name: truth[name] if name else truth for name in keys},
        "texts": texts,
        "kept": {kept.name_of(feature): column for feature, column in to_keep.items()},
    }
    return fetches, built.scaffold or tf.compat.v1.train.Scaffold()


def _found(
    fetches: Any, examples: batches.Batches, scaffold: Any, checkpoint: str, max_examples: int
) -> Iterator[Sequence[np.ndarray]]:
    creator = tf.compat.v1.train.ChiefSessionCreator(
        scaffold, checkpoint_filename_with_path=checkpoint
    )
    flat = tf.nest.flatten(fetches)
    rows = 0
    with tf.compat.v1.train.MonitoredSession(creator, [examples.hook()]) as session:
        while rows < max_examples:
            try:
                values = session.run(flat)
            except tf.errors.OutOfRangeError:
                return
            rows += len(values[0])
            yield values
