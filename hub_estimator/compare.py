"""Compares runs: the settings that differ, and their metrics side by side, the best first.

    python -m hub_estimator.compare /tmp/model /tmp/tuned
    python -m hub_estimator.compare runs/* --best_by=auc --output=compare.csv

It reads the texts in the model folders alone, and needs no TensorFlow. What is better says the
objective of the first folder's run, or --best_by; * marks the best run, and those as good. Paths are the
same setting where they led to the same place.

Exit status: 0 compared; 1 an error, in one line that starts with `error:`; 2 wrong flags.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from absl import flags

from hub_estimator import command_line, files, model_command


def define_flags() -> flags.FlagValues:
    """Returns this command's flags; nothing is defined in absl's global flags."""
    values = flags.FlagValues()
    model_command.define_best_by(
        values, "The metric of metrics.jsonl that is compared; by default that of the first "
        "folder's Experiment.objective.",
    )  # fmt: skip
    flags.DEFINE_string("output", None, "A CSV file to write it to too.", flag_values=values)
    flags.register_validator(
        "output", lambda value: value is None or value.endswith(".csv"),
        "Its name must end in .csv.", flag_values=values,
    )  # fmt: skip
    return values


def run(argv: Sequence[str]) -> int:
    """Runs the command.

    Args:
      argv: the program's name, the model folders, flags.

    Returns:
      The exit status.
    """
    folders, argv = command_line.without_words(define_flags(), argv)
    if folders is not None and len(folders) < 2 and not command_line.asks_for_help(argv):
        print("error: Give the model folders to compare, at least two.", file=sys.stderr)
        return command_line.USAGE
    return command_line.run(
        lambda values: _compare(values, folders or []), define_flags(), argv, str(__doc__)
    )


def _compare(values: flags.FlagValues, folders: Sequence[str]) -> None:
    from hub_estimator.training import configurables
    from hub_estimator.training.model_folder import history, run_texts
    from hub_estimator.training.model_folder.comparison import Comparison

    paths = [files.as_path(folder) for folder in folders]
    configurables.declare()  # which settings are paths
    runs = run_texts.read(paths)
    if values.output is not None:
        read = [("the model folder", path) for path in paths]
        files.check_output("The output", files.as_path(values.output), read)
    if values.best_by is not None:  # before its direction is asked for
        history.check_metric([each for run in runs for each in run.evaluations], values.best_by)
    found = Comparison.of(runs, model_command.best_by(values) or runs[0].objective)
    print(found.text(), end="")
    if values.output is not None:
        files.write_bytes(files.as_path(values.output), found.csv())


if __name__ == "__main__":
    command_line.main(run)
