"""What the commands share that are given a model folder and use the model in it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from absl import flags

from hub_estimator import command_line, config, errors
from hub_estimator.training.running import checkpoint_names

# What configurations call a run; `evaluate`, `predict` and others have its model and its inputs.
TRAINING = "train_and_evaluate"


def define_flags() -> flags.FlagValues:
    """Returns the flags that all of them have."""
    values = flags.FlagValues()
    command_line.define_model_dir(values, "The model folder of a run of hub_estimator.train.")
    flags.DEFINE_multi_string(
        "gin_bindings", [], "A setting that differs from the training's, such as "
        "\"EVAL_DATA='test.csv'\". May be repeated.", flag_values=values,
    )  # fmt: skip
    command_line.define_allow_import(values)
    return values


def define_checkpoint(values: flags.FlagValues, *further: str) -> None:
    """Adds the flags that choose a checkpoint.

    Args:
      values: the flags.
      *further: what `--checkpoint` may be beside `latest`, `best` and a step.
    """
    words = ", ".join(f"'{each}'" for each in ("latest", "best", *further))
    flags.DEFINE_string(
        "checkpoint", "latest", f"Which one: {words}, or its global step.", flag_values=values
    )
    flags.register_validator(
        "checkpoint",
        lambda value: (
            value in ("latest", "best", *further)
            or value.isdecimal()
            or checkpoint_names.step_of(value) is not None
        ),
        f"It must be {words} or a step.",
        flag_values=values,
    )
    flags.DEFINE_string(
        "best_by", "loss", "The metric of metrics.jsonl that 'best' goes by.", flag_values=values
    )
    flags.DEFINE_bool(
        "lower_is_better", None, "Whether smaller values of --best_by are better; by default where "
        "its name has 'loss' or 'error' in it.", flag_values=values,
    )  # fmt: skip


def choice(values: flags.FlagValues) -> Any:
    """Returns the `evaluation.Choice` that the flags of `define_checkpoint` make."""
    from hub_estimator.training.running.evaluation import Choice

    return Choice(values.checkpoint, values.best_by, values.lower_is_better)


@contextlib.contextmanager
def session(values: flags.FlagValues) -> Iterator[config.Session]:
    """Loads TensorFlow and the settings of a model folder for the time of a `with` block.

    Args:
      values: the flags of `define_flags`.

    Raises:
      errors.ModelFolderError: no training ran in this folder.
      errors.Error: see `config.gin_session`; where a path of the settings leads to nothing, the
        message names the setting.
    """
    command_line.start_tensorflow()
    # Not earlier: `--help` answers without TensorFlow.
    from hub_estimator.training.running.model_folder import ModelFolder

    folder = ModelFolder(values.model_dir)
    folder.check()
    given = [folder.operative_config], values.gin_bindings, values.allow_import
    with config.gin_session(*given) as opened:
        try:
            yield opened
        except (errors.DataFileNotFoundError, errors.HandleNotFoundError) as error:
            message = str(error)
            names = [each for each in opened.settings_in(message) if each not in opened.given]
            if not names:
                raise
            is_data = isinstance(error, errors.DataFileNotFoundError)
            raise (errors.DataFileNotFoundError if is_data else errors.HandleNotFoundError)(
                f"{message} That is what {names[0]} was in training, moved or removed since: "
                f"--gin_bindings=\"{names[0]}='<path>'\" gives another."
            ) from error
