"""Both ways in which TensorFlow builds conditions."""

from __future__ import annotations

import pytest
import tensorflow as tf


@pytest.fixture(params=["control flow v1", "control flow v2"])
def control_flow(request):
    """Builds graphs as old programs do, and as new ones."""
    was_v2 = tf.compat.v1.control_flow_v2_enabled()
    switch = {
        True: tf.compat.v1.enable_control_flow_v2,
        False: tf.compat.v1.disable_control_flow_v2,
    }
    switch[request.param.endswith("v2")]()
    yield
    switch[was_v2]()
