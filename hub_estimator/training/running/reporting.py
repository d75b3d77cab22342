"""The report of a run, on the examples that were evaluated and what says which each of them is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from hub_estimator.training.example_spec import ExampleSpec
from hub_estimator.training.experiment import ReportWriter
from hub_estimator.training.inputs import kept_names
from hub_estimator.training.inputs.base import Input, InputFn

if TYPE_CHECKING:
    from hub_estimator.training.running.trained_model import TrainedModel


def check_kept(report: ReportWriter | None, source: Input, spec: ExampleSpec) -> None:
    """Checks that the data has what a report asks for, which is read for it only in the end.

    Args:
      report: the report; None asks for nothing.
      source: the examples to evaluate on.
      spec: what the model takes of them.

    Raises:
      errors.Error: it has not; the class and the message say what.
    """
    if getattr(report, "keep", ()):
        with tf.Graph().as_default():
            _input_fn(report, source, spec)()


def write(
    report: ReportWriter,
    trained: TrainedModel,
    checkpoint: str,
    metrics: Mapping[str, Any],
    name: str | None = None,
) -> None:
    """Writes the report of the evaluation of a checkpoint; see `ReportWriter.write`."""
    input_fn = _input_fn(report, trained.eval_input, trained.spec)
    report.write(trained, input_fn, checkpoint, metrics, name)


def _input_fn(report: Any, source: Input, spec: ExampleSpec) -> InputFn:
    """Returns what gives the examples; reports that do not know of `keep` get nothing beside them."""
    asked = getattr(report, "keep", None)
    keep = () if asked is None else kept_names.names_to_keep(source, asked)
    return kept_names.evaluation_fn(source, spec, keep)
