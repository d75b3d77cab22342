"""Evaluates checkpoints of a model folder, which is all that it needs.

    python -m hub_estimator.evaluate --model_dir=/tmp/model
    python -m hub_estimator.evaluate --model_dir=/tmp/model --checkpoint=best --best_by=auc
    python -m hub_estimator.evaluate --model_dir=/tmp/model --continuous
    python -m hub_estimator.evaluate --model_dir=/tmp/model --name=test \\
        --gin_bindings="EVAL_DATA='test.csv'"

The settings are those that the training saved there. The metrics go to metrics.jsonl beside those
of training, one line a step, and what --gin_bindings change to metrics_<name>.jsonl; pictures and
tables of the last evaluation go to report/, or report_<name>/, where the settings have a Report.

Exit status: 0 evaluated; 1 an error, in one line that starts with `error:`; 2 wrong flags; 130 or
143 stopped by Ctrl-C or SIGTERM.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from absl import flags

from hub_estimator import command_line, errors, files, model_command

_OTHER = "other"


def define_flags() -> flags.FlagValues:
    """Returns this command's flags; nothing is defined in absl's global flags."""
    values = model_command.define_flags()
    model_command.define_checkpoint(values, "all")
    flags.DEFINE_bool(
        "continuous", False, "Evaluates each checkpoint of a running training once, until it ends; "
        "waits for one that has not begun.", flag_values=values,
    )  # fmt: skip
    flags.register_multi_flags_validator(
        ["continuous", "checkpoint"],
        lambda given: not given["continuous"] or given["checkpoint"] is None,
        "It evaluates each checkpoint: leave --checkpoint out.",
        flag_values=values,
    )
    flags.DEFINE_float(
        "timeout_secs", 3600.0, "--continuous: how long to wait for the next checkpoint.",
        lower_bound=0.0, flag_values=values,
    )  # fmt: skip
    flags.DEFINE_string(
        "name", None, "Under which name to keep the metrics; by default with those of training, or "
        f"as '{_OTHER}' where --gin_bindings change something.", flag_values=values,
    )  # fmt: skip
    flags.register_validator("name", _check_name, flag_values=values)
    return values


def _check_name(name: str | None) -> bool:
    """Whether metrics can be kept under a name; empty is with those of training."""
    try:
        files.check_name("The name of an evaluation", name or _OTHER)
    except errors.InvalidPathNameError as error:
        raise flags.ValidationError(str(error)) from error
    return True


def run(argv: Sequence[str]) -> int:
    """Runs the command.

    Args:
      argv: the program's name and its flags.

    Returns:
      The exit status.
    """
    return command_line.run(_evaluate, define_flags(), argv, str(__doc__))


def _evaluate(values: flags.FlagValues) -> None:
    following = _following(values) if values.continuous else None
    with model_command.experiment(values) as experiment:
        from hub_estimator import training
        from hub_estimator.training.running import result

        chosen = following or model_command.checkpoint_choice(values)
        evaluations = training.evaluate(experiment, values.model_dir, chosen, _name(values))
        for evaluation in evaluations:
            print(
                f"Evaluation of {evaluation['checkpoint']}:",
                *result.metric_lines(evaluation),
                sep="\n",
            )


def _following(values: flags.FlagValues) -> Any:
    """Returns what follows a training, and waits until this one has begun."""
    command_line.start_tensorflow()
    from hub_estimator import training

    following = training.Following(values.timeout_secs)
    following.wait_for_settings(training.ModelFolder(values.model_dir))
    return following


def _name(values: flags.FlagValues) -> str | None:
    if values["name"].value is not None:
        return values["name"].value or None
    return _OTHER if values.gin_bindings else None


if __name__ == "__main__":
    command_line.main(run)
