"""Steps per second of a classifier on a frozen image module, which runs in each step.

It is what `train_images` trains, without the feature cache. How many threads TensorFlow has is for
whoever starts the program to say.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import tempfile

import hub_estimator
from benchmarks.programs import common, train_images

_LOGGED = 4  # steps between two speeds in the logs


def measure(module: str, steps: int, count: int = 2 * train_images.BATCH) -> dict[str, float]:
    """Returns the steps and the images per second, and how many cores the program used.

    Args:
      module: the module's folder.
      steps: how many steps; the first ones are in no speed.
      count: how many images there are.
    """
    from hub_estimator import training

    size = hub_estimator.get_expected_image_size(hub_estimator.load_module_spec(module))
    clock = common.Clock()
    with tempfile.TemporaryDirectory() as folder:
        images, model_dir = os.path.join(folder, "images"), os.path.join(folder, "model")
        train_images.write_images(images, size, count)
        made = train_images.experiment(module, images, folder, steps)
        each_step = dataclasses.replace(made, feature_cache=False, log_every_steps=_LOGGED)
        before = common.processor_seconds()
        with clock("seconds"):
            training.train_and_evaluate(each_step, model_dir)
        cores = (common.processor_seconds() - before) / clock.seconds["seconds"]
        speed = common.steps_per_second(model_dir)
    return {
        "steps_per_second": speed,
        "images_per_second": speed * train_images.BATCH,
        "cores": cores,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--module", required=True, help="the folder of an image module")
    parser.add_argument("--steps", type=int, default=24)
    given = parser.parse_args()
    common.report(**measure(given.module, given.steps))


if __name__ == "__main__":
    main()
