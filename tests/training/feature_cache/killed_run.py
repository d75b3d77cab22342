"""A computation that is killed while it writes its third shard: `killed_run.py MODULE FOLDER`."""

from __future__ import annotations

import os
import signal
import sys

import numpy as np

from hub_estimator.training.example_spec import ExampleSpec
from hub_estimator.training.feature_cache import FeatureCache
from hub_estimator.training.inputs.text_file import TextFile
from hub_estimator.training.labels.one_class import OneClass
from hub_estimator.training.model.encoders import Encoder

ROWS = 9000


def cache(folder, name="features") -> FeatureCache:
    return FeatureCache(os.path.join(folder, name))


def outputs(module, folder, name="features"):
    """The outputs of an encoder for 9,000 texts, three shards."""
    path = os.path.join(folder, "texts.csv")
    with open(path, "w", encoding="utf-8") as file:
        file.write("text,label\n" + "".join(f"text {number},0\n" for number in range(ROWS)))
    encoder = Encoder(module)
    spec = ExampleSpec(encoder.feature_specs(), OneClass(2))
    return cache(folder, name).outputs(encoder, "train", TextFile(path), spec, is_worth_it=True)


def main() -> None:
    save, saved = np.save, []

    def save_until_killed(file, values, **options):
        saved.append(values)
        if len(saved) < 3:
            return save(file, values, **options)
        file.write(b"half of a shard")
        file.flush()
        os.kill(os.getpid(), signal.SIGKILL)

    np.save = save_until_killed
    outputs(*sys.argv[1:])


if __name__ == "__main__":
    main()
