"""Predicts for each example of a file with the model of a model folder.

    python -m hub_estimator.predict --model_dir=/tmp/model --input=texts.csv --output=out.csv
    python -m hub_estimator.predict --model_dir=/tmp/model --input=texts.csv --output=out.jsonl \\
        --checkpoint=best --best_by=accuracy

The input has the form that the training's eval_input reads; it needs no labels. The output, CSV or
JSON lines, has the number of the row, the class by name and number, and the probability of each
class, or the predicted number. It appears whole or not at all.

Exit status: 0 predicted; 1 an error, in one line that starts with `error:`; 2 wrong flags; 130 or
143 stopped by Ctrl-C or SIGTERM.
"""

from __future__ import annotations

from collections.abc import Sequence

from absl import flags

from hub_estimator import command_line, model_command


def define_flags() -> flags.FlagValues:
    """Returns this command's flags; nothing is defined in absl's global flags."""
    values = model_command.define_flags()
    model_command.define_checkpoint(values)
    flags.DEFINE_string(
        "input", None, "The file to predict for.", flag_values=values, required=True
    )
    flags.DEFINE_string("output", None, "The file to write.", flag_values=values, required=True)
    flags.register_validator(
        "output", lambda value: value is None or value.endswith((".csv", ".jsonl")),
        "Its name must end in .csv or .jsonl.", flag_values=values,
    )  # fmt: skip
    return values


def run(argv: Sequence[str]) -> int:
    """Runs the command.

    Args:
      argv: the program's name and its flags.

    Returns:
      The exit status.
    """
    return command_line.run(_predict, define_flags(), argv, str(__doc__))


def _predict(values: flags.FlagValues) -> None:
    with model_command.experiment(values) as experiment:
        from hub_estimator import training

        chosen = model_command.checkpoint_choice(values)
        made = training.predict(experiment, values.model_dir, values.input, values.output, chosen)
        print(f"Predictions of step {made.step} for {made.num_rows} rows: {made.path}")


if __name__ == "__main__":
    command_line.main(run)
