"""The size of a checkpoint of a model on a frozen module, and the time to save it."""

from __future__ import annotations

import glob
import os
import tempfile
from typing import Any

import tensorflow as tf

from benchmarks.programs import common, estimators

tf1 = tf.compat.v1


def measure(library: Any, module: str, folder: str) -> dict[str, float]:
    clock = common.Clock()
    build = estimators.model_fn(library, module, trainable=False)
    with tf.Graph().as_default(), tf1.Session() as session:
        features, labels = tf1.data.make_one_shot_iterator(
            estimators.input_fn(library, module, batch=1)()
        ).get_next()
        build(features, labels, "train")
        saver = tf1.train.Saver(sharded=True)
        session.run(tf1.global_variables_initializer())
        prefix = os.path.join(folder, "model.ckpt")
        saver.save(session, prefix)  # the first one warms up what is used
        with clock("save"):
            saver.save(session, prefix)
    size = sum(os.path.getsize(path) for path in glob.glob(f"{prefix}.*"))
    return {**clock.seconds, "megabytes": size / 2**20}


def main() -> None:
    arguments = common.parser(__doc__).parse_args()
    library = common.load(arguments.library)
    with tempfile.TemporaryDirectory() as folder:
        common.report(**measure(library, arguments.module, folder))


if __name__ == "__main__":
    main()
