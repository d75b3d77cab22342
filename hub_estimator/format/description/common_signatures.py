"""TF Hub's common interfaces: which a module has, and what it lacks for the others.

Sources: https://www.tensorflow.org/hub/common_signatures for TF1 Hub modules and
https://www.tensorflow.org/hub/common_saved_model_apis for TF2 SavedModels; the `tokens` signature is
that of the published BERT modules.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from hub_estimator import texts
from hub_estimator.format.description.module_description import (
    CommonSignature,
    Shape,
    SignatureDescription,
    TensorDescription,
    VariantDescription,
)
from hub_estimator.format.description.signatures import CALL
from hub_estimator.format.image_inputs import IMAGES
from hub_estimator.format.variant import DEFAULT

_BATCH = None  # any size
_ANY, _KNOWN = "any", "known"
_Size = int | str | None


@dataclasses.dataclass(frozen=True)
class _Pattern:
    """A tensor that an interface asks for.

    Attributes:
      name: its name; None where any will do, since it is the only one.
      dtype: its element type.
      sizes: of each dimension: a number; None, which stands for a batch of any size; `_ANY`; or
        `_KNOWN`, a number that the module chooses.
      text: the type as messages have it.
    """

    name: str | None
    dtype: str
    sizes: tuple[_Size, ...]
    text: str

    def fits(self, tensor: TensorDescription) -> bool:
        """Whether a tensor is one of these."""
        if tensor.kind != "dense" or tensor.dtype != self.dtype or tensor.shape is None:
            return False
        return len(tensor.shape) == len(self.sizes) and all(
            wanted == _ANY or (size is not None if wanted == _KNOWN else size == wanted)
            for wanted, size in zip(self.sizes, tensor.shape, strict=True)
        )


@dataclasses.dataclass(frozen=True)
class _Interface:
    """What a task asks of a signature.

    Attributes:
      task: the task.
      signature: the name of the signature.
      inputs: all that it takes.
      outputs: what it gives at least.
    """

    task: str
    signature: str
    inputs: tuple[_Pattern, ...]
    outputs: tuple[_Pattern, ...]


_TEXTS = _Pattern(None, "string", (_BATCH,), "string [batch]")
_VECTORS = _Pattern(DEFAULT, "float32", (_BATCH, _KNOWN), "float32 [batch, a known width]")
_SCORES = dataclasses.replace(_VECTORS, text="float32 [batch, a known number of classes]")
_POOLED = dataclasses.replace(_VECTORS, name="pooled_output")
_SEQUENCE = _Pattern(
    "sequence_output", "float32", (_BATCH, _ANY, _KNOWN), "float32 [batch, tokens, a known width]"
)
_SIZED_IMAGES = _Pattern(
    IMAGES, "float32", (_BATCH, _KNOWN, _KNOWN, 3), "float32 [batch, height, width, 3]"
)
_SOME_IMAGES = dataclasses.replace(_SIZED_IMAGES, name=None, sizes=(_BATCH, _ANY, _ANY, 3))


def _ids(*names: str) -> tuple[_Pattern, ...]:
    return tuple(_Pattern(name, "int32", (_BATCH, _ANY), "int32 [batch, tokens]") for name in names)


_TEXT, _TOKENS = "text", "text from token ids"
_FEATURES, _CLASSES = "image feature vector", "image classification"
_OF_MODULES = (
    _Interface(_TEXT, DEFAULT, (_TEXTS,), (_VECTORS,)),
    _Interface(
        _TOKENS, "tokens", _ids("input_ids", "input_mask", "segment_ids"), (_POOLED, _SEQUENCE)
    ),
    _Interface(_FEATURES, "image_feature_vector", (_SIZED_IMAGES,), (_VECTORS,)),
    _Interface(_CLASSES, "image_classification", (_SIZED_IMAGES,), (_SCORES,)),
)
_OF_SAVED_MODELS = (
    _Interface(_TEXT, CALL, (_TEXTS,), (_VECTORS,)),
    _Interface(
        _TOKENS,
        CALL,
        _ids("input_word_ids", "input_mask", "input_type_ids"),
        (_VECTORS, _POOLED, _SEQUENCE),
    ),
    _Interface(_FEATURES, CALL, (_SOME_IMAGES,), (_VECTORS,)),
    _Interface(_CLASSES, CALL, (_SOME_IMAGES,), (_SCORES,)),
)


def of_module(variant: VariantDescription) -> tuple[CommonSignature, ...]:
    """Returns how a graph variant of a TF1 Hub module or SavedModel stands to the interfaces."""
    return tuple(
        CommonSignature(
            interface.task, _missing(interface, variant.signatures, "signature", variant.image_size)
        )
        for interface in _OF_MODULES
    )


def of_saved_model(variant: VariantDescription) -> tuple[CommonSignature, ...]:
    """Returns how a TF2 SavedModel stands to the interfaces.

    Nothing but its documentation tells whether numbers for images are features or scores: a
    SavedModel that has one of these interfaces has both.
    """
    return tuple(
        CommonSignature(interface.task, _missing(interface, variant.functions, "function", None))
        for interface in _OF_SAVED_MODELS
    )


def _missing(
    interface: _Interface,
    signatures: Sequence[SignatureDescription],
    what: str,
    image_size: tuple[int, int] | None,
) -> tuple[str, ...]:
    found = next((one for one in signatures if one.name == interface.signature), None)
    if found is None:
        return (f"it has no {what} {interface.signature!r}",)
    inputs = [_with_size(tensor, image_size) for tensor in found.inputs]
    missing = _of_tensors("input", inputs, interface.inputs)
    if len(inputs) > len(interface.inputs):
        missing.append(
            f"{interface.signature!r} takes {len(inputs)} inputs, not {len(interface.inputs)}"
        )
    return (*missing, *_of_tensors("output", found.outputs, interface.outputs))


def _of_tensors(
    what: str, tensors: Sequence[TensorDescription], patterns: Sequence[_Pattern]
) -> list[str]:
    found, wrong, absent = {tensor.name: tensor for tensor in tensors}, [], []
    for pattern in patterns:
        if pattern.name is None and len(tensors) > 1:
            continue  # their number is wrong
        tensor = tensors[0] if pattern.name is None and tensors else found.get(str(pattern.name))
        if tensor is None:
            absent.append(f" {pattern.name!r}" if pattern.name else "")
        elif not pattern.fits(tensor):
            wrong.append(
                f"its {what} {texts.shown(tensor.name)} is {tensor.type_text()}, not {pattern.text}"
            )
    plural = "s" if len(absent) > 1 else ""
    return [*([f"it has no {what}{plural}{','.join(absent)}"] if absent else []), *wrong]


def _with_size(tensor: TensorDescription, image_size: tuple[int, int] | None) -> TensorDescription:
    """Returns an input whose height and width are those that are attached, where it has neither."""
    shape: Shape = tensor.shape
    if tensor.name != IMAGES or image_size is None or shape is None or len(shape) != 4:
        return tensor
    return dataclasses.replace(tensor, shape=(shape[0], *image_size, shape[3]))
