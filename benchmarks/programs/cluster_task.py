"""One task of a cluster in which a model is trained; the environment variable `TF_CONFIG` says which.

Its steps wait, as if they needed an accelerator: what a cluster adds to them is what is measured. It
trains until somebody ends it, and writes the time of each of its steps into a file.
"""

from __future__ import annotations

import argparse
import functools
import time
from typing import Any

import tensorflow as tf

import hub_estimator
from benchmarks.programs import cluster_models

tf1 = tf.compat.v1
STRATEGIES = ("alone", "multi_worker", "parameter_server")
EXAMPLES = 512
_ENDLESS = 10_000_000  # steps


class WaitingHook(tf1.train.SessionRunHook):
    """Lets each step of a task wait, and writes down when the step is over.

    Args:
      secs: how long each waits.
      path: the file; a line has the seconds of the machine's monotonic clock.
    """

    def __init__(self, secs: float, path: str) -> None:
        self._secs, self._path = secs, path

    def before_run(self, run_context: Any) -> None:
        """Waits."""
        del run_context
        time.sleep(self._secs)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Writes a line."""
        del run_context, run_values
        with open(self._path, "a", encoding="utf-8") as file:
            file.write(f"{time.monotonic():.4f}\n")


def experiment(
    module: str, is_frozen: bool, strategy: str, batch: int, secs: float, steps_path: str,
    steps: int = _ENDLESS,
) -> Any:  # fmt: skip
    """Returns what is trained.

    Args:
      module: the folder of a module of `cluster_models`.
      is_frozen: whether it stays as it is.
      strategy: one of `STRATEGIES`.
      batch: how many examples a step takes.
      secs: how long it waits.
      steps_path: where each step is written down.
      steps: how many.
    """
    from hub_estimator import training

    hub_estimator.compat.install()
    values = cluster_models.examples(module, EXAMPLES)
    labels = [number % 2 for number in range(EXAMPLES)]
    given = training.Arrays({cluster_models.FEATURE: values}, labels, batch_size=batch)
    encoder = training.Encoder(module, feature=cluster_models.FEATURE, trainable=not is_frozen)
    mirrored = tf.distribute.MultiWorkerMirroredStrategy
    return training.Experiment(
        training.Model(
            encoders=[encoder],
            head=training.BinaryClassHead(),
            optimization=training.Optimization(tf1.train.AdagradOptimizer, 0.001),
        ),
        train_input=given,
        eval_input=given,
        max_steps=steps,
        eval_every_steps=steps,
        feature_cache=False,
        hooks=[functools.partial(WaitingHook, secs, steps_path)],
        distribute=mirrored if strategy == "multi_worker" else None,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--module", required=True, help="the folder that cluster_models made")
    parser.add_argument("--frozen", action="store_true", help="trains the head alone")
    parser.add_argument("--strategy", required=True, choices=STRATEGIES)
    parser.add_argument("--batch", type=int, required=True, help="examples of a step")
    parser.add_argument("--wait", type=float, required=True, help="seconds that a step waits")
    parser.add_argument("--model_dir", required=True)
    parser.add_argument("--steps_path", required=True, help="where each step is written down")
    given = parser.parse_args()
    from hub_estimator import training

    made = experiment(
        given.module, given.frozen, given.strategy, given.batch, given.wait, given.steps_path
    )
    training.train_and_evaluate(made, given.model_dir)


if __name__ == "__main__":
    main()
