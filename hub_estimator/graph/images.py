"""Modules that take images: the size and the channels they expect."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from hub_estimator import errors
from hub_estimator.format.image_inputs import IMAGE_MODULE_INFO_KEY, IMAGES
from hub_estimator.format.protos import ImageModuleInfo
from hub_estimator.format.spec import ModuleSpec
from hub_estimator.format.variant import DEFAULT, quoted
from hub_estimator.graph.defining.authoring import attach_message
from hub_estimator.graph.module import Module


def attach_image_module_info(image_module_info: Any) -> None:
    """Attaches an `ImageModuleInfo` to the module that is being defined; called by a `module_fn`.

    Args:
      image_module_info: the message, with the size of images in pixels.

    Raises:
      errors.MessageError: it is no protobuf message.
    """
    attach_message(IMAGE_MODULE_INFO_KEY, image_module_info)


def get_image_module_info(module_or_spec: Module | ModuleSpec, required: bool = False) -> Any:
    """Returns the attached `ImageModuleInfo`, or None.

    Args:
      module_or_spec: a module, or its spec.
      required: whether to raise where there is none.

    Raises:
      errors.MessageNotFoundError: there is none, and it is required.
    """
    return module_or_spec.get_attached_message(
        IMAGE_MODULE_INFO_KEY, ImageModuleInfo, required=required
    )


def get_expected_image_size(
    module_or_spec: Module | ModuleSpec,
    signature: str | None = None,
    input_name: str | None = None,
) -> list[int]:
    """Returns the size of the images that a module expects.

    The attached `ImageModuleInfo` tells it, or else the static shape of the signature's input.

    Args:
      module_or_spec: a module, or its spec.
      signature: the signature's name; None is `"default"`.
      input_name: the name of the input that takes images; None is `"images"`.

    Returns:
      `[height, width]` in pixels.

    Raises:
      errors.ImageInputError: nothing tells the size, or the signature has no such input.
      errors.SignatureNotFoundError: the module has no such signature.
    """
    info = get_image_module_info(module_or_spec)
    if info and info.default_image_size.height and info.default_image_size.width:
        return [info.default_image_size.height, info.default_image_size.width]
    shape = _image_shape(module_or_spec, signature, input_name)
    if shape.rank != 4 or None in shape[1:3].as_list():
        raise errors.ImageInputError(
            f"The images that the module takes have the shape {shape}; known height and width are "
            "needed: [batch, height, width, channels]. The publisher may also attach them with "
            "hub.attach_image_module_info."
        )
    return shape[1:3].as_list()


def get_num_image_channels(
    module_or_spec: Module | ModuleSpec,
    signature: str | None = None,
    input_name: str | None = None,
) -> int:
    """Returns the number of channels of the images that a module expects: 3 for RGB.

    Args:
      module_or_spec: a module, or its spec.
      signature: the signature's name; None is `"default"`.
      input_name: the name of the input that takes images; None is `"images"`.

    Raises:
      errors.ImageInputError: the signature's shape does not tell, or it has no such input.
      errors.SignatureNotFoundError: the module has no such signature.
    """
    shape = _image_shape(module_or_spec, signature, input_name)
    if shape.rank != 4 or shape[3:].as_list() == [None]:
        raise errors.ImageInputError(
            f"The images that the module takes have the shape {shape}; a known number of channels "
            "is needed: [batch, height, width, channels]."
        )
    return shape[3:].as_list()[0]


def _image_shape(
    module_or_spec: Module | ModuleSpec, signature: str | None, input_name: str | None
) -> tf.TensorShape:
    infos = module_or_spec.get_input_info_dict(signature)
    name = input_name or IMAGES
    if name not in infos:
        raise errors.ImageInputError(
            f"The signature {signature or DEFAULT!r} of the module has no input {name!r}. "
            f"It has: {quoted(infos)}. Pass input_name=..."
        )
    return infos[name].get_shape()
