"""Trains an image module on the digits 0 to 4 of scikit-learn's first half, and publishes it.

python -m examples.image_module.export --export_path=out/digits_module
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from absl import flags

from examples import commands


def define_flags() -> flags.FlagValues:
    """Returns this command's flags; nothing is defined in absl's global flags."""
    values = flags.FlagValues()
    flags.DEFINE_string(
        "export_path", None, "The folder of the new module.", flag_values=values, required=True
    )
    flags.DEFINE_integer(
        "epochs", 30, "How often it sees each image.", lower_bound=1, flag_values=values
    )
    return values


def run(argv: Sequence[str]) -> int:
    """Runs the command; `argv` starts with the program's name. Returns the exit status."""
    return commands.run(_export, define_flags(), argv, str(__doc__))


def _export(values: flags.FlagValues) -> None:
    # TensorFlow is imported from here on: --help need not wait for it.
    from examples import publishing
    from examples.image_module import digits, training

    path = publishing.check_free(values.export_path)
    accuracy, held_out = training.train_and_publish(digits.load().pretrain, path, values.epochs)
    print(f"{path}\naccuracy on {held_out} images that it did not learn from: {accuracy:.4f}")


if __name__ == "__main__":
    sys.exit(run(sys.argv))
