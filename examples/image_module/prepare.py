"""Writes the second half of scikit-learn's digits as folders of PNG images, one per class.

python -m examples.image_module.prepare --folder=out/digits
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
        "folder", None, "Where the folders train and test go.", flag_values=values, required=True
    )
    return values


def run(argv: Sequence[str]) -> int:
    """Runs the command; `argv` starts with the program's name. Returns the exit status."""
    return commands.run(_prepare, define_flags(), argv, str(__doc__))


def _prepare(values: flags.FlagValues) -> None:
    from examples.image_module import digits

    print(digits.write_folders(values.folder))


if __name__ == "__main__":
    sys.exit(run(sys.argv))
