"""The benchmark of reading images, on a few."""

from __future__ import annotations

import pytest

from benchmarks.programs import decode_images


@pytest.fixture(autouse=True)
def fresh_graph():
    """Keras works eagerly: no default graph here, unlike in other tests."""


@pytest.mark.parametrize("reader", decode_images.READERS)
def test_decode_images(reader):
    assert decode_images.measure(reader, count=decode_images.CLASSES)["images_per_second"] > 0
