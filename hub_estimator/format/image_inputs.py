"""What a module says of the images that it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf import message as protobuf_message

from hub_estimator.format.protos import ImageModuleInfo

IMAGE_MODULE_INFO_KEY = "image_module_info"
"""The key under which a module's `ImageModuleInfo` is attached."""

IMAGES = "images"
"""The conventional name of the input that takes images."""


def attached_size(attachments: Mapping[str, bytes]) -> tuple[int, int] | None:
    """Returns the height and width in pixels that a publisher attached; None where there are none.

    Args:
      attachments: the attached messages by key.
    """
    try:
        info: Any = ImageModuleInfo.FromString(attachments.get(IMAGE_MODULE_INFO_KEY, b""))
    except protobuf_message.DecodeError:
        return None
    size = info.default_image_size
    return (size.height, size.width) if size.height > 0 and size.width > 0 else None
