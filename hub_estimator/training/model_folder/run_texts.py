"""What a model folder says of its run in texts: settings and evaluations, read without TensorFlow."""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import os
from collections.abc import Mapping, Sequence
from typing import Any

from hub_estimator import errors, files, texts
from hub_estimator.config import operative, statements
from hub_estimator.config.origin import ConfigOrigin, path_bindings
from hub_estimator.config.statements import Binding, Reference
from hub_estimator.training.model_folder import python_settings, run_settings
from hub_estimator.training.model_folder.history import METRICS, Evaluation, History
from hub_estimator.training.objective import Objective


@dataclasses.dataclass(frozen=True)
class Setting:
    """A setting of a run; equal ones mean the same, whatever they are written like.

    Attributes:
      text: its value, as the run has it.
      meaning: the same with each path in it as the place that it led to.
    """

    text: str = dataclasses.field(compare=False)
    meaning: str


@dataclasses.dataclass(frozen=True)
class RunTexts:
    """A run, as the texts in its model folder have it.

    Attributes:
      path: the model folder.
      settings: the settings by name.
      evaluations: the evaluations, those of the smallest steps first.
      objective: by what the run's best checkpoint is the best.
    """

    path: str
    settings: Mapping[str, Setting]
    evaluations: Sequence[Evaluation]
    objective: Objective


def read(paths: Sequence[str]) -> list[RunTexts]:
    """Returns the runs of model folders; which settings are paths is known of declared parts.

    Raises:
      errors.ModelFolderError: some are no model folders, or one is named twice.
      errors.ConfigError: the settings of one cannot be read.
      errors.DataFileError: the evaluations of one cannot be read.
    """
    missing = [reason for path in paths if (reason := _why_none(path))]
    if missing:
        raise errors.ModelFolderError(
            f"No model folders: {'; '.join(missing)}. Give the --model_dir of runs of "
            "hub_estimator.train."
        )
    for number, path in enumerate(paths):
        for other in paths[:number]:
            if files.is_same(path, other):
                raise errors.ModelFolderError(
                    f"{other!r} and {path!r} are the same model folder. Name each once."
                )
    return [_run(path) for path in paths]


def _why_none(path: str) -> str:
    """Returns why something is no model folder; empty where it is one."""
    if not files.exists(path):
        return f"{path!r} (there is nothing)"
    if not files.is_folder(path):
        return f"{path!r} (it is a file)"
    paths = run_settings.paths(path)
    if not any(map(files.exists, paths)):
        return f"{path!r} (it has no {' or '.join(map(os.path.basename, paths))})"
    return ""


def _run(path: str) -> RunTexts:
    evaluations = History(files.join(path, f"{METRICS}.jsonl")).evaluations()
    operative_config, of_python = run_settings.paths(path)
    if files.exists(operative_config):
        text = _content(operative_config)
        bindings = _parsed(text, repr(operative_config))
        objective = _objective_of_gin({str(binding): binding.value for binding in bindings})
        return RunTexts(path, _settings(text, bindings, path), evaluations, objective)
    settings = python_settings.read(_content(of_python))
    shown = {name: Setting(text, text) for name, text in settings.items()}
    return RunTexts(path, shown, evaluations, _objective_of_python(settings))


def changed_settings(before: str, now: str) -> list[str]:
    """Returns which settings of a gin file have another value in another one, as text.

    Args:
      before: the path of the one, in a model folder.
      now: the text of the other, for the same folder.

    Returns:
      What each setting that both have was and is, such as `"LEARNING_RATE was 0.05, is 0.1"`.
    """
    folder, text = files.parent(before), _content(before)
    try:
        old = _settings(text, _parsed(text, repr(before)), folder)
    except errors.ConfigError:  # somebody else wrote there; the new ones take its place
        return []
    return [
        f"{name} was {_short(old[name])}, is {_short(setting)}"
        for name, setting in _settings(now, _parsed(now, "the settings"), folder).items()
        if name in old and old[name] != setting
    ]


def _short(setting: Setting) -> str:
    return texts.one_line(setting.text, 80)


def _content(path: str) -> str:
    return files.read_bytes(path).decode("utf-8", "replace")


def _parsed(text: str, where: str) -> list[Binding]:
    """Returns what a configuration sets; nothing of it is called or imported."""
    found = statements.parse(text, where)
    return [statement for statement in found if isinstance(statement, Binding)]


def _settings(text: str, bindings: Sequence[Binding], folder: str) -> dict[str, Setting]:
    """Returns the settings of a configuration.

    Args:
      text: the configuration.
      bindings: what it sets.
      folder: the model folder that it is in.
    """
    origin = ConfigOrigin.read(text)

    def place(given: str) -> str:
        return _place(given if origin is None else origin.path(given, folder))

    are_paths = set(path_bindings(bindings))
    found = {}
    for binding in bindings:
        is_path = binding in are_paths
        meant = operative.each_text(binding.value, place) if is_path else binding.value
        found[str(binding)] = Setting(_text(binding.value), _text(meant))
    return found


def _place(path: str) -> str:
    """Returns a path through links, in one spelling; what leads to nothing may be only a name."""
    if not path or files.is_remote(path):
        return path
    try:
        is_there = files.exists(path)
    except ValueError:  # no path
        return path
    return os.path.realpath(path) if is_there else os.path.normpath(path)


def _text(value: Any) -> str:
    """Returns a value as a gin file has it."""
    if isinstance(value, Reference):
        return str(value)
    if isinstance(value, (list, tuple)):
        inner = ", ".join(map(_text, value))
        comma = "," if len(value) == 1 else ""
        return f"[{inner}]" if isinstance(value, list) else f"({inner}{comma})"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_text(key)}: {_text(inner)}' for key, inner in value.items())}}}"
    return repr(value)


def _objective_of_gin(values: Mapping[str, Any]) -> Objective:
    used = _resolved(values, values.get("Experiment.objective"))
    if not isinstance(used, Reference):
        return Objective()
    prefix = f"{used.scope}/" if used.scope else ""
    found = {}
    for parameter in ("metric", "higher_is_better"):
        name = f"{used.name}.{parameter}"
        value = values.get(f"{prefix}{name}", values.get(name))
        if value is not None:
            found[parameter] = _resolved(values, value)
    return _objective(found)


def _resolved(values: Mapping[str, Any], value: Any) -> Any:
    """Returns the value of a macro, or of one in that."""
    seen: set[str] = set()
    while isinstance(value, Reference) and value.is_macro and value.name not in seen:
        seen.add(value.name)
        value = values.get(value.name)
    return value


def _objective_of_python(settings: Mapping[str, str]) -> Objective:
    found = {}
    for parameter in ("metric", "higher_is_better"):
        with contextlib.suppress(KeyError, ValueError, SyntaxError):
            found[parameter] = ast.literal_eval(settings[f"Experiment.objective.{parameter}"])
    return _objective(found)


def _objective(found: Mapping[str, Any]) -> Objective:
    try:
        return Objective(**found)
    except errors.InvalidSettingError as error:
        raise errors.ConfigError(
            f"The settings have an objective that is none: {texts.one_line(str(error))}"
        ) from error
