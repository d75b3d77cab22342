"""Converts a TF1 Hub module for TF2 or for serving, and what TF2 has to a TF1 Hub module.

    python -m hub_estimator.convert --module=/modules/text/1 --to=tf2 --export_path=/models/text
    python -m hub_estimator.convert --module=/modules/text/1 --to=serving --export_path=/models/text/1
    python -m hub_estimator.convert --module=model.keras --to=tf1 --export_path=/modules/mine
    python -m hub_estimator.convert --module=/modules/text/1 --to=tf1 --checkpoint=/tmp/model \\
        --export_path=/modules/tuned

What cannot be converted is refused before anything is written. The folder appears whole or not at
all; what is in it is printed. Opening a .keras file runs no code that it brings.

Exit status: 0 converted; 1 an error, in one line that starts with `error:`; 2 wrong flags; 130 or
143 stopped by Ctrl-C or SIGTERM.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Sequence
from typing import Any

from absl import flags

from hub_estimator import command_line

_TARGETS = {
    "tf1": "a TF1 Hub module",
    "tf2": "a TF2 SavedModel that programs call and train",
    "serving": "a SavedModel with the tag 'serve'",
}


class _CallableModule(types.ModuleType):
    """This module, where a program imports it and then calls `hub_estimator.convert`.

    Python gives the package's name `convert` to this module once it is imported; without that, it is
    the function.
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Does what `hub_estimator.conversion.converting.convert` does."""
        from hub_estimator.conversion import converting

        return converting.convert(*args, **kwargs)


sys.modules[__name__].__class__ = _CallableModule


def define_flags() -> flags.FlagValues:
    """Returns this command's flags; nothing is defined in absl's global flags."""
    values = flags.FlagValues()
    flags.DEFINE_string(
        "module", None, "What to convert: a handle (a folder or a URL) of a TF1 Hub module or a "
        "SavedModel, or a .keras file.", flag_values=values, required=True,
    )  # fmt: skip
    flags.DEFINE_enum(
        "to", None, list(_TARGETS), "What to make of it: "
        f"{', '.join(f'{name}, {what}' for name, what in _TARGETS.items())}.",
        flag_values=values, required=True,
    )  # fmt: skip
    flags.DEFINE_string(
        "export_path", None, "The folder to make.", flag_values=values, required=True
    )
    flags.DEFINE_string(
        "checkpoint", None, "--to=tf1: the checkpoint of a training with the TF1 Hub module, whose "
        "values it gets: a prefix, or a folder for its latest one.", flag_values=values,
    )  # fmt: skip
    flags.DEFINE_string(
        "scope", None, "--checkpoint: the scope of the module's variables in it, such as 'module'. By "
        "default the one that has them all.", flag_values=values,
    )  # fmt: skip
    return values


def run(argv: Sequence[str]) -> int:
    """Runs the command.

    Args:
      argv: the program's name and its flags.

    Returns:
      The exit status.
    """
    return command_line.run(_convert, define_flags(), argv, str(__doc__))


def _convert(values: flags.FlagValues) -> None:
    with command_line.quiet_start():
        import tensorflow as tf

        from hub_estimator.conversion.converting import convert

        tf.config.list_physical_devices()  # where there is no GPU, looking for one is noisy
    made = convert(
        values.module,
        values.export_path,
        to=values.to,
        checkpoint_path=values.checkpoint,
        scope=values.scope,
    )
    print(made.text(), end="")


if __name__ == "__main__":
    command_line.main(run)
