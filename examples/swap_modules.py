"""Trains the same text classifier on several modules, one after the other, and prints one table.

python -m examples.swap_modules --module=out/module --module=out/token_embeddings \\
    --train_data=out/reviews/train.csv --eval_data=out/reviews/test.csv --model_dir=out/swapped
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from absl import flags

import hub_estimator as hub
from examples import commands
from hub_estimator import errors, files

if TYPE_CHECKING:
    from hub_estimator.training.model.model_fn import Model


_SAME_FOLDER = (
    "The models of the modules %r and %r would have one folder, %s. Give each a --model_dir of its "
    "own."
)


class SameFolderError(errors.Error, ValueError):
    """The handles of two modules give one name of a folder."""


def define_flags() -> flags.FlagValues:
    """Returns this command's flags; nothing is defined in absl's global flags."""
    values = flags.FlagValues()
    flags.DEFINE_multi_string(
        "module", None, "A text module; give the flag again for each.", flag_values=values,
        required=True,
    )  # fmt: skip
    texts = {
        "train_data": "A CSV file with the columns text and label (0 or 1) to train on.",
        "eval_data": "The same, held out.",
        "model_dir": "The folder in which each model gets a folder; run again, training goes on.",
    }
    for name, help_text in texts.items():
        flags.DEFINE_string(name, None, help_text, flag_values=values, required=True)
    flags.DEFINE_integer(
        "max_steps", 500, "Optimizer steps for each module.", lower_bound=1, flag_values=values
    )
    flags.DEFINE_bool("fine_tune", False, "Whether modules are trained too.", flag_values=values)
    return values


def run(argv: Sequence[str]) -> int:
    """Runs the command; `argv` starts with the program's name. Returns the exit status."""
    return commands.run(_swap, define_flags(), argv, str(__doc__))


def _swap(values: flags.FlagValues) -> None:
    # TensorFlow is imported from here on: --help need not wait for it.
    from hub_estimator import training

    results = {}
    for handle, name in folder_names(values.module).items():
        experiment = training.Experiment(
            make_model(handle, values.fine_tune),
            training.TextFile(values.train_data),
            training.TextFile(values.eval_data),
            max_steps=values.max_steps,
            eval_every_steps=values.max_steps,
            exporters=[functools.partial(hub.LatestModuleExporter, "module", exports_to_keep=1)],
        )
        model_dir = files.join(files.as_path(values.model_dir), name)
        results[handle] = training.train_and_evaluate(experiment, model_dir)
    print("accuracy  module")
    for handle, result in sorted(results.items(), key=lambda item: -item[1].metrics["accuracy"]):
        print(f"  {result.metrics['accuracy']:.4f}  {handle}")


def make_model(handle: str, fine_tune: bool) -> Model:
    """Returns a classifier of two classes on a text module, to train in any way."""
    import tensorflow as tf

    from hub_estimator.training.model.encoders import Encoder
    from hub_estimator.training.model.layers import DenseLayers
    from hub_estimator.training.model.model_fn import Model
    from hub_estimator.training.optimization.optimization import Optimization

    return Model(
        encoders=[Encoder(handle, trainable=fine_tune, export_name="text")],
        layers=DenseLayers(units=[256], dropout=0.3),
        head=hub.estimator.BinaryClassHead(),
        optimization=Optimization(tf.compat.v1.train.AdagradOptimizer, learning_rate=0.05),
    )


def folder_names(handles: Sequence[str]) -> dict[str, str]:
    """Returns the names of the folders for the modules' models, by handle.

    Raises:
      SameFolderError: two modules would have one.
      errors.InvalidPathNameError: a handle gives none.
    """
    names = {handle: folder_name(handle) for handle in handles}
    for handle, name in names.items():
        files.check_name(f"The folder of the module {handle!r}", name)
        others = [other for other in names if other != handle and names[other] == name]
        if others:
            raise SameFolderError(_SAME_FOLDER % (handle, others[0], name))
    return names


def folder_name(handle: str) -> str:
    """Returns the name of the folder for a module's model: the letters and digits of its handle."""
    return re.sub(r"[^A-Za-z0-9.-]+", "_", handle).strip("_.")


if __name__ == "__main__":
    sys.exit(run(sys.argv))
