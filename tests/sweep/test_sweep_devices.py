"""Which part of a machine a trial has."""

from __future__ import annotations

import os
import threading

import pytest

from hub_estimator.sweep import devices

pytestmark = pytest.mark.one_tensorflow


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path):
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("TF_FORCE_GPU_ALLOW_GROWTH", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_cores_are_divided_among_workers(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)))
    assert devices.threads(1) == {}
    assert set(devices.threads(2).values()) == {"4"} and len(devices.threads(2)) == 3
    assert set(devices.threads(100).values()) == {"1"}
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert "OMP_NUM_THREADS" not in devices.threads(2)


@pytest.mark.parametrize(
    ("visible", "found"), [("", []), ("-1", []), ("2, 0", ["2", "0"]), ("GPU-a", ["GPU-a"])]
)
def test_gpus_that_the_user_chose(visible, found, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert devices.gpus() == found


def test_gpus_of_the_machine(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    there = ["nvidia10", "nvidia0", "nvidiactl", "nvidia-uvm", "null"]
    monkeypatch.setattr("hub_estimator.files.listing", lambda folder: there)
    assert devices.gpus() == ["0", "10"]


def gpu(use, index, there=("0", "1"), stopping=None):
    return devices.gpu(use, index, there, stopping or threading.Event())


def test_without_gpus_nothing_is_said_of_them():
    with gpu("shared", 0, there=()) as given:
        assert given == {}


def test_workers_share_gpus_where_there_are_more_of_them():
    for index, name in ((0, "0"), (1, "1"), (2, "0")):
        with gpu("shared", index) as given:
            assert given == {"CUDA_VISIBLE_DEVICES": name, "TF_FORCE_GPU_ALLOW_GROWTH": "true"}


def test_trials_take_turns_on_gpus(caplog):
    caplog.set_level("INFO", "hub_estimator")
    with gpu("in_turn", 0) as first, gpu("in_turn", 0) as second:
        assert first["CUDA_VISIBLE_DEVICES"] == "0" and second["CUDA_VISIBLE_DEVICES"] == "1"
        stopping = threading.Event()
        threading.Timer(1.5, stopping.set).start()
        with gpu("in_turn", 0, stopping=stopping):
            assert stopping.is_set()  # none was free until then
    assert caplog.messages == ["waits for a GPU: other trials have all of 0, 1"]
    with gpu("in_turn", 1) as again:
        assert again["CUDA_VISIBLE_DEVICES"] == "1"
