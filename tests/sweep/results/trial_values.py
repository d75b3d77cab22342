"""Sweeps as values, for what is made of them."""

from __future__ import annotations

import datetime

from hub_estimator.sweep.trials import Study, Trial
from hub_estimator.training.objective import Objective

BEGAN = datetime.datetime(2026, 1, 31, 12, 0, tzinfo=datetime.timezone.utc)
SETTINGS = ("MODULE", "FINE_TUNE", "LEARNING_RATE")


def trial(number, *values, state="complete", settings=None, **others):
    names = ("accuracy", "size")
    metrics = dict(zip(names, values, strict=False)) | ({"loss": 1.5} if values else {})
    return Trial(
        **{
            "number": number,
            "state": state,
            "settings": {} if settings is None else settings,
            "values": values or None,
            "metrics": metrics,
            "step": 20 if values else None,
            "seconds": 12.34,
            "started": None if state == "waiting" else BEGAN,
            "model_dir": f"out/trials/{number}",
            **others,
        }
    )


def study(*trials, settings=SETTINGS, objectives=None):
    goals = (Objective("accuracy"),) if objectives is None else tuple(objectives)
    return Study("reviews", goals, settings, trials, "sqlite:///out/sweep.db")


def of_two(*trials):
    return study(*trials, objectives=(Objective("accuracy"), Objective("size", False)))


def text_study(folder="out"):
    """A sweep like that of the text task: three modules, frozen and with two rates."""
    regimes = [{"FINE_TUNE": "False"}] + [
        {"FINE_TUNE": "True", "LEARNING_RATE": rate} for rate in ("0.001", "0.1")
    ]
    chosen = [
        {"MODULE": repr(f"/modules/{module}"), **regime}
        for module in ("own", "token", "<b>random</b>")
        for regime in regimes
    ]
    values = (0.80, 0.84, 0.82, 0.70, 0.74, 0.72, 0.60, None, 0.61)
    error = "LossNotFiniteError: it is nan"
    trials = []
    for number, (settings, value) in enumerate(zip(chosen, values, strict=True)):
        given = {"settings": settings, "model_dir": f"{folder}/trials/{number}"}
        if value is None:
            trials.append(trial(number, state="failed", error=error, **given))
        else:
            trials.append(trial(number, value, **given))
    return study(*trials)
