"""The text of data files: from which files it is read, and how much of it."""

from __future__ import annotations

import gzip
import os

import pytest

from hub_estimator import errors
from hub_estimator.training.inputs import data_text, formats

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"


def error_of(path, kind=errors.DataFileError):
    with pytest.raises(kind) as caught:
        data_text.read(str(path), formats.TABLE)
    assert type(caught.value) is kind
    return str(caught.value)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data"


@pytest.mark.parametrize("parts", [1, 2, 40])
def test_gzip_in_parts(path, parts):
    path.write_bytes(b"".join(gzip.compress(f"{part}\n".encode()) for part in range(parts)))
    assert data_text.read(str(path), formats.TABLE).split() == [str(part) for part in range(parts)]


def test_a_pointer_of_git_lfs(path):
    path.write_text(POINTER)
    assert error_of(path, errors.LfsPointerError) == (
        f"{str(path)!r} is a pointer of Git LFS, not the file that it stands for. Fetch the file: "
        "`git lfs pull` in the repository that it is from."
    )


def test_what_is_no_file(path, tmp_path):
    os.mkfifo(path)
    (tmp_path / "zero").symlink_to("/dev/zero")
    for name, kind in [("data", "a named pipe"), ("zero", "a device"), ("", "a folder")]:
        where = str(tmp_path / name)
        assert error_of(where) == (
            f"The data file {where!r} cannot be read: {where!r} is {kind}; a regular file is needed "
            "here."
        )


def test_an_unknown_filesystem():
    assert error_of("zzz://a/b.csv").startswith(
        "The data file 'zzz://a/b.csv' cannot be read: File system scheme 'zzz' not implemented"
    )


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_zeros(path, pack):
    path.write_bytes(pack(b"text,label\na,1\nb,\0\n"))
    assert error_of(path) == (
        f"The data file {str(path)!r} has a byte of zero in line 3: it is damaged, or no text."
    )


def test_zeros_are_not_unpacked(path, monkeypatch):
    monkeypatch.setenv("HUB_ESTIMATOR_MAX_DATA_BYTES", str(2 << 20))
    path.write_bytes(gzip.compress(bytes(64 << 20)))
    assert error_of(path) == (
        f"The data file {str(path)!r} has a byte of zero in line 1: it is damaged, or no text."
    )


def test_more_than_is_unpacked(path, monkeypatch):
    content = b"text,label\n" + b"a" * (3 << 20)
    path.write_bytes(gzip.compress(content))
    monkeypatch.setenv("HUB_ESTIMATOR_MAX_DATA_BYTES", str(len(content) - 1))
    assert error_of(path) == (
        f"The data file {str(path)!r} unpacks to more than 3,145,738 bytes: if it is to be trusted, "
        "raise the limit by HUB_ESTIMATOR_MAX_DATA_BYTES."
    )
    monkeypatch.setenv("HUB_ESTIMATOR_MAX_DATA_BYTES", str(len(content)))
    assert data_text.read(str(path), formats.TABLE) == content.decode()
    path.write_bytes(content * 2)  # as large as it looks
    assert len(data_text.read(str(path), formats.TABLE)) == 2 * len(content)


def test_a_limit_that_is_none(path, monkeypatch):
    monkeypatch.setenv("HUB_ESTIMATOR_MAX_DATA_BYTES", "much")
    path.write_bytes(gzip.compress(b"a"))
    assert error_of(path, errors.SettingError) == (
        "HUB_ESTIMATOR_MAX_DATA_BYTES is 'much'; it must be a number above zero."
    )
