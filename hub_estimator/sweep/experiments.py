"""A sweep from gin files: what is searched, and the experiment whose trials it has, both checked."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence

from hub_estimator import config, errors, files
from hub_estimator.sweep import configurables, unseen_data
from hub_estimator.sweep.runner import ExperimentRunner
from hub_estimator.sweep.sweep import Sweep
from hub_estimator.sweep.trials import ROWS_PER_SECOND
from hub_estimator.training import configurables as training_configurables
from hub_estimator.training import early_checks
from hub_estimator.training.settings_text import EXPERIMENT

_Check = Callable[[Sequence[str], Sequence[str], Sequence[str]], None]

_TEXT = "experiment.gin"


def from_gin(
    gin_files: Sequence[str], gin_bindings: Sequence[str], allowed_imports: Sequence[str]
) -> tuple[Sweep, ExperimentRunner]:
    """Returns the sweep that gin files describe, and what runs its trials; writes nothing.

    All that `train` checks before it loads TensorFlow is checked of trials in which each setting has
    each of its values, or the ends of its range.

    Args:
      gin_files: see `gin_session`: those of the experiment, and of the sweep.
      gin_bindings: see `gin_session`.
      allowed_imports: see `gin_session`.

    Raises:
      errors.Error: something is wrong with them.
    """
    training_configurables.declare()
    configurables.register()
    with _session(gin_files, gin_bindings, allowed_imports) as session:
        sweep = configurables.sweep(session)
        left = session.without(gin_bindings, configurables.SWEEP, EXPERIMENT, configurables.NAMES)
        imports_any = bool(session.imports)
    runner = ExperimentRunner(
        left.text, left.given, tuple(allowed_imports), sweep.is_about(ROWS_PER_SECOND)
    )
    check = _check_with_imports if imports_any else early_checks.check_training
    for values in sweep.dimensions.samples():
        _check(check, runner, sweep.dimensions.settings(values))
    _check_end(check, sweep, runner)
    return sweep, runner


def _check_end(check: _Check, sweep: Sweep, runner: ExperimentRunner) -> None:
    """Checks what follows the search.

    Raises:
      errors.SeenDataError: the final check would be made on data that the search sees.
      errors.Error: something else is wrong with it.
    """
    if sweep.publication is not None:
        sweep.publication.check()
    if sweep.final_check is None:
        return
    settings = sweep.dimensions.settings(sweep.dimensions.samples()[0])
    unseen_data.check(runner.gin_text, runner.bindings(settings), sweep.final_check.bindings)
    changed = dataclasses.replace(
        runner, gin_bindings=(*runner.gin_bindings, *sweep.final_check.bindings)
    )
    _check(check, changed, settings)


@contextlib.contextmanager
def _session(
    gin_files: Sequence[str], gin_bindings: Sequence[str], allowed_imports: Sequence[str]
) -> Iterator[config.Session]:
    """Parses the texts; only where they import something is anything imported, TensorFlow too."""
    if not allowed_imports:
        with config.early_session(gin_files, gin_bindings, is_complete=False) as early:
            if early is not None:
                yield early
                return
    training_configurables.register()
    given = gin_files, gin_bindings, allowed_imports
    with config.gin_session(*given, is_complete=False) as session:
        yield session


def _check(check: _Check, runner: ExperimentRunner, settings: dict[str, str]) -> None:
    """Checks a trial with some settings.

    Raises:
      errors.Error: something is wrong with it.
    """
    with tempfile.TemporaryDirectory(prefix="hub_estimator-") as scratch:
        path = os.path.join(scratch, _TEXT)
        files.write_text(path, runner.gin_text)
        try:
            check([path], runner.bindings(settings), runner.allowed_imports)
        except errors.Error as error:
            if repr(path) not in str(error):
                raise
            message = str(error).replace(repr(path), "the experiment's gin text")
            raise type(error)(message) from error


def _check_with_imports(
    gin_files: Sequence[str], gin_bindings: Sequence[str], allowed_imports: Sequence[str]
) -> None:
    """Checks texts that import something, which was imported already."""
    with config.gin_session(gin_files, gin_bindings, allowed_imports) as session:
        session.check_reached(EXPERIMENT, is_before_call=True)
