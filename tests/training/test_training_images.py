"""Encoded images to what modules take."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from hub_estimator import errors
from hub_estimator.training import images
from tests.training import image_files

GRAY = np.full([5, 4, 1], 51)
COLOUR = np.tile(np.array([[[255, 0, 51]]]), [5, 4, 1])
GLASS = np.tile(np.array([[[255, 0, 51, 102]]]), [5, 4, 1])
FILES = {
    "gray": [("PNG", GRAY), ("JPEG", GRAY), ("BMP", GRAY)],
    "colour": [("PNG", COLOUR), ("JPEG", COLOUR), ("BMP", COLOUR)],
    "glass": [("PNG", GLASS), ("BMP", GLASS)],
}


def decode(contents, *size):
    decoded = images.decode(tf.constant(contents, tf.string, [len(contents)]), *size)
    assert decoded.shape.as_list() == [len(contents), *size] and decoded.dtype == tf.float32
    with tf.compat.v1.Session() as session:
        return session.run(decoded)


@pytest.mark.parametrize("name", list(FILES))
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_every_format_becomes_as_many_channels_as_are_asked_for(name, channels):
    contents = [image_files.encoded(kind, image) for kind, image in FILES[name]]
    decoded = decode(contents, 5, 4, channels)
    colour = [0.2] * 3 if name == "gray" else [1, 0, 0.2]
    opacity = 0.4 if name == "glass" else 1
    gray = 0.2989 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
    expected = {1: [gray], 3: colour, 4: [*colour, opacity]}[channels]
    # A JPEG, and a gray value of 8 bits, are not exact.
    assert np.abs(decoded - expected).max() < 0.02
    assert decoded.min() >= 0 and decoded.max() <= 1


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_an_animation_gives_its_first_frame(channels):
    assert decode([image_files.GIF], 1, 1, channels).tolist() == [[[[1] * channels]]]


def test_resizing_averages(tmp_path):
    checks = np.zeros([8, 8, 1])
    checks[::2, ::2] = checks[1::2, 1::2] = 255
    decoded = decode([image_files.encoded("PNG", checks)], 2, 2, 1)
    assert decoded == pytest.approx(0.5, abs=0.05)


def test_an_empty_batch():
    assert decode([], 2, 3, 3).shape == (0, 2, 3, 3)


@pytest.mark.parametrize("content", [b"", b"B", b"GIF", b"not an image", b"\xff\xd8\xff"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_what_is_no_image_is_an_error_of_the_step(content, channels):
    with pytest.raises(tf.errors.InvalidArgumentError):
        decode([content], 2, 2, channels)


def test_no_file_has_so_many_channels():
    with pytest.raises(errors.ImageInputError) as caught:
        images.decode(tf.constant([b""]), 2, 2, 2)
    assert str(caught.value) == (
        "Images of 2 channels were asked for. A file decodes to 1 (gray), 3 (RGB) or 4 (RGB and "
        "opacity)."
    )


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP"])
def test_formats_are_told_by_how_files_start(kind):
    header = image_files.encoded(kind, GRAY)[: images.HEADER_BYTES]
    assert images.image_format(header) == kind


def test_other_formats():
    assert images.image_format(image_files.GIF[: images.HEADER_BYTES]) == "GIF"
    assert images.image_format(b"RIFF....WEBP") is None and images.image_format(b"") is None


def test_whole_numbers_are_the_nearest():
    values = tf.constant([0.0, 0.4 / 255, 0.6 / 255, 1.0])
    with tf.compat.v1.Session() as session:
        assert session.run(images.convert(values, tf.uint8)).tolist() == [0, 0, 1, 255]
        assert (
            session.run(images.convert(values, tf.float32)).tolist() == session.run(values).tolist()
        )
