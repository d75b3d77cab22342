"""What must hold of a module that a feature column uses."""

from __future__ import annotations

import tensorflow as tf

from hub_estimator import errors
from hub_estimator.format.spec import ModuleSpec
from hub_estimator.format.variant import DEFAULT, quoted
from hub_estimator.graph.images import IMAGES, get_expected_image_size


def check_text_module(spec: ModuleSpec) -> None:
    """Checks that a module's default signature turns strings `[B]` into float32 `[B, D]`.

    Raises:
      errors.ColumnError: it does not.
    """
    inputs = spec.get_input_info_dict()
    infos = list(inputs.values())
    fits = len(infos) == 1 and infos[0].type_spec == tf.TensorSpec([None], tf.string)
    issues = [] if fits else [f"it takes {inputs}, not one dense string input [None]"]
    _raise(spec, "embed texts", issues + _output_issues(spec))


def check_image_module(spec: ModuleSpec, needs_size: bool) -> None:
    """Checks that a module's default signature turns images into float32 `[B, D]`.

    Args:
      spec: the module.
      needs_size: whether the module must tell the size of the images.

    Raises:
      errors.ColumnError: it does not.
    """
    inputs = spec.get_input_info_dict()
    issues = []
    if set(inputs) != {IMAGES} or inputs[IMAGES].dtype != tf.float32:
        issues.append(f"it takes {inputs}, not one float32 input {IMAGES!r}")
    elif needs_size:
        try:
            get_expected_image_size(spec)
        except errors.ImageInputError as error:
            issues.append(f"it does not tell the size of the images, so give image_size ({error})")
    _raise(spec, "embed images", issues + _output_issues(spec))


def _output_issues(spec: ModuleSpec) -> list[str]:
    outputs = spec.get_output_info_dict()
    if DEFAULT not in outputs:
        return [f"it has the outputs {quoted(outputs)}, but none named {DEFAULT!r}"]
    output = outputs[DEFAULT]
    shape = output.get_shape()
    if output.dtype == tf.float32 and shape.rank == 2 and shape[1:].is_fully_defined():
        return []
    return [f"its output is {output.dtype.name} {shape}, not float32 [None, D] with a known D"]


def _raise(spec: ModuleSpec, purpose: str, issues: list[str]) -> None:
    if issues:
        raise errors.ColumnError(
            f"{spec.source} cannot {purpose} in a feature column: {'; '.join(issues)}. Choose "
            "another module, or define one with such a default signature."
        )
