"""Checkpoints made in milliseconds, and an Estimator that has one."""

from __future__ import annotations

import contextlib
import resource
import types

import numpy as np
import pytest

from hub_estimator.format.checkpoint import Value, write_checkpoint


@pytest.fixture
def make_checkpoint(tmp_path):
    """Writes a checkpoint of a step, with one value; returns its prefix."""

    def make(step: int, value: float = 0.0) -> str:
        prefix = str(tmp_path / "model" / f"model.ckpt-{step}")
        (tmp_path / "model").mkdir(exist_ok=True)
        values = [Value("global_step", "", np.int64(step)), Value("w", "", np.float32(value))]
        write_checkpoint(prefix, values)
        return prefix

    return make


@pytest.fixture
def estimator_at(make_checkpoint, tmp_path):
    """What exporters ask of an Estimator, at a step."""

    def make(step: int) -> types.SimpleNamespace:
        path = make_checkpoint(step)
        return types.SimpleNamespace(
            model_dir=str(tmp_path / "model"), latest_checkpoint=lambda: path
        )

    return make


@pytest.fixture
def small_files():
    """Limits the size of files that can be written, as a disk that is nearly full does."""

    @contextlib.contextmanager
    def limited(size):
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return limited
