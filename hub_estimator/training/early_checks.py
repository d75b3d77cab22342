"""What is wrong with a run as far as that is known before TensorFlow is imported, which takes seconds.

All of this is checked again afterwards, with all else, by the same functions; here it is only said
earlier. What a configuration imports may register parts, so nothing is said of one that does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hub_estimator import config, files
from hub_estimator.config.statements import Reference
from hub_estimator.training import configurables
from hub_estimator.training.inputs import presence, table_columns
from hub_estimator.training.model_folder import checkpoint_names, run_settings
from hub_estimator.training.model_folder.history import METRICS, History, check_metric
from hub_estimator.training.settings_text import EXPERIMENT


def check_training(
    gin_files: Sequence[str],
    gin_bindings: Sequence[str],
    allowed_imports: Sequence[str],
    with_places: bool = True,
) -> None:
    """Checks the texts of a configuration to train by, and that modules and data are there.

    Args:
      gin_files: see `from_gin`.
      gin_bindings: see `from_gin`.
      allowed_imports: see `from_gin`.
      with_places: whether modules and data are to be there.

    Raises:
      errors.Error: something is wrong; see `from_gin` and `train_and_evaluate`.
    """
    if allowed_imports:
        return
    configurables.declare()
    with config.early_session(gin_files, gin_bindings) as session:
        if session is not None:
            session.check_reached(EXPERIMENT, is_before_call=True)
            # Of a model folder's configuration there may be something to warn of before.
            if with_places and not session.is_of_model_folder:
                _check_places(session)


def check_model_folder(
    model_dir: str, gin_bindings: Sequence[str], allowed_imports: Sequence[str]
) -> None:
    """Checks a model folder, its configuration, and the bindings that change this.

    Args:
      model_dir: the model folder.
      gin_bindings: see `from_gin`.
      allowed_imports: see `from_gin`.

    Raises:
      errors.ModelFolderError: see `ModelFolder.check`.
      errors.ConfigError: see `from_gin`.
    """
    if files.is_remote(model_dir):
        return
    run_settings.check(model_dir)
    if allowed_imports:
        return
    configurables.declare()
    settings, _ = run_settings.paths(model_dir)
    with config.early_session([settings], gin_bindings) as session:
        if session is not None:
            session.check_reached(EXPERIMENT, only_given=True, is_before_call=True)


def check_checkpoint(model_dir: str, which: str | None, best_by: str | None) -> None:
    """Checks that a model folder has a checkpoint, and evaluations by a metric.

    Args:
      model_dir: the model folder.
      which: which one, as commands are given it; None is not chosen.
      best_by: the metric that the best one is the best by; None is not given.

    Raises:
      errors.ModelFolderError: there is no checkpoint of that step.
      errors.MetricNotFoundError: no evaluation has this metric.
    """
    if files.is_remote(model_dir):
        return
    if which is not None and which.isdecimal():
        checkpoint_names.check_step(model_dir, int(which))
    if best_by is not None:
        evaluations = History(files.join(model_dir, f"{METRICS}.jsonl")).evaluations()
        check_metric(evaluations, best_by)


def check_prediction(
    model_dir: str,
    gin_bindings: Sequence[str],
    allowed_imports: Sequence[str],
    paths: tuple[str, str],
    keep: Sequence[str],
) -> None:
    """Checks what is predicted for, where a model folder's model reads tables.

    Args:
      model_dir: see `check_model_folder`, which was called before.
      gin_bindings: see `from_gin`.
      allowed_imports: see `from_gin`.
      paths: the input and the output.
      keep: the columns of the input to keep.

    Raises:
      errors.OutputIsInputError: the output is the input.
      errors.Error: the input has no row, or lacks a column.
    """
    source, target = map(files.as_path, paths)
    if files.is_remote(source) or files.is_remote(model_dir) or allowed_imports:
        return
    files.check_output("The output", target, [("the input", source)])
    settings, _ = run_settings.paths(model_dir)
    with config.early_session([settings], gin_bindings) as session:
        calls = {} if session is None else _calls(session)
    experiment = calls.get((EXPERIMENT, ""))
    used = experiment.values.get("eval_input") if experiment is not None else None
    if isinstance(used, Reference) and used.name.rsplit(".", 1)[-1] == "TextFile":
        table = calls.get(("TextFile", used.scope))
        if table is not None:
            table_columns.check_to_predict_for(table.values, source, keep)


def _calls(session: config.Session) -> dict[tuple[str, str], config.Reached]:
    """Returns the calls that an experiment leads to by part and scope."""
    found = session.calls_reached(EXPERIMENT)
    return {(call.part.rsplit(".", 1)[-1], call.scope): call for call in found}


def _check_places(session: config.Session) -> None:
    """Checks what the configuration reads on this machine, modules first, as the run does."""
    calls = _calls(session)
    for (part, _), call in calls.items():
        for parameter, check in _MODULES.get(part, {}).items():
            _check_place(check, call.values.get(parameter))
    for (part, _), call in calls.items():
        if part in _DATA and not isinstance(call.values.get("path", _NOT_SET), Reference):
            presence.check_path_or_fraction(call.names["path"], call.values["path"])
            _check_place(_DATA[part], call.values["path"])
    for (part, _), call in calls.items():
        if part == "TextFile":
            table_columns.check_to_train_on(call.values)


def _check_place(check: Callable[[str], None], given: Any) -> None:
    if isinstance(given, str) and given and not files.is_remote(given):
        check(files.as_path(given))


def _check_module(handle: str) -> None:
    # Not earlier: what downloads takes its time to load.
    from hub_estimator.resolver import FolderResolver, Handle

    parsed, resolver = Handle.parse(handle), FolderResolver()
    if resolver.supports(parsed) and not parsed.is_archive:  # one that is unpacked takes its time
        resolver(parsed)


_NOT_SET = Reference("", "")
_MODULES = {
    "Encoder": {"handle": _check_module},
    "image_embedding_column": {"module_spec": _check_module},
    "sparse_text_embedding_column": {"module_spec": _check_module},
    "text_embedding_column": {"module_spec": _check_module},
    "text_embedding_column_v2": {"module_path": _check_module},
}
_DATA = {
    "ImageFolder": presence.check_folder,
    "JsonlFile": presence.check_file,
    "TextFile": presence.check_file,
}
