"""`Module.export` from a session."""

from __future__ import annotations

import os
import tempfile
from typing import Any

import tensorflow as tf

from benchmarks.programs import common


def measure(library: Any, module: str, folder: str) -> dict[str, float]:
    clock = common.Clock()
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        made = library.Module(module)
        session.run(tf.compat.v1.global_variables_initializer())
        with clock("export"):
            made.export(os.path.join(folder, "exported"), session)
    return clock.seconds


def main() -> None:
    arguments = common.parser(__doc__).parse_args()
    library = common.load(arguments.library)
    with tempfile.TemporaryDirectory() as folder:
        common.report(**measure(library, arguments.module, folder))


if __name__ == "__main__":
    main()
