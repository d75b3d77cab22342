"""What is configurable in these tests, whatever others registered in the same process before."""

from __future__ import annotations

import pytest

from hub_estimator.config import registry

_OTHERS = ("hub_estimator.jobs", "hub_estimator.sweep")


@pytest.fixture(autouse=True, scope="module")
def without_names_of_other_commands():
    """The names of jobs and sweeps, which `train` does not know, are no suggestions here."""
    others = {
        name: known
        for name, known in registry.known_configurables().items()
        if getattr(known.function, "__module__", "").startswith(_OTHERS)
    }
    for name in others:
        del registry._known[name]
    yield
    registry._known.update(others)
