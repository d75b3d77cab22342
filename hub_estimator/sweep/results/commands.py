"""Commands about a sweep for people to copy."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from hub_estimator import compat, config, files, layout, shell
from hub_estimator.sweep.trials import Study, Trial

_HIDDEN = ":***@"  # a password, where a storage is shown


def train_again(trial: Trial, model_dir: str, allow_import: Sequence[str] = ()) -> str:
    """Returns the command that trains with the settings of a trial, all of them, from the start.

    Args:
      trial: the trial.
      model_dir: where to.
      allow_import: see `from_gin`.
    """
    return " ".join(
        [
            f"{shell.python()} -m hub_estimator.train",
            f"--gin_file={shlex.quote(files.join(trial.model_dir, config.OPERATIVE_CONFIG))}",
            *(f"--allow_import={shlex.quote(module)}" for module in allow_import),
            f"--model_dir={shlex.quote(model_dir)}",
        ]
    )


def dashboard(study: Study) -> str:
    """Returns the command that shows the study in Optuna's own dashboard.

    A password is not in it: PostgreSQL takes that from PGPASSWORD or ~/.pgpass.
    """
    return f"optuna-dashboard {shlex.quote(study.storage.replace(_HIDDEN, '@'))}"


def tensorboard(sweep_dir: str) -> str:
    """Returns the command that shows the runs of all trials, and their settings."""
    look = f"{shell.python()} -m tensorboard.main --logdir={shlex.quote(sweep_dir)}"
    missing = compat.missing_for_tensorboard()
    if missing is None:
        return look
    return f"{shell.python()} -m pip install {shlex.quote(missing)} && {look}"


def modules(trial: Trial) -> list[str]:
    """Returns the folders of the modules that a trial exported; none where it is elsewhere."""
    folder = files.join(trial.model_dir, "export")
    return layout.modules_below(folder) if trial.model_dir and files.is_folder(folder) else []
