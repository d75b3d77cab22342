"""The most memory of a process that loads an image module and runs one batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks.programs import common

tf1 = tf.compat.v1


def run(library: Any, module: str, batch: int) -> None:
    """Computes the features of `batch` random images."""
    with tf.Graph().as_default():
        made = library.Module(module)
        ((name, info),) = made.get_input_info_dict().items()
        images = tf1.placeholder(info.dtype, info.get_shape())
        features = made({name: images})
        values = np.random.RandomState(1).uniform(size=[batch, *info.get_shape()[1:]])
        with tf1.Session() as session:
            session.run(tf1.global_variables_initializer())
            session.run(features, {images: values})


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--batch", type=int, default=8, help="images")
    arguments = parser.parse_args()
    library = common.load(arguments.library)
    before = common.peak_megabytes()
    clock = common.Clock()
    with clock("seconds"):
        run(library, arguments.module, arguments.batch)
    peak = common.peak_megabytes()
    common.report(peak=peak, added=peak - before, **clock.seconds)


if __name__ == "__main__":
    main()
