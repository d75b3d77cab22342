"""What TensorBoard lacks to start."""

from __future__ import annotations

import importlib.metadata
import importlib.util

import pytest

from hub_estimator import compat


@pytest.mark.parametrize(
    ("version", "has_pkg_resources", "missing"),
    [
        (None, True, "tensorboard"),
        ("2.15.2", True, None),
        ("2.15.2", False, "setuptools<82"),
        ("2.20.0", False, "setuptools<82"),
        ("2.21.0", False, None),
        ("2.22.0a1", False, None),
    ],
)
def test_what_is_missing(monkeypatch, version, has_pkg_resources, missing):
    there = {"tensorboard": version is not None, "pkg_resources": has_pkg_resources}
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: there[name] or None)
    monkeypatch.setattr(importlib.metadata, "version", lambda name: version)
    assert compat.missing_for_tensorboard() == missing
