"""What the commands share that are given a model folder and use the model in it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from absl import flags

from hub_estimator import command_line, errors
from hub_estimator.training.model_folder import checkpoint_names


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
    words = ", ".join(f"'{word}'" for word in ("latest", "best", *further))
    flags.DEFINE_string(
        "checkpoint", None, f"Which one: {words}, or its global step; by default the best where the "
        "training had Experiment.load_best_model_at_end, or else the latest.", flag_values=values,
    )  # fmt: skip
    flags.register_validator(
        "checkpoint",
        lambda value: (
            value in (None, "latest", "best", *further)
            or value.isdecimal()
            or checkpoint_names.step_of(value) is not None
        ),
        f"It must be {words} or a step.",
        flag_values=values,
    )
    define_best_by(
        values, "The metric of metrics.jsonl that 'best' goes by; by default that of "
        "Experiment.objective, or the loss.",
    )  # fmt: skip
    flags.register_multi_flags_validator(
        ["best_by", "checkpoint"],
        lambda given: given["best_by"] is None or given["checkpoint"] == "best",
        "It is of --checkpoint=best: give that too.",
        flag_values=values,
    )


def define_best_by(values: flags.FlagValues, what: str) -> None:
    """Adds the flags that say what is better.

    Args:
      values: the flags.
      what: the help of `--best_by`.
    """
    flags.DEFINE_string("best_by", None, what, flag_values=values)
    flags.DEFINE_bool(
        "higher_is_better", None, "Whether greater values of --best_by are better; needed where its "
        "name does not say it.", flag_values=values,
    )  # fmt: skip
    flags.register_validator(
        "best_by", lambda value: value != "", "It is empty; give a metric.", flag_values=values
    )
    flags.register_multi_flags_validator(
        ["best_by", "higher_is_better"],
        lambda given: given["best_by"] is not None or given["higher_is_better"] is None,
        "It is of --best_by: give that too.",
        flag_values=values,
    )


def checkpoint_choice(values: flags.FlagValues) -> Any:
    """Returns the `training.CheckpointChoice` that the flags of `define_checkpoint` make.

    Raises:
      errors.InvalidSettingError: whether greater values of --best_by are better is not known.
    """
    from hub_estimator import training

    return training.CheckpointChoice(values.checkpoint, best_by(values))


def best_by(values: flags.FlagValues) -> Any:
    """Returns the `training.Objective` that the flags of `define_best_by` make; None without them.

    Raises:
      errors.InvalidSettingError: whether greater values of --best_by are better is not known.
    """
    from hub_estimator import training

    if values.best_by is None:
        return None
    try:
        return training.Objective(values.best_by, values.higher_is_better)
    except errors.InvalidSettingError as error:
        raise errors.InvalidSettingError(
            f"--best_by={values.best_by} does not say whether greater values are better. Give "
            "--higher_is_better or --nohigher_is_better."
        ) from error


@contextlib.contextmanager
def experiment(
    values: flags.FlagValues, check_early: Callable[[], None] | None = None
) -> Iterator[Any]:
    """Loads TensorFlow and the experiment of a model folder for the time of a `with` block.

    Args:
      values: the flags of `define_flags`.
      check_early: checks what else is known before TensorFlow is loaded, which takes seconds.

    Raises:
      errors.ModelFolderError: no training ran in this folder.
      errors.Error: see `training.from_gin`; where a path of the settings leads to nothing, the
        message names the setting.
    """
    # Not earlier: `--help` answers at once.
    from hub_estimator.training import early_checks

    early_checks.check_model_folder(values.model_dir, values.gin_bindings, values.allow_import)
    if "checkpoint" in values:
        early_checks.check_checkpoint(values.model_dir, values.checkpoint, values.best_by)
    if check_early is not None:
        check_early()
    command_line.start_tensorflow()
    from hub_estimator import training

    folder = training.ModelFolder(values.model_dir)
    folder.check()
    given = [folder.operative_config], values.gin_bindings, values.allow_import
    with training.from_gin(*given) as trained:
        assert trained.source is not None
        opened = trained.source.session
        try:
            yield trained
        except (errors.DataFileNotFoundError, errors.HandleNotFoundError) as error:
            message = str(error)
            names = [name for name in opened.settings_in(message) if name not in opened.given]
            if not names:
                raise
            is_data = isinstance(error, errors.DataFileNotFoundError)
            raise (errors.DataFileNotFoundError if is_data else errors.HandleNotFoundError)(
                f"{message} That is what {names[0]} was in training, moved or removed since: "
                f"--gin_bindings=\"{names[0]}='<path>'\" gives another."
            ) from error
