"""One task of a cluster: `cluster_task.py <model_dir> <strategy>`, with `TF_CONFIG` set."""

from __future__ import annotations

import sys

import tensorflow as tf

from hub_estimator import estimator
from tests.compat import tiny

STRATEGIES = {
    "none": lambda: None,
    "multi_worker": tf.distribute.MultiWorkerMirroredStrategy,
    "mirrored": tf.distribute.MirroredStrategy,
    "parameter_server": tf.compat.v1.distribute.experimental.ParameterServerStrategy,
}


def main(folder: str, strategy: str) -> None:
    model = tiny.make(
        folder,
        train_distribute=STRATEGIES[strategy](),
        save_checkpoints_steps=10,
        keep_checkpoint_max=10,  # all: an evaluator may be slow to begin with the first
        experimental_max_worker_delay_secs=0,
    )
    estimator.train_and_evaluate(
        model,
        estimator.TrainSpec(tiny.input_fn, max_steps=60),
        estimator.EvalSpec(tiny.one_batch, start_delay_secs=0, throttle_secs=1),
    )
    step = model.get_variable_value("global_step")
    print(f"done at step {step} with w = {model.get_variable_value('w')[0]:.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
