"""Small image files, made without another library."""

from __future__ import annotations

import base64
import pathlib
import struct

import numpy as np
import tensorflow as tf

# One white pixel; TensorFlow has no encoder of GIFs.
GIF = base64.b64decode("R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs=")


def encoded(kind: str, image) -> bytes:
    """Encodes uint8 `[H, W, C]` as a PNG, JPEG or BMP file."""
    image = np.asarray(image, np.uint8)
    if kind == "BMP":
        return bmp(image)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        if kind == "PNG":
            return session.run(tf.io.encode_png(image))
        return session.run(tf.io.encode_jpeg(image, quality=100, chroma_downsampling=False))


def bmp(image: np.ndarray) -> bytes:
    height, width, channels = image.shape
    order = [2, 1, 0, 3][:channels] if channels > 1 else [0]
    lines = [line[:, order].tobytes() for line in image[::-1]]
    data = b"".join(line + bytes(-len(line) % 4) for line in lines)
    header = struct.pack(
        "<IiiHHIIiiII", 40, width, height, 1, 8 * channels, 0, len(data), 0, 0, 0, 0
    )
    return b"BM" + struct.pack("<IHHI", 54 + len(data), 0, 0, 54) + header + data


def write_two_classes(folder: pathlib.Path) -> pathlib.Path:
    """Writes dark images and light ones, four of each class, into a folder; returns that."""
    for name, value in [("dark", 0), ("light", 200)]:
        (folder / name).mkdir(parents=True)
        for number in range(4):
            image = np.full([5, 6, 1], value + 10 * number, np.uint8)
            (folder / name / f"{number}.bmp").write_bytes(bmp(image))
    return folder
