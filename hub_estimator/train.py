"""Trains, evaluates and exports a model that gin files describe.

    python -m hub_estimator.train --gin_file=text_classification.gin \\
        --gin_bindings="MODULE='/modules/text'" --gin_bindings="TRAIN_DATA='train.csv'" \\
        --gin_bindings="EVAL_DATA='test.csv'" --model_dir=/tmp/model

A gin file may import modules, whose parts it can then name: give it only where you trust it. That
of a model folder, operative_config.gin, is read as data and imports nothing. It works from any
folder; what a run's own modules registered it names only with --allow_import.

Exit status: 0 trained; 1 an error, in one line that starts with `error:`; 2 wrong flags; 130 or 143
stopped by Ctrl-C or SIGTERM (run the same command again to go on).
"""

from __future__ import annotations

from collections.abc import Sequence

from absl import flags

from hub_estimator import command_line


def define_flags() -> flags.FlagValues:
    """Returns this command's flags; nothing is defined in absl's global flags."""
    values = flags.FlagValues()
    flags.DEFINE_multi_string(
        "gin_file", [], "A gin file, or the name of a packaged one. May be repeated.",
        flag_values=values,
    )  # fmt: skip
    flags.DEFINE_multi_string(
        "gin_bindings", [], "A setting, such as \"MODULE='/a/module'\". May be repeated.",
        flag_values=values,
    )  # fmt: skip
    command_line.define_allow_import(values)
    command_line.define_model_dir(values, "The folder for checkpoints, logs and exports.")
    return values


def run(argv: Sequence[str]) -> int:
    """Runs the command.

    Args:
      argv: the program's name and its flags.

    Returns:
      The exit status.
    """
    return command_line.run(_train, define_flags(), argv, str(__doc__))


def _train(values: flags.FlagValues) -> None:
    command_line.start_tensorflow()
    # Not earlier: `--help` answers without TensorFlow.
    from hub_estimator import training
    from hub_estimator.training.running import result

    given = values.gin_file, values.gin_bindings, values.allow_import
    with training.from_gin(*given) as experiment:
        outcome = training.train_and_evaluate(experiment, values.model_dir)
        assert experiment.source is not None
        session = experiment.source.session
        print(result.summary(outcome, session.macros_read(), session.imports))


if __name__ == "__main__":
    command_line.main(run)
