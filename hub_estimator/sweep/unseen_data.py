"""That the data of a final check is other data than the search's, as far as texts and files tell."""

from __future__ import annotations

import contextlib
import dataclasses
import numbers
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hub_estimator import config, digests, errors, files
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


def seed_name(gin_text: str, gin_bindings: Sequence[str]) -> str:
    """Returns what the seed of an experiment is set by: a macro, or the setting itself."""
    with _session(gin_text, gin_bindings) as session:
        calls = [] if session is None else session.calls_reached(EXPERIMENT)
    names = next((call.names for call in calls if _name(call.part) == EXPERIMENT), {})
    return names.get(_SEED, f"{EXPERIMENT}.{_SEED}")


def check(gin_text: str, gin_bindings: Sequence[str], changed: Sequence[str]) -> None:
    """Checks that bindings put other data in the place of what a search evaluates on.

    Args:
      gin_text: describes the experiment of the search.
      gin_bindings: override the text.
      changed: the bindings.

    Raises:
      errors.SeenDataError: the search evaluates, or trains, on the same.
      errors.ConfigError: something is wrong with a text.
    """
    seen = _data(gin_text, gin_bindings)
    unseen = _data(gin_text, [*gin_bindings, *changed])
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
            if any(_is_same(path, other) for other in others):
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


@contextlib.contextmanager
def _session(gin_text: str, gin_bindings: Sequence[str]) -> Iterator[config.Session | None]:
    configurables.declare()
    with tempfile.TemporaryDirectory(prefix="hub_estimator-") as scratch:
        path = os.path.join(scratch, "experiment.gin")
        files.write_text(path, gin_text)
        with config.early_session([path], gin_bindings) as session:
            yield session


def _data(gin_text: str, gin_bindings: Sequence[str]) -> _Data | None:
    with _session(gin_text, gin_bindings) as session:
        if session is None:
            return None
        reached = session.calls_reached(EXPERIMENT)
    calls = {(_name(call.part), call.scope): call.values for call in reached}
    experiment = calls.get((EXPERIMENT, ""), {})

    def settings(name: str) -> Mapping[str, Any]:
        used = experiment.get(name)
        if isinstance(used, Reference):
            return calls.get((_name(used.name), used.scope), {})
        return {name: used}

    return _Data(settings(_TRAIN_INPUT), settings(_EVAL_INPUT))


def _paths(settings: Mapping[str, Any]) -> list[str]:
    """Returns the paths of what some settings of an input name."""
    value = settings.get(_PATH)
    parts = value if isinstance(value, (list, tuple)) else [value]
    return [files.as_path(part) for part in parts if isinstance(part, str) and part]


def _is_same(path: str, other: str) -> bool:
    """Whether two paths lead to the same data, or to files of the same content."""
    if files.is_same(path, other):
        return True
    are_files = all(os.path.isfile(place) for place in (path, other))
    is_as_large = are_files and os.path.getsize(path) == os.path.getsize(other)
    return is_as_large and digests.of_file(path) == digests.of_file(other)


def _name(selector: str) -> str:
    return selector.rsplit(".", 1)[-1]
