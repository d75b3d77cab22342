"""Commands set up the log of the process; tests put it back."""

from __future__ import annotations

import logging

import pytest


@pytest.fixture(autouse=True)
def restored_log():
    states = []
    for name in ("hub_estimator", "tensorflow"):
        logger = logging.getLogger(name)
        states.append((logger, list(logger.handlers), logger.level, logger.propagate))
    yield
    for logger, handlers, level, propagate in states:
        logger.handlers[:] = handlers
        logger.setLevel(level)
        logger.propagate = propagate
