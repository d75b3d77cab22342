"""Random changes of images."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from hub_estimator import errors
from hub_estimator.training.inputs.augmentation import Augmentation

IMAGE = np.arange(60, dtype=np.uint8).reshape(5, 4, 3) * 4
NOTHING = {"flip": 0.0, "crop": 1.0, "colour": 0.0}


def change(image, number=20, **settings):
    """What becomes of an image with each of many seeds."""
    augmentation = Augmentation(**{**NOTHING, **settings})
    seed = tf.compat.v1.placeholder(tf.int64, [2])
    changed = augmentation(tf.constant(image), seed)
    assert changed.dtype == tf.float32
    with tf.compat.v1.Session() as session:
        return [session.run(changed, {seed: [7, each]}) for each in range(number)]


def test_nothing_by_chance():
    assert all(np.array_equal(each, IMAGE) for each in change(IMAGE))


def test_some_are_mirrored():
    mirrored = [np.array_equal(each, IMAGE[:, ::-1]) for each in change(IMAGE, 99, flip=0.5)]
    unchanged = [np.array_equal(each, IMAGE) for each in change(IMAGE, 99, flip=0.5)]
    assert all(a != b for a, b in zip(mirrored, unchanged, strict=True))
    assert 30 < sum(mirrored) < 70
    assert all(np.array_equal(each, IMAGE[:, ::-1]) for each in change(IMAGE, flip=1.0))


def test_crops_are_parts():
    crops = change(IMAGE, 99, crop=0.5)
    heights, widths = ({each.shape[axis] for each in crops} for axis in (0, 1))
    assert heights >= {3, 4, 5} and min(heights) >= 2 and widths == {2, 3, 4}
    for crop in crops:
        height, width, _ = crop.shape
        parts = [
            IMAGE[top : top + height, left : left + width]
            for top in range(6 - height)
            for left in range(5 - width)
        ]
        assert any(np.array_equal(crop, part) for part in parts)
    corners = {crop[0, 0, 0] for crop in crops if crop.shape[:2] == (3, 2)}
    assert len(corners) > 2


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_colours(channels):
    image = np.concatenate([IMAGE, IMAGE[..., :1]], axis=-1)[..., :channels]
    changed = np.stack(change(image, 50, colour=0.1))
    assert changed.min() >= 0 and changed.max() <= 255
    difference = np.abs(changed - image).max(axis=(1, 2, 3))
    assert 0 < difference.max() < 70 and len(np.unique(difference)) > 40
    if channels == 4:
        assert np.array_equal(changed[..., 3], np.stack([image[..., 3]] * 50))


def test_the_seed_decides():
    everything = {"flip": 0.5, "crop": 0.8, "colour": 0.1}
    assert all(map(np.array_equal, change(IMAGE, **everything), change(IMAGE, **everything)))


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"flip": 2}, "Augmentation.flip is 2; it must be a fraction, at most 1."),
        (
            {"crop": 0},
            "Augmentation.crop is 0; it must be a fraction, at most 1 and more than 0.",
        ),
        ({"colour": "a"}, "Augmentation.colour is 'a'; it must be a number."),
        ({"colour": -0.5}, "Augmentation.colour is -0.5; it must be at least 0."),
    ],
)
def test_wrong_settings(setting, message):
    with pytest.raises(errors.ModelError) as caught:
        Augmentation(**setting)
    assert str(caught.value) == message
