"""Trains, evaluates and exports a model that gin files describe.

    python -m hub_estimator.train --gin_file=text_classification.gin \\
        --gin_bindings="MODULE='/modules/text'" --gin_bindings="TRAIN_DATA='train.csv'" \\
        --gin_bindings="EVAL_DATA='test.csv'" --model_dir=/tmp/model

What can be set, and what would be done, without training; these write nothing:

    python -m hub_estimator.train --list_settings
    python -m hub_estimator.train --list_settings="class weights"
    python -m hub_estimator.train --gin_file=text_classification.gin ... --print_config
    python -m hub_estimator.train --gin_file=text_classification.gin ... --dry_run

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

_INSTEAD = ("list_settings", "print_config", "dry_run")


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
    flags.DEFINE_string(
        "list_settings", None, "Lists what gin files can set, with the macros of those that are "
        "given, and does not train. With a text, lists in full what has it in its name or "
        "description.", flag_values=values,
    )  # fmt: skip
    flags.DEFINE_bool(
        "print_config", False, "Prints the configuration as it would run, as the text of a gin file "
        "with all that is set and the defaults of what is used, and does not train.",
        flag_values=values,
    )  # fmt: skip
    flags.DEFINE_bool(
        "dry_run", False, "Checks all that a training checks, takes one batch through the model, "
        "prints its size, and does not train.", flag_values=values,
    )  # fmt: skip
    flags.register_multi_flags_validator(
        _INSTEAD,
        lambda given: sum(value not in (None, False) for value in given.values()) < 2,
        "Give one of them.", flag_values=values,
    )  # fmt: skip
    command_line.define_model_dir(
        values, "The folder for checkpoints, logs and exports.", but_with=_INSTEAD
    )
    return values


def run(argv: Sequence[str]) -> int:
    """Runs the command.

    Args:
      argv: the program's name and its flags.

    Returns:
      The exit status.
    """
    given = command_line.with_optional_value(argv, "list_settings")
    return command_line.run(_train, define_flags(), given, str(__doc__))


def _train(values: flags.FlagValues) -> None:
    given = values.gin_file, values.gin_bindings, values.allow_import
    # Not earlier: `--help` answers at once.
    from hub_estimator.training import early_checks

    if values.list_settings is not None:
        _list_settings(values)
        return
    early_checks.check_training(*given, with_places=not values.print_config)
    command_line.start_tensorflow()
    from hub_estimator import training
    from hub_estimator.training.running import dry_run, result

    with training.from_gin(*given) as experiment:
        assert experiment.source is not None
        session = experiment.source.session
        if values.print_config:
            print(experiment.source.whole_text(), end="")
        elif values.dry_run:
            print(dry_run.summary(experiment, dry_run.dry_run(experiment, values.model_dir)))
        else:
            outcome = training.train_and_evaluate(experiment, values.model_dir)
            print(result.summary(outcome, session.macros_read(), session.imports))


def _list_settings(values: flags.FlagValues) -> None:
    command_line.start_tensorflow()
    from hub_estimator import config
    from hub_estimator.training.configurables import listing

    macros = config.macros(values.gin_file, values.gin_bindings, values.allow_import)
    print(listing.listing(values.list_settings, macros))


if __name__ == "__main__":
    command_line.main(run)
