"""How large the image of a file is, as its headers say: before anything is decoded.

Decoding takes memory for every pixel, of an animation for those of every frame, and a file of a few
kilobytes can promise any number of them.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import IO

from hub_estimator.training import images
from hub_estimator.training.inputs import limits

_CHUNK = 4096
# Markers of JPEG, ITU-T T.81, B.1.1.3: those of frames say the size, some have nothing after them,
# and two come before the pixels or the end.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BARE = frozenset([0x01, *range(0xD0, 0xD9)])
_END = 0xD9
_ENDS = frozenset([_END, 0xDA])


def problem(file: IO[bytes]) -> str:
    """Returns why an image is not to be decoded, in words that follow on its name; else an empty text.

    Args:
      file: the image's file, open to read; where in it does not matter.

    Raises:
      errors.SettingError: the variable of the limit is no number above zero.
    """
    file.seek(0)
    kind = images.image_format(file.read(images.HEADER_BYTES))
    if kind is None:
        return "is no PNG, JPEG, BMP or GIF image"
    pixels, limit = _COUNTS[kind](file), limits.most_image_pixels()
    if pixels is None:
        return "is damaged or cut short: it does not say how large it is"
    if pixels <= limit:
        return ""
    return (
        f"has {pixels:,} pixels, and at most {limit:,} are decoded: if it is to be trusted, raise the "
        f"limit by {limits.IMAGE_PIXELS}"
    )


def _png(file: IO[bytes]) -> int | None:
    file.seek(12)
    header = file.read(12)
    if len(header) < 12 or not header.startswith(b"IHDR"):
        return None
    width, height = struct.unpack(">4xII", header)
    return width * height


def _bmp(file: IO[bytes]) -> int | None:
    file.seek(18)
    header = file.read(8)
    if len(header) < 8:
        return None
    width, height = struct.unpack("<ii", header)
    return abs(width * height)  # one that goes from top to bottom has a negative height


def _jpeg(file: IO[bytes]) -> int | None:
    file.seek(2)
    while (marker := _next_marker(file)) not in _ENDS:
        if marker in _BARE:
            continue
        header = file.read(2)
        length = int.from_bytes(header, "big")
        if len(header) < 2 or length < 2:
            return None
        if marker in _FRAMES:
            frame = file.read(5)
            if len(frame) < 5:
                return None
            height, width = struct.unpack(">xHH", frame)
            return width * height
        file.seek(length - 2, 1)
    return None


def _next_marker(file: IO[bytes]) -> int:
    """Returns the next marker, as decoders find it: whatever is before it is passed over."""
    start = file.read(2)
    if len(start) == 2 and start[0] == 0xFF and start[1] not in (0, 0xFF):
        return start[1]  # as it should be
    file.seek(-len(start), 1)
    marker = b"\0"
    while marker == b"\0":
        while (chunk := file.read(_CHUNK)) and b"\xff" not in chunk:
            pass
        file.seek(chunk.find(b"\xff") - len(chunk) if chunk else 0, 1)
        while (marker := file.read(1)) == b"\xff":
            pass
    return marker[0] if marker else _END


def _gif(file: IO[bytes]) -> int | None:
    file.seek(6)
    screen = file.read(7)
    if len(screen) < 7:
        return None
    width, height, flags = struct.unpack("<HHB2x", screen)
    file.seek(_palette(flags), 1)
    frames = 0
    while (block := file.read(1)) in (b",", b"!"):
        if block == b",":
            frame = file.read(9)
            if len(frame) < 9:
                break
            frame_width, frame_height, flags = struct.unpack("<4xHHB", frame)
            frames += frame_width * frame_height
            file.seek(_palette(flags), 1)
        file.seek(1, 1)  # the kind of an extension, or how pixels are coded
        while size := file.read(1):
            if size == b"\0":
                break
            file.seek(size[0], 1)
    return max(width * height, frames)


def _palette(flags: int) -> int:
    """Returns how many bytes the table of colours has that follows."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


_COUNTS: dict[str, Callable[[IO[bytes]], int | None]] = {
    "PNG": _png,
    "JPEG": _jpeg,
    "BMP": _bmp,
    "GIF": _gif,
}
