"""That the data of a final check is other data than the search's, as far as texts and files tell."""

from __future__ import annotations

import dataclasses
import numbers
from collections.abc import Mapping, Sequence
from typing import Any

from hub_estimator import config, errors, files
from hub_estimator.config.statements import Reference
from hub_estimator.training import configurables
from hub_estimator.training.settings_text import EXPERIMENT

_SEED, _TRAIN_INPUT, _EVAL_INPUT = "seed", "train_input", "eval_input"
_PATH = "path"
"""What inputs call where their data is."""


@dataclasses.dataclass(frozen=True)
class _Data:
    """What an experiment reads, by what for: the settings of its inputs."""

    train_input: Mapping[str, Any]
    eval_input: Mapping[str, Any]


def seed_name(gin_files: Sequence[str], gin_bindings: Sequence[str]) -> str:
    """Returns what the seed of an experiment is set by: a macro, or the setting itself."""
    configurables.declare()
    with config.early_session(gin_files, gin_bindings) as session:
        calls = [] if session is None else session.calls_reached(EXPERIMENT)
    names = next((call.names for call in calls if _is(call.part, EXPERIMENT)), {})
    return names.get(_SEED, f"{EXPERIMENT}.{_SEED}")


def check(gin_files: Sequence[str], gin_bindings: Sequence[str], changed: Sequence[str]) -> None:
    """Checks that bindings put other data in the place of what a search evaluates on.

    Args:
      gin_files: the experiment of the sweep; see `from_gin`.
      gin_bindings: see `from_gin`.
      changed: the bindings.

    Raises:
      errors.SeenDataError: the search evaluates, or trains, on the same.
      errors.ConfigError: something is wrong with a text.
    """
    seen = _data(gin_files, gin_bindings)
    unseen = _data(gin_files, [*gin_bindings, *changed])
    if seen is None or unseen is None:  # known once something was imported
        return
    if unseen.eval_input == seen.eval_input:
        raise errors.SeenDataError(
            f"FinalCheck.bindings, {list(changed)!r}, leave the data that the search evaluates on. "
            "Give other data, as in [\"EVAL_DATA = 'test.csv'\"]."
        )
    before = {
        "evaluates": _paths(seen.eval_input),
        "trains": [*_paths(seen.train_input), *_paths(unseen.train_input)],
    }
    for path in _paths(unseen.eval_input):
        for what, others in before.items():
            if any(files.is_same(path, other) for other in others):
                raise errors.SeenDataError(
                    f"The final check would be made on {path!r}, on which the search {what}. Give "
                    "other data in FinalCheck.bindings."
                )
    for name, value in unseen.eval_input.items():
        if isinstance(value, numbers.Real) and name in (_PATH, _EVAL_INPUT):
            raise errors.SeenDataError(
                f"The final check would be made on a part of the training data ({value!r}), on which "
                "the search trains. Give other data in FinalCheck.bindings."
            )


def _data(gin_files: Sequence[str], gin_bindings: Sequence[str]) -> _Data | None:
    configurables.declare()
    with config.early_session(gin_files, gin_bindings) as session:
        if session is None:
            return None
        calls = {(call.part.rsplit(".", 1)[-1], call.scope): call.values
                 for call in session.calls_reached(EXPERIMENT)}  # fmt: skip
    experiment = calls.get((EXPERIMENT, ""), {})

    def settings(name: str) -> Mapping[str, Any]:
        used = experiment.get(name)
        if isinstance(used, Reference):
            return calls.get((used.name.rsplit(".", 1)[-1], used.scope), {})
        return {name: used}

    return _Data(settings(_TRAIN_INPUT), settings(_EVAL_INPUT))


def _paths(settings: Mapping[str, Any]) -> list[str]:
    """Returns the paths of what some settings of an input name."""
    value = settings.get(_PATH)
    parts = value if isinstance(value, (list, tuple)) else [value]
    return [files.as_path(part) for part in parts if isinstance(part, str) and part]


def _is(part: str, name: str) -> bool:
    return part.rsplit(".", 1)[-1] == name
