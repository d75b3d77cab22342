"""Which TensorFlow this is."""

from __future__ import annotations

import pytest
import tensorflow as tf

from hub_estimator import compat
from hub_estimator.compat import releases


@pytest.mark.parametrize(
    "text, numbers",
    [("2.15.1", (2, 15, 1)), ("2.16.0-rc1", (2, 16, 0)), ("2.21.0-dev20260101", (2, 21, 0))],
)
def test_reads_versions(text, numbers):
    assert releases.parse_version(text) == numbers


def test_knows_this_release():
    assert ".".join(map(str, compat.tf_version())) in tf.__version__
    assert compat.ships_estimator() == (compat.tf_version()[:2] == (2, 15))
