"""Only regular files are read, and those of Git LFS only where they were fetched."""

from __future__ import annotations

import os
import socket

import pytest
import tensorflow as tf

from hub_estimator import errors, files

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 34\n"


def _pipe(path):
    os.mkfifo(path)


def _socket(path):
    socket.socket(socket.AF_UNIX).bind(path)


@pytest.mark.parametrize("read", [files.read_bytes, files.check_file])
@pytest.mark.parametrize(
    "make, kind",
    [
        (os.mkdir, "a folder"),
        (_pipe, "a named pipe"),
        (lambda path: os.symlink("/dev/zero", path), "a device"),
    ],
)
def test_what_is_no_file_is_not_read(tmp_path, make, kind, read):
    path = str(tmp_path / "x")
    make(path)
    with pytest.raises(errors.NotAFileError) as caught:
        read(path)
    assert str(caught.value) == f"{path!r} is {kind}; a regular file is needed here."


def test_sockets_are_not_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # their paths are short
    _socket("x")
    with pytest.raises(OSError):
        files.read_bytes("x")


@pytest.mark.parametrize("read", [files.read_bytes, files.check_file])
@pytest.mark.parametrize("place", ["local", "ram://"])
def test_pointers_of_git_lfs_are_named(tmp_path, place, read):
    path = f"ram://{tmp_path.name}/x" if place == "ram://" else str(tmp_path / "x")
    with tf.io.gfile.GFile(path, "wb") as file:
        file.write(POINTER)
    with pytest.raises(errors.LfsPointerError) as caught:
        read(path)
    assert str(caught.value) == (
        f"{path!r} is a pointer of Git LFS, not the file that it stands for. Fetch the file: "
        "`git lfs pull` in the repository that it is from."
    )


def test_files_are_read(tmp_path):
    (tmp_path / "x").write_bytes(b"1" * 2000 + POINTER)
    (tmp_path / "link").symlink_to("x")
    for name in ("x", "link"):
        path = str(tmp_path / name)
        assert files.read_bytes(path) == b"1" * 2000 + POINTER
        files.check_file(path)
        with files.open_file(path) as file:
            assert file.read(3) == b"111"


@pytest.mark.parametrize("read", [files.read_bytes, files.check_file])
def test_there_is_no_file(tmp_path, read):
    with pytest.raises(FileNotFoundError):
        read(str(tmp_path / "gone"))
