"""Ten epochs of training the last layers of an encoder: what comes before them once, or in each step.

Both are ours, in one process, in turn: a layer of logits and the module's variables whose names a
regular expression is found in are trained with Adam on the same token ids, of 16 to 64 tokens where
the module takes any number.
"""

from __future__ import annotations

import os
import tempfile
from typing import Any

import numpy as np
import tensorflow as tf

import hub_estimator
from benchmarks.programs import common

tf1 = tf.compat.v1
TEXTS, EPOCHS, BATCH, TOKENS, LEARNING_RATE = 960, 10, 32, 64, 1e-4
_LOGGED = 10  # steps between two speeds in the logs


def measure(
    module: str, trainable: str, texts: int = TEXTS, epochs: int = EPOCHS
) -> dict[str, float]:
    """Returns the seconds of both, and of the processors; with / without of all, and of a step.

    Args:
      module: the module's folder. Its signature takes token ids, and maybe a mask.
      trainable: the regular expression.
      texts: how many there are.
      epochs: how often each is seen.
    """
    clock = common.Clock()
    processors, speeds = {}, {}
    steps = -(-texts * epochs // BATCH)
    with tempfile.TemporaryDirectory() as folder:
        data = examples(module, texts)
        train(module, trainable, data, 1, os.path.join(folder, "first"), False)  # to load kernels
        for name in ("without", "with"):
            before, where = common.processor_seconds(), os.path.join(folder, name)
            with clock(name):
                train(module, trainable, data, steps, where, name == "with")
            processors[f"{name}_processors"] = common.processor_seconds() - before
            speeds[name] = common.steps_per_second(where)
    ratio = clock.seconds["with"] / clock.seconds["without"]
    ratios = {"ratio": ratio, "steps": speeds["without"] / speeds["with"]}
    return {**clock.seconds, **processors, **ratios}


def examples(module: str, count: int) -> dict[str, Any]:
    """Returns random values of the module's inputs, all of whole numbers."""
    random = np.random.RandomState(1)
    lengths = random.randint(TOKENS // 4, TOKENS + 1, count)
    found: dict[str, Any] = {}
    inputs = hub_estimator.load_module_spec(module).get_input_info_dict()
    for name, info in inputs.items():
        highest = 2 if "mask" in name else 5000
        rows = [random.randint(1, highest, length) for length in lengths]
        if info.get_shape()[1] is not None:
            rows = np.stack([np.resize(row, info.get_shape()[1]) for row in rows])
        found[name] = rows
    return found


def train(
    module: str, trainable: str, data: dict[str, Any], steps: int, folder: str, is_stored: bool
) -> None:
    """Trains, and evaluates once at the end."""
    from hub_estimator import training

    hub_estimator.compat.install()
    names = {name: name for name in data}
    labels = np.arange(len(next(iter(data.values())))) % 2
    given = training.Arrays(data, labels, batch_size=BATCH)
    encoder = training.Encoder(module, feature=names, trainable=trainable, tags=[])
    experiment = training.Experiment(
        training.Model(
            encoders=[encoder],
            head=training.BinaryClassHead(),
            optimization=training.Optimization(tf1.train.AdamOptimizer, LEARNING_RATE),
        ),
        train_input=given,
        eval_input=given,
        max_steps=steps,
        eval_every_steps=steps,
        feature_cache=is_stored and training.FeatureCache(f"{folder}_features"),
        log_every_steps=_LOGGED,
    )
    training.train_and_evaluate(experiment, folder)


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--trainable", required=True, help="what is trained, a regular expression")
    parser.add_argument("--texts", type=int, default=TEXTS)
    given = parser.parse_args()
    common.load(given.library)
    common.report(**measure(given.module, given.trainable, given.texts))


if __name__ == "__main__":
    main()
