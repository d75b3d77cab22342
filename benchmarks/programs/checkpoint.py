"""The size of a checkpoint of a model on a frozen module, and the time to save it.

With `--without_frozen` ours leaves the module's variables out, as `Model.save_frozen = False` does;
the peer cannot, and saves them.
"""

from __future__ import annotations

import glob
import os
import tempfile
from typing import Any

import tensorflow as tf

from benchmarks.programs import common, estimators

tf1 = tf.compat.v1


def measure(
    library: Any, module: str, folder: str, without_frozen: bool = False
) -> dict[str, float]:
    clock = common.Clock()
    build = estimators.model_fn(library, module, trainable=False)
    with tf.Graph().as_default(), tf1.Session() as session:
        features, labels = tf1.data.make_one_shot_iterator(
            estimators.input_fn(library, module, batch=1)()
        ).get_next()
        build(features, labels, "train")
        saver = _saver_without_frozen() if without_frozen else tf1.train.Saver(sharded=True)
        session.run(tf1.global_variables_initializer())
        prefix = os.path.join(folder, "model.ckpt")
        saver.save(session, prefix)  # the first one warms up what is used
        with clock("save"):
            saver.save(session, prefix)
    size = sum(os.path.getsize(path) for path in glob.glob(f"{prefix}.*"))
    return {**clock.seconds, "megabytes": size / 2**20}


def _saver_without_frozen() -> tf1.train.Saver:
    from hub_estimator.training.model import frozen_variables

    scaffold = frozen_variables.scaffold("train")
    assert scaffold is not None
    return scaffold.saver


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--without_frozen", action="store_true")
    given = parser.parse_args()
    library = common.load(given.library)
    with tempfile.TemporaryDirectory() as folder:
        without_frozen = given.without_frozen and given.library == "hub_estimator"
        common.report(**measure(library, given.module, folder, without_frozen))


if __name__ == "__main__":
    main()
