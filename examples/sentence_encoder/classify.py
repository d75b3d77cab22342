"""Trains a classifier of texts on a sentence encoder module; also the encoder's last layers.

python -m examples.sentence_encoder.classify --module=out/sentence_encoder \\
    --train_data=out/ids/train.jsonl --eval_data=out/ids/test.jsonl --model_dir=out/sentences
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from absl import flags

import hub_estimator as hub
from examples import commands

if TYPE_CHECKING:
    from hub_estimator.training.model.model_fn import Model

# For Adam. The head's is high, because embeddings have length 1; the module learns at 5e-5, one of
# the rates that BERT's authors fine-tune with.
LEARNING_RATE, MULTIPLIER = 0.05, 0.001


def define_flags() -> flags.FlagValues:
    """Returns this command's flags; nothing is defined in absl's global flags."""
    values = flags.FlagValues()
    texts = {
        "module": "The sentence encoder module.",
        "train_data": "Lines of JSON with input_ids and label (0 or 1) to train on.",
        "eval_data": "The same, held out.",
        "model_dir": "The folder for checkpoints and exports; run again, training goes on.",
    }
    for name, help_text in texts.items():
        flags.DEFINE_string(name, None, help_text, flag_values=values, required=True)
    flags.DEFINE_string(
        "fine_tune", None,
        "A regular expression: the module's variables with such names are trained too.",
        flag_values=values,
    )  # fmt: skip
    numbers = {"max_steps": (100, "Optimizer steps."), "batch_size": (32, "Texts a step.")}
    for name, (default, help_text) in numbers.items():
        flags.DEFINE_integer(name, default, help_text, lower_bound=1, flag_values=values)
    return values


def run(argv: Sequence[str]) -> int:
    """Runs the command; `argv` starts with the program's name. Returns the exit status."""
    return commands.run(_classify, define_flags(), argv, str(__doc__))


def _classify(values: flags.FlagValues) -> None:
    # TensorFlow is imported from here on: --help need not wait for it.
    from hub_estimator import training

    train_input, eval_input = (
        training.JsonlFile(path, {"input_ids": "input_ids"}, batch_size=values.batch_size)
        for path in (values.train_data, values.eval_data)
    )
    experiment = training.Experiment(
        make_model(values.module, values.fine_tune),
        train_input,
        eval_input,
        max_steps=values.max_steps,
        eval_every_steps=values.max_steps,
        exporters=[functools.partial(hub.LatestModuleExporter, "module", exports_to_keep=1)],
        log_every_steps=20,
    )
    result = training.train_and_evaluate(experiment, values.model_dir)
    print(f"accuracy on {eval_input.num_examples} held-out texts: {result.metrics['accuracy']:.4f}")
    print(f"exported module: {result.modules[0]}")


def make_model(handle: str, fine_tune: str | None) -> Model:
    """Returns a classifier of two classes on a sentence encoder, to train in any way.

    Args:
      handle: the module.
      fine_tune: which of its variables are trained, a regular expression; None trains none.
    """
    import tensorflow as tf

    from hub_estimator.training.model.encoders import Encoder
    from hub_estimator.training.model.model_fn import Model
    from hub_estimator.training.optimization.optimization import Optimization

    encoder = Encoder(
        handle,
        feature="input_ids",
        signature="tokens",
        trainable=fine_tune or False,
        learning_rate_multiplier=MULTIPLIER,
        export_name="sentence_encoder",
    )
    return Model(
        encoders=[encoder],
        head=hub.estimator.BinaryClassHead(),
        optimization=Optimization(
            tf.compat.v1.train.AdamOptimizer, LEARNING_RATE, warm_up_steps=10, clip_norm=1.0
        ),
    )


if __name__ == "__main__":
    sys.exit(run(sys.argv))
