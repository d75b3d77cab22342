"""Trains a text classifier on a module as it is, and in three ways that train the module too.

python -m examples.fine_tune --module=out/module --train_data=out/reviews/train.csv \\
    --eval_data=out/reviews/test.csv --model_dir=out/fine_tune

Each is text_classification.gin with one or two settings more: what `python -m hub_estimator.train`
does with `--gin_bindings`, done from Python.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from absl import flags

from examples import commands
from hub_estimator import files, training

CONFIG = "text_classification.gin"


class Regime(NamedTuple):
    """One way to train.

    Attributes:
      folder: the name of its model's folder.
      bindings: the settings that make it.
    """

    folder: str
    bindings: tuple[str, ...]


def define_flags() -> flags.FlagValues:
    """Returns this command's flags; nothing is defined in absl's global flags."""
    values = flags.FlagValues()
    texts = {
        "module": "The text module.",
        "train_data": "A CSV file with the columns text and label (0 or 1) to train on.",
        "eval_data": "The same, held out.",
        "model_dir": "The folder in which each model gets a folder; run again, training goes on.",
    }
    for name, help_text in texts.items():
        flags.DEFINE_string(name, None, help_text, flag_values=values, required=True)
    flags.DEFINE_integer(
        "max_steps", 500, "Optimizer steps for each.", lower_bound=2, flag_values=values
    )
    return values


def run(argv: Sequence[str]) -> int:
    """Runs the command; `argv` starts with the program's name. Returns the exit status."""
    return commands.run(_fine_tune, define_flags(), argv, str(__doc__))


def _fine_tune(values: flags.FlagValues) -> None:
    print("accuracy  settings")
    for regime in regimes(values.max_steps):
        macros = {
            "MODULE": values.module,
            "TRAIN_DATA": values.train_data,
            "EVAL_DATA": values.eval_data,
            "MAX_STEPS": values.max_steps,
        }
        model_dir = files.join(files.as_path(values.model_dir), regime.folder)
        accuracy = train(model_dir, macros, regime.bindings)
        print(f"  {accuracy:.4f}  {', '.join(regime.bindings)}")


def regimes(max_steps: int) -> list[Regime]:
    """Returns the ways to train.

    The module as it is; trained like the layers on top of it; trained at a tenth of their learning
    rate; and trained only once they have learned what to do with it.
    """
    later = f"Encoder.train_from_step = {max_steps // 2}"
    return [
        Regime("frozen", ("FINE_TUNE = False",)),
        Regime("tuned", ("FINE_TUNE = True",)),
        Regime("slowly", ("FINE_TUNE = True", "Encoder.learning_rate_multiplier = 0.1")),
        Regime("later", ("FINE_TUNE = True", later)),
    ]


def train(model_dir: str, macros: Mapping[str, str | int], bindings: Sequence[str]) -> float:
    """Trains, evaluates and exports as the packaged configuration says; returns the accuracy.

    Args:
      model_dir: the folder for checkpoints and exports.
      macros: values of the configuration's own settings, such as `MODULE`.
      bindings: further settings, as gin files have them.
    """
    given = [f"{name} = {value!r}" for name, value in macros.items()]
    # TensorFlow is imported from here on: --help need not wait for it.
    with training.from_gin([CONFIG], [*given, *bindings]) as experiment:
        result = training.train_and_evaluate(experiment, model_dir)
    return float(result.metrics["accuracy"])


if __name__ == "__main__":
    sys.exit(run(sys.argv))
