"""Publishes a module that standardizes columns of numbers, measured in a table.

python -m examples.numbers_module.export --table=out/numbers/train.csv \\
    --columns=words,capitals,exclamations,questions --export_path=out/numbers_module
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
        "table", None, "A CSV file with named columns.", flag_values=values, required=True
    )
    flags.DEFINE_list(
        "columns", None, "The names of columns of numbers.", flag_values=values, required=True
    )
    flags.DEFINE_string(
        "export_path", None, "The folder of the new module.", flag_values=values, required=True
    )
    return values


def run(argv: Sequence[str]) -> int:
    """Runs the command; `argv` starts with the program's name. Returns the exit status."""
    return commands.run(_export, define_flags(), argv, str(__doc__))


def _export(values: flags.FlagValues) -> None:
    # TensorFlow is imported from here on: --help need not wait for it.
    from examples import publishing
    from examples.numbers_module import module

    path = publishing.check_free(values.export_path, table=values.table)
    statistics = module.measure(values.table, values.columns)
    print(module.publish(statistics, path))
    for column, mean, deviation in zip(*statistics, strict=True):
        print(f"  {column:14} mean {mean:9.4f}  standard deviation {deviation:9.4f}")


if __name__ == "__main__":
    sys.exit(run(sys.argv))
