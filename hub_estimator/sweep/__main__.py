"""Searches the settings that train the best model: modules, rates, regimes; on one machine or many.

    python -m hub_estimator.sweep --gin_file=text_classification.gin --gin_file=sweep.gin \\
        --gin_bindings="MODULES=['/modules/a', '/modules/b']" \\
        --gin_bindings="TRAIN_DATA='train.csv'" --gin_bindings="EVAL_DATA='eval.csv'" \\
        --sweep_dir=out/sweep --workers=2

Each trial is a run of the experiment in a process of its own, in <sweep_dir>/trials/<number>. The
same command goes on with a sweep that was stopped or killed; a greater --trials adds trials. With
--storage, the same command on further machines joins in. The folder gets leaderboard.csv, and at the
end report/ with pictures; with Sweep.final_check also a result, on data that the search did not see.

How it stands, without running anything:

    python -m hub_estimator.sweep --gin_file=... --sweep_dir=out/sweep --leaderboard

Exit status: 0 all trials came to their end; 1 an error, in one line that starts with `error:`, or no
trial that did not fail; 2 wrong flags; 130 or 143 stopped by Ctrl-C or SIGTERM.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import Any

from absl import flags

from hub_estimator import command_line, command_signals, errors

_IN_URLS = "?%{}"  # what means something in the URL of a storage


def define_flags() -> flags.FlagValues:
    """Returns this command's flags; nothing is defined in absl's global flags."""
    values = flags.FlagValues()
    flags.DEFINE_multi_string(
        "gin_file", None, "A gin file, or the name of a packaged one: those of the experiment, and "
        "that of the sweep. May be repeated.", flag_values=values, required=True,
    )  # fmt: skip
    flags.DEFINE_multi_string(
        "gin_bindings", [], "A setting, such as \"TRAIN_DATA='train.csv'\". May be repeated.",
        flag_values=values,
    )  # fmt: skip
    command_line.define_allow_import(values)
    flags.DEFINE_string(
        "sweep_dir", None, "The folder for the trials' model folders, their logs and the results.",
        flag_values=values, required=True,
    )  # fmt: skip
    flags.DEFINE_string(
        "storage", None, "The database of the sweep, such as 'postgresql://user@host/database', for "
        "several machines. By default it is a file in the sweep's folder.", flag_values=values,
    )  # fmt: skip
    flags.DEFINE_integer(
        "workers", 1, "How many trials to run at once on this machine.", flag_values=values,
        lower_bound=1,
    )  # fmt: skip
    flags.DEFINE_integer(
        "trials", None, "How many trials there are to be in all, in place of Sweep.trials.",
        flag_values=values, lower_bound=1,
    )  # fmt: skip
    flags.DEFINE_bool(
        "leaderboard", False, "Prints how the trials stand, and runs none.", flag_values=values
    )
    return values


def run(argv: Sequence[str]) -> int:
    """Runs the command.

    Args:
      argv: the program's name and its flags.

    Returns:
      The exit status.
    """
    return command_line.run(_sweep, define_flags(), argv, str(__doc__))


def _sweep(values: flags.FlagValues) -> None:
    plan = _plan(values)
    from hub_estimator.sweep import finishing
    from hub_estimator.sweep.supervisor import Supervisor

    if values.leaderboard:
        if not plan.has_storage:
            raise errors.SweepStorageError(
                f"There is no sweep in {plan.folder!r} yet. Leave out --leaderboard to begin it."
            )
        print(finishing.leaderboard(plan))
        return
    stopping = threading.Event()
    with command_signals.setting(stopping) as came:
        found = Supervisor(plan, stopping).run()
        said = "" if came else finishing.finish(plan, found, stopping)
    if came:
        raise errors.InterruptedRunError(
            f"Stopped by {came[0].name}. What trials did is saved; run the same command again to go "
            "on.", came[0],
        )  # fmt: skip
    print(said)
    _check(found)


def _plan(values: flags.FlagValues) -> Any:
    """Returns the sweep that the flags describe, with its place; nothing is written yet."""
    # Not earlier: `--help` answers at once.
    from hub_estimator import files
    from hub_estimator.sweep import experiments
    from hub_estimator.sweep.plan import Plan

    if files.is_remote(values.sweep_dir) or not values.sweep_dir:
        raise errors.InvalidSettingError(
            f"--sweep_dir is {values.sweep_dir!r}; it must be a folder on this machine, or one that it "
            "shares with others."
        )
    if values.storage is None and set(os.path.abspath(values.sweep_dir)) & set(_IN_URLS):
        raise errors.InvalidSettingError(
            f"--sweep_dir is {values.sweep_dir!r}; the URL of a storage in it can have none of "
            f"{' '.join(_IN_URLS)} in its path. Choose another one, or give --storage."
        )
    folder = os.path.abspath(values.sweep_dir)
    _check_is_in_no_module(folder)
    sweep, runner = experiments.from_gin(values.gin_file, values.gin_bindings, values.allow_import)
    return Plan(sweep, runner, folder, values.workers, values.storage, values.trials)


def _check_is_in_no_module(folder: str) -> None:
    """Checks that the folder is neither a module nor in one: a trial would say so when it is too late.

    Raises:
      errors.OutputIsInputError: it is.
    """
    from hub_estimator import files, layout

    place = folder
    while place != os.path.dirname(place):
        if layout.kind_of(place) is not layout.FolderKind.OTHER:
            files.check_output("The folder of a sweep", folder, [("the module", place)])
        place = os.path.dirname(place)


def _check(found: Any) -> None:
    """Checks that not all trials failed."""
    failed = [trial for trial in found.trials if trial.state == "failed"]
    if len(failed) == len(found.trials):
        raise errors.SweepFailedError(
            f"All {len(failed)} trials failed; the first one: {failed[0].error}"
        )


if __name__ == "__main__":
    command_line.main(run)
