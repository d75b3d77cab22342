"""Removes what trials leave that takes room, but for the best ones: checkpoints and exports."""

from __future__ import annotations

import logging

from hub_estimator import files
from hub_estimator.format import checkpoint_paths
from hub_estimator.sweep.results import ranking
from hub_estimator.sweep.trials import Study, Trial
from hub_estimator.training.model_folder.checkpoint_names import step_of

_EXPORTS = "export"
_INDEX = ".index"

_logger = logging.getLogger("hub_estimator")


def superfluous(study: Study, keep_best: int) -> list[Trial]:
    """Returns the trials whose models are to go: all that are finished, but so many of the best ones.

    With several objectives the whole Pareto front stays.
    """
    best = [trial for front in ranking.fronts(study) for trial in front][:keep_best]
    stay = {trial.number for trial in (*best, *ranking.best(study))}
    return [trial for trial in study.trials if trial.is_finished and trial.number not in stay]


def remove_models(study: Study, keep_best: int) -> None:
    """Removes the checkpoints and exports of trials; settings, metrics, logs and reports stay.

    Trials in folders of other machines are theirs. What cannot be removed stays, with a warning.

    Args:
      study: the study.
      keep_best: how many of the best trials keep theirs.
    """
    for trial in superfluous(study, keep_best):
        if trial.model_dir and files.is_folder(trial.model_dir):
            try:
                _remove(trial.model_dir)
            except OSError as error:
                _logger.warning("The model of trial %d cannot be removed: %s.", trial.number, error)


def _remove(folder: str) -> None:
    """Removes the models in a folder; the index goes first, without which there is no checkpoint."""
    names = [name for name in files.listing(folder) if step_of(name) is not None]
    for name in sorted(names, key=lambda name: not name.endswith(_INDEX)):
        files.remove(files.join(folder, name))
    files.remove(files.join(folder, checkpoint_paths.LIST))
    exports = files.join(folder, _EXPORTS)
    if files.exists(exports):
        files.remove_at_once(exports)
