"""How large images are, before they are decoded."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
import tensorflow as tf

from hub_estimator.training.inputs import image_headers
from tests.training import image_files

IMAGE = np.zeros([7, 11, 3], np.uint8)
APPLICATION = b"\xff\xe1" + struct.pack(">H", 50_002) + b"\xff\xc0" * 25_000


def jpeg(**options) -> bytes:
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        return session.run(tf.io.encode_jpeg(IMAGE, **options))


def bmp_from_top() -> bytes:
    content = bytearray(image_files.bmp(IMAGE))
    content[22:26] = struct.pack("<i", -7)
    return bytes(content)


def gif(screen, *frames, palette=0) -> bytes:
    """A GIF of frames of sizes, without pixels."""
    flags, table = (0x80 | palette - 1, bytes(3 << palette)) if palette else (0, b"")
    content = b"GIF89a" + struct.pack("<HHBxx", *screen, flags) + table
    for width, height in frames:
        content += b"!\xf9\x04" + bytes(4) + b"\0!\xfe\x05hello\x02, \0"
        content += b"," + struct.pack("<4xHHB", width, height, flags) + table
        content += b"\x02" + b"\xff" + b"," * 255 + b"\x01;\0"
    return content + b";"


def decoded_pixels(content) -> int:
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        height, width, _ = session.run(tf.io.decode_image(content, expand_animations=False)).shape
    return height * width


@pytest.mark.parametrize(
    "content",
    [
        image_files.encoded("PNG", IMAGE),
        image_files.encoded("BMP", IMAGE),
        bmp_from_top(),
        jpeg(),
        jpeg(progressive=True),
        jpeg(xmp_metadata="x" * 50_000),
        # What decoders pass over: filling, bytes between segments, segments that hold marks.
        jpeg()[:2] + APPLICATION + b"\xff\xff\xff" + jpeg()[3:],
        jpeg()[:20] + b"\0" * 9000 + b"\xff\0ab" + jpeg()[20:],
    ],
    ids=range(8),
)
def test_sizes_are_those_that_are_decoded(content, monkeypatch):
    assert decoded_pixels(content) == 77
    for limit, why in [
        (77, ""),
        (
            76,
            (
                "has 77 pixels, and at most 76 are decoded: if it is to be trusted, raise the limit by "
                "HUB_ESTIMATOR_MAX_IMAGE_PIXELS"
            ),
        ),
    ]:
        monkeypatch.setenv("HUB_ESTIMATOR_MAX_IMAGE_PIXELS", str(limit))
        assert image_headers.problem(io.BytesIO(content)) == why


@pytest.mark.parametrize("palette", [0, 1, 8])
@pytest.mark.parametrize(
    ("screen", "frames", "pixels"),
    [
        ((3, 4), [(3, 4)], 12),
        ((300, 4), [(3, 4)], 1200),
        ((3, 4), [(3, 4), (65535, 65535), (3, 4)], 12 + 65535**2 + 12),
        ((3, 4), [(3, 4)] * 5000, 60_000),
        ((3, 4), [], 12),
    ],
)
def test_all_frames_count(screen, frames, pixels, palette, monkeypatch):
    content = gif(screen, *frames, palette=palette)
    monkeypatch.setenv("HUB_ESTIMATOR_MAX_IMAGE_PIXELS", str(pixels))
    assert image_headers.problem(io.BytesIO(content)) == ""
    monkeypatch.setenv("HUB_ESTIMATOR_MAX_IMAGE_PIXELS", str(pixels - 1))
    assert image_headers.problem(io.BytesIO(content)).startswith(f"has {pixels:,} pixels, and ")


def test_what_is_well_without_a_setting():
    assert image_headers.problem(io.BytesIO(image_files.GIF)) == ""


@pytest.mark.parametrize(
    "content",
    [
        image_files.encoded("PNG", IMAGE)[:23],
        image_files.encoded("PNG", IMAGE).replace(b"IHDR", b"IHDX"),
        image_files.encoded("BMP", IMAGE)[:25],
        image_files.GIF[:12],
        jpeg()[:20],
        jpeg()[: jpeg().index(b"\xff\xc0") + 6],
        b"\xff\xd8\xff\xe0\x00\x01",
        b"\xff\xd8\xff\xd9" + jpeg()[2:],
        b"\xff\xd8\xff" + bytes(10_000),
    ],
    ids=range(9),
)
def test_what_says_no_size(content):
    assert image_headers.problem(io.BytesIO(content)) == (
        "is damaged or cut short: it does not say how large it is"
    )


@pytest.mark.parametrize("content", [b"", b"<svg>", b"RIFF\x1a\0\0\0WEBPVP8L"])
def test_what_is_no_image(content):
    assert image_headers.problem(io.BytesIO(content)) == "is no PNG, JPEG, BMP or GIF image"
