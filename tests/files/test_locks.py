"""Locks between real processes."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import subprocess
import sys
import threading

import pytest

from hub_estimator import errors
from hub_estimator.files import locks

pytestmark = pytest.mark.one_tensorflow

HOLD = """
import sys
import threading
from hub_estimator.files import locks
with getattr(locks, sys.argv[1])(sys.argv[2]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def hold():
    """Holds a lock in another process, which is returned; it ends with its standard input."""
    processes = []

    def start(kind, path):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, kind, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        processes.append(process)
        assert process.stdout.readline() == b"held\n"
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def test_a_lock_that_is_free(tmp_path):
    path = str(tmp_path / "lock")
    with locks.held(path) as waited:
        assert not waited
    with locks.held_if_free(path) as is_held:
        assert is_held
    with locks.held_alone(path):
        pass
    assert os.listdir(tmp_path) == ["lock"]


def test_a_filesystem_without_locks(tmp_path, monkeypatch):
    def without(number):
        def flock(descriptor, operation):
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(fcntl, "flock", flock)

    path, said = str(tmp_path / "lock"), []
    for number in (errno.ENOLCK, errno.ENOTSUP):
        without(number)
        for hold in (locks.held, locks.held_alone):
            with locks.where_possible(hold, path, said.append):
                pass
            with locks.where_possible(hold, path):
                pass
    assert [error.errno for error in said] == [errno.ENOLCK] * 2 + [errno.ENOTSUP] * 2
    without(errno.EIO)
    with pytest.raises(OSError, match="Input/output"), locks.where_possible(locks.held, path):
        pass


def test_what_is_held_where_possible(tmp_path, hold):
    path = str(tmp_path / "lock")
    with locks.where_possible(locks.held, path), locks.held_if_free(path) as is_free:
        assert not is_free
    hold("held_alone", path)
    with (
        pytest.raises(errors.LockHeldError),
        locks.where_possible(locks.held_alone, path, print),
    ):
        pass


def test_a_lock_is_waited_for_and_dies_with_its_holder(tmp_path, hold, monkeypatch):
    monkeypatch.setattr(locks, "_SAY_WAITING_SECS", 0.2)
    path = str(tmp_path / "lock")
    process = hold("held", path)
    said = []

    def waiting():
        said.append(1)
        process.kill()

    with locks.held(path, waiting) as waited:
        assert waited and said


def test_a_lock_that_is_not_free(tmp_path, hold):
    path = str(tmp_path / "lock")
    hold("held", path)
    with locks.held_if_free(path) as is_held:
        assert not is_held
    with pytest.raises(errors.LockHeldError, match="^another process$"), locks.held_alone(path):
        pass
    (tmp_path / "lock.holder").write_text("[" * 100_000)
    with pytest.raises(errors.LockHeldError, match="^another process$"), locks.held_alone(path):
        pass


def test_who_holds_a_lock(tmp_path, hold):
    path = str(tmp_path / "lock")
    process = hold("held_alone", path)
    with pytest.raises(errors.LockHeldError) as caught, locks.held_alone(path):
        pass
    start = f"process {process.pid} on {socket.gethostname()!r} since "
    assert str(caught.value).startswith(start)
    process.kill()
    process.wait()
    assert sorted(os.listdir(tmp_path)) == ["lock", "lock.holder"]
    with locks.held_alone(path):  # what the dead left is written over
        assert f'"pid": {os.getpid()}' in (tmp_path / "lock.holder").read_text()
    assert os.listdir(tmp_path) == ["lock"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes other users")
def test_a_lock_that_another_user_made(open_folder, hold, monkeypatch):
    """Who may read its file may hold it, and waits for who does."""
    monkeypatch.setattr(locks, "_SAY_WAITING_SECS", 0.2)
    path = f"{open_folder}/lock"
    with locks.held(path):
        pass
    os.chmod(path, 0o644)
    process = hold("held", path)
    os.seteuid(65534)
    try:
        with locks.held(path, process.kill) as waited:
            assert waited
        with locks.held(path) as waited:
            assert not waited
    finally:
        os.seteuid(0)
    os.chmod(path, 0o600)
    os.seteuid(65534)
    try:
        with pytest.raises(PermissionError), locks.held(path):
            pass
        with pytest.raises(PermissionError), locks.held(f"{open_folder}/other"):
            pass
    finally:
        os.seteuid(0)


def test_the_umask_decides_who_may_use_a_lock(tmp_path):
    before = os.umask(0o027)
    try:
        with locks.held(str(tmp_path / "lock")):
            assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o640
    finally:
        os.umask(before)


def test_a_folder_is_held_and_dies_with_its_holder(tmp_path, hold):
    process = hold("held_folder", str(tmp_path))
    killed = []

    def kill():
        killed.append(process.pid)
        process.kill()

    threading.Timer(0.3, kill).start()
    with locks.held_folder(str(tmp_path)):
        assert killed
    assert os.listdir(tmp_path) == []


def test_a_folder_that_cannot_be_locked(tmp_path, monkeypatch):
    def refuse(descriptor, operation):
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with locks.held_folder(str(tmp_path)):
        pass
