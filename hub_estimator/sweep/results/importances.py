"""Which settings matter, by Optuna's importances, which are of trials as values.

A setting all of whose values are numbers is taken for a number, on a logarithmic scale where it spans
a factor of `_LOGARITHMIC`; any other one is a choice.
"""

from __future__ import annotations

import ast
import contextlib
import logging
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hub_estimator.sweep.trials import Study, Trial

_FEWEST = 4
"""Of fewer trials nothing can be said."""
_LOGARITHMIC = 20.0


def number(text: str) -> float | None:
    """Returns the number that a gin text is; None where it is none, as True is."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else None


def numbers_of(name: str, trials: Sequence[Trial]) -> dict[str, float] | None:
    """Returns the number of each value that a setting has; None where it is a choice."""
    values = {trial.settings[name] for trial in trials if name in trial.settings}
    found = {text: number(text) for text in values}
    known = {text: value for text, value in found.items() if value is not None}
    return known if known and len(known) == len(found) else None


def is_logarithmic(values: Sequence[float]) -> bool:
    """Whether numbers are better seen by their logarithms."""
    return min(values) > 0 and max(values) / min(values) >= _LOGARITHMIC


def importances(study: Study) -> dict[str, dict[str, float]]:
    """Returns for each objective how much each setting matters, 0 to 1, the most first.

    Empty where there are too few complete trials, or nothing differs between them.
    """
    complete = [trial for trial in study.trials if trial.state == "complete" and trial.values]
    if len(complete) < _FEWEST:
        return {}
    names = [name for name in study.settings if _differs(name, complete)]
    found = {}
    for place, objective in enumerate(study.objectives):
        values = [trial.values[place] for trial in complete if trial.values is not None]
        if names and len(set(values)) > 1:
            found[objective.metric] = _of_optuna(complete, names, values, objective.maximizes)
    return {metric: shares for metric, shares in found.items() if shares}


def _differs(name: str, trials: Sequence[Trial]) -> bool:
    return len({trial.settings.get(name) for trial in trials}) > 1


def _of_optuna(
    trials: Sequence[Trial], names: Sequence[str], values: Sequence[float], maximizes: bool
) -> dict[str, float]:
    import optuna

    scales = {name: numbers_of(name, trials) for name in names}
    spaces = {name: _distribution(name, scales[name], trials) for name in names}
    with _silent():
        study = optuna.create_study(direction="maximize" if maximizes else "minimize")
        for trial, value in zip(trials, values, strict=True):
            there = [name for name in names if name in trial.settings]
            given = {name: _given(trial.settings[name], scales[name]) for name in there}
            study.add_trial(
                optuna.trial.create_trial(
                    params=given, distributions={name: spaces[name] for name in there}, value=value
                )
            )
        shares = optuna.importance.get_param_importances(study, params=list(names))
    return {name: float(share) for name, share in shares.items() if math.isfinite(share)}


def _given(text: str, scale: Mapping[str, float] | None) -> Any:
    return text if scale is None else scale[text]


def _distribution(name: str, scale: Mapping[str, float] | None, trials: Sequence[Trial]) -> Any:
    from optuna import distributions

    texts = sorted({trial.settings[name] for trial in trials if name in trial.settings})
    if scale is None or len(texts) == 1:
        return distributions.CategoricalDistribution(texts if scale is None else [*scale.values()])
    low, high = min(scale.values()), max(scale.values())
    return distributions.FloatDistribution(low, high, log=is_logarithmic([low, high]))


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Keeps what Optuna says of a study that nobody else sees out of the log."""
    logger = logging.getLogger("optuna")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
