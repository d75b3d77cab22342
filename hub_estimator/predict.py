"""Predicts for each example of a file with the model of a model folder.

    python -m hub_estimator.predict --model_dir=/tmp/model --input=texts.csv --output=out.csv
    python -m hub_estimator.predict --model_dir=/tmp/model --input=texts.csv --output=out.jsonl \\
        --checkpoint=best --best_by=accuracy --keep=id,text
    cat texts.csv | python -m hub_estimator.predict --model_dir=/tmp/model --input=- --output=-

The input has the form that the training's eval_input reads; it needs no labels. The output, CSV or
JSON lines, has the number of the row (1 is the first below a header), the columns of --keep or the path
of an image, the class by name and number, and the probability of each class, or the predicted number. A
file appears whole or not at all; standard input is read to its end first; standard output gets nothing
but the predictions.

Exit status: 0 predicted; 1 an error, in one line that starts with `error:`; 2 wrong flags; 130 or
143 stopped by Ctrl-C or SIGTERM.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from absl import flags

from hub_estimator import command_line, errors, model_command, standard_streams

_STANDARD = "-"


def define_flags() -> flags.FlagValues:
    """Returns this command's flags; nothing is defined in absl's global flags."""
    values = model_command.define_flags()
    model_command.define_checkpoint(values)
    flags.DEFINE_string(
        "input", None, "The file to predict for; - is standard input.", flag_values=values,
        required=True,
    )  # fmt: skip
    flags.DEFINE_string(
        "output", None, "The file to write; - is standard output.", flag_values=values,
        required=True,
    )  # fmt: skip
    flags.register_validator(
        "output", lambda value: value in (None, _STANDARD) or value.endswith((".csv", ".jsonl")),
        "Its name must end in .csv or .jsonl.", flag_values=values,
    )  # fmt: skip
    flags.DEFINE_enum(
        "output_format", None, ["csv", "jsonl"], "The form of --output=-, by default csv.",
        flag_values=values,
    )  # fmt: skip
    flags.register_multi_flags_validator(
        ["output", "output_format"],
        lambda given: given["output"] == _STANDARD or given["output_format"] is None,
        "--output_format is for --output=-; the name of a file says its form.",
        flag_values=values,
    )
    flags.DEFINE_list(
        "keep", [], "Columns of the input that the output has too, such as id,text.",
        flag_values=values,
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
    with contextlib.ExitStack() as stack:
        output, told = values.output, sys.stdout
        if output == _STANDARD:
            output, told = stack.enter_context(standard_streams.data_output()), sys.stderr
        experiment = stack.enter_context(
            model_command.experiment(values, functools.partial(_check_early, values))
        )
        from hub_estimator import training

        chosen = model_command.checkpoint_choice(values)
        source = values.input
        if source == _STANDARD:
            source = stack.enter_context(_standard_input(experiment.eval_input))
        with _naming_the_reader(values.input):
            made = training.predict(
                experiment,
                values.model_dir,
                source,
                output,
                chosen,
                values.keep,
                values.output_format,
            )
        where = made.path or "standard output"
        print(f"Predictions of step {made.step} for {made.num_rows} rows: {where}", file=told)


@contextlib.contextmanager
def _naming_the_reader(source: str) -> Iterator[None]:
    """Says of a file of another format than the training's which flags have it read."""
    try:
        yield
    except errors.OtherFormatError as error:
        if not error.reader:
            raise
        raise errors.OtherFormatError(
            f'{error} Here that is --gin_bindings="Experiment.eval_input=@{error.reader}()" '
            f"--gin_bindings=\"{error.reader}.path='{source}'\".",
            error.reader,
        ) from error


def _check_early(values: flags.FlagValues) -> None:
    """Checks the input and the output as far as that is possible before TensorFlow is imported."""
    from hub_estimator.training import early_checks

    if _STANDARD not in (values.input, values.output):
        paths = values.input, values.output
        given = values.model_dir, values.gin_bindings, values.allow_import
        with _naming_the_reader(values.input):
            early_checks.check_prediction(*given, paths, values.keep)


def _standard_input(eval_input: Any) -> contextlib.AbstractContextManager[str]:
    from hub_estimator import training

    if isinstance(eval_input, training.ImageFolder):
        raise errors.DataFileError(
            "This model takes images from a folder, which standard input cannot be. Give --input a "
            "folder, or an image."
        )
    return standard_streams.input_file(getattr(eval_input, "path", ""))


if __name__ == "__main__":
    command_line.main(run)
