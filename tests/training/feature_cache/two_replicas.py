"""Trains on two replicas with the module in each step, its ids stored, and its ids computed ahead.

    python -m tests.training.feature_cache.two_replicas MODULE FOLDER

Prints as JSON what was said of the encoder, and the largest difference of a value, of both to the first.
"""

from __future__ import annotations

import json
import logging
import os
import sys

from hub_estimator.training.feature_cache import FeatureCache
from hub_estimator.training.model.encoders import Encoder
from tests.training import runs
from tests.training.feature_cache.test_ahead import STEPS, Stream, model_of, texts
from tests.training.feature_cache.test_trained_encoders import values

import tensorflow as tf  # isort: skip  after hub_estimator, which chooses legacy Keras


def strategy():
    return tf.distribute.MirroredStrategy(
        ["/cpu:0", "/cpu:1"], cross_device_ops=tf.distribute.ReductionToOneDevice()
    )


def main(module: str, folder: str) -> None:
    said: list[str] = []

    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage().rpartition(" in ")[0] or record.getMessage())

    logger = logging.getLogger("hub_estimator")
    logger.setLevel(logging.INFO)
    logger.addHandler(Keeping())
    cache = FeatureCache(f"{folder}/features")
    found = []
    for name, given, kept in [
        ("plain", texts(), False), ("stored", texts(), cache), ("ahead", Stream(texts()), cache)
    ]:  # fmt: skip
        result = runs.train(
            f"{folder}/{name}", model_of(Encoder(module, trainable=True)), given, given, STEPS, STEPS,
            feature_cache=kept, distribute=strategy,
        )  # fmt: skip
        found.append(values(result.checkpoint))
    differences = [
        max(float(abs(each[name] - value).max()) for name, value in found[0].items())
        for each in found[1:]
    ]
    print(json.dumps([[each for each in said if "computed" in each], differences]))


if __name__ == "__main__":
    os.sched_getaffinity = lambda pid: {0, 1}  # whatever this machine has
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    main(*sys.argv[1:])
