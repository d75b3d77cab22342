"""`LatestModuleExporter.export` after a step of training on a frozen module."""

from __future__ import annotations

import os
import tempfile
from typing import Any

from benchmarks.programs import common, estimators


def measure(library: Any, module: str, folder: str) -> dict[str, float]:
    clock = common.Clock()
    estimator = estimators.api().Estimator(
        estimators.model_fn(library, module, trainable=False), os.path.join(folder, "model")
    )
    estimator.train(estimators.input_fn(library, module, batch=1), max_steps=1)
    serving = estimators.serving_input_fn(library, module)
    exporter = library.LatestModuleExporter("latest", serving)
    with clock("export"):
        path = os.fsdecode(exporter.export(estimator, os.path.join(folder, "export")))
    assert os.path.exists(os.path.join(path, "module", "tfhub_module.pb"))
    return clock.seconds


def main() -> None:
    arguments = common.parser(__doc__).parse_args()
    library = common.load(arguments.library)
    with tempfile.TemporaryDirectory() as folder:
        common.report(**measure(library, arguments.module, folder))


if __name__ == "__main__":
    main()
