"""Stores: what `fsspec` reaches, on a real server of the S3 protocol and in memory."""

from __future__ import annotations

import errno
import importlib.util
import os
import secrets
import subprocess
import sys

import pytest

from hub_estimator import errors, files
from tests import stores

pytestmark = pytest.mark.one_tensorflow


@pytest.fixture(params=["s3", "memory"])
def place(request):
    """An empty place of a store."""
    if request.param == "s3":
        return f"{request.getfixturevalue('bucket')}/place"
    return f"memory://{secrets.token_hex(6)}/place"


def test_what_is_a_store():
    assert files.is_store("s3://bucket/x")
    assert files.is_store("memory://x")
    for path in ("gs://x", "ram://x", "htps://x", "/x", "file:///x", "local:///x", "https://x/y"):
        assert not files.is_store(path)
    assert not files.is_store("zip://x::s3://bucket/y.zip")


def test_files_and_folders(place):
    assert not files.exists(place)
    assert not files.is_folder(place)
    files.make_folder(place)
    files.write_text(f"{place}/a/one.txt", "one")
    files.write_text(f"{place}/two.txt", "zwei")
    files.write_text(f"{place}/two.txt", "two")
    assert files.listing(place) == ["a", "two.txt"]
    assert files.is_folder(f"{place}/a")
    assert files.exists(f"{place}/two.txt")
    assert not files.is_folder(f"{place}/two.txt")
    assert files.size(f"{place}/a/one.txt") == 3
    assert stores.content(place) == {"a/one.txt": b"one", "two.txt": b"two"}
    with files.open_file(f"{place}/two.txt") as file:
        assert file.read(2) == b"tw"
        assert file.seek(1) == 1
        assert file.read() == b"wo"
    files.remove(f"{place}/a")
    files.remove(f"{place}/nothing")
    assert files.listing(place) == ["two.txt"]


def test_copies_and_moves(place, tmp_path):
    (tmp_path / "local").write_text("x")
    files.copy_file(str(tmp_path / "local"), f"{place}/a.txt")
    files.copy_file(f"{place}/a.txt", f"{place}/b.txt")
    files.copy_file(f"{place}/b.txt", str(tmp_path / "back"))
    assert (tmp_path / "back").read_text() == "x"
    with pytest.raises(FileExistsError):
        files.move(f"{place}/a.txt", f"{place}/b.txt")
    files.move(f"{place}/a.txt", f"{place}/c.txt")
    assert sorted(stores.content(place)) == ["b.txt", "c.txt"]


def test_a_file_that_fails_while_it_is_written_is_not_there(place):
    with pytest.raises(ZeroDivisionError), files.whole_file(f"{place}/x") as file:
        file.write(b"half")
        _ = 1 / 0
    assert not files.exists(f"{place}/x")


def test_one_of_many_that_put_a_file_is_the_first(bucket, tmp_path):
    """Of processes at once, so that none knows of another."""
    program = (
        "import sys\nfrom hub_estimator import files\nsys.stdin.readline()\n"
        "print(files.put_new(sys.argv[1], sys.argv[2]))"
    )
    (tmp_path / "local").write_text("x")
    command = [sys.executable, "-c", program, str(tmp_path / "local"), f"{bucket}/x"]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    answers = [process.communicate("\n", timeout=120)[0].strip() for process in started]
    assert sorted(answers) == ["False", "False", "False", "True"]
    assert not files.put_new(str(tmp_path / "local"), f"{bucket}/x")


def test_the_condition_is_the_stores_own(bucket, tmp_path):
    """Not a question before: between that and the answer there is time."""
    (tmp_path / "local").write_text("x")
    store = files.stores.Store()
    store.put(str(tmp_path / "local"), f"{bucket}/x", mode="create")
    with pytest.raises(FileExistsError):
        store.put(str(tmp_path / "local"), f"{bucket}/x", mode="create")


def test_browsers_are_told_what_a_file_is(bucket):
    import s3fs

    files.write_text(f"{bucket}/index.html", "<!doctype html>")
    assert s3fs.S3FileSystem().info(f"{bucket}/index.html")["ContentType"] == "text/html"


def test_a_bucket_that_is_not_there_is_not_made(bucket):
    with pytest.raises(FileNotFoundError) as caught:
        files.write_text("s3://not-there/a/x", "x")
    assert str(caught.value) == "[Errno 2] No such file or directory: 's3://not-there/a/x'"
    assert not files.exists("s3://not-there")


def test_what_others_wrote_meanwhile_is_seen(bucket):
    import s3fs

    assert files.listing(bucket) == []
    other = s3fs.S3FileSystem(skip_instance_cache=True)
    other.pipe_file(f"{bucket}/x", b"x")
    assert files.listing(bucket) == ["x"]


def test_a_folder_is_no_file(place):
    files.write_text(f"{place}/a/b", "x")
    with pytest.raises(errors.NotAFileError) as caught:
        files.read_bytes(f"{place}/a")
    assert str(caught.value) == f"'{place}/a' is a folder; a regular file is needed here."


def test_files_that_are_not_read_at_once(place, monkeypatch):
    monkeypatch.setattr(files.stores, "_AT_ONCE", 10)
    files.write_bytes(f"{place}/large", bytes(range(256)) * 100)
    with files.open_file(f"{place}/large") as file:
        assert file.read(3) == b"\0\1\2" and file.tell() == 3
        file.seek(-1, os.SEEK_END)
        assert file.read() == b"\xff"
    assert files.read_bytes(f"{place}/large") == bytes(range(256)) * 100


def test_a_full_disk_here_is_not_laid_to_the_store(monkeypatch, tmp_path):
    from fsspec.implementations.memory import MemoryFileSystem

    def full(self, path, target, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    files.write_text("memory://to-a-full-disk/x", "x")
    monkeypatch.setattr(MemoryFileSystem, "get_file", full)
    with pytest.raises(OSError, match="No space left on device") as caught:
        files.copy_file("memory://to-a-full-disk/x", str(tmp_path / "x"))
    assert not isinstance(caught.value, errors.Error)


@pytest.mark.parametrize(("times", "is_put"), [(2, True), (3, False)])
def test_a_store_that_asks_to_try_again(monkeypatch, tmp_path, times, is_put):
    """As S3 does where two write at once."""
    failures = iter([True] * times)
    put = files.stores.Store.put

    def busy(store, source, path, mode="overwrite"):
        if next(failures, False):
            raise errors.RemotePlaceError("ConditionalRequestConflict")
        put(store, source, path, mode)

    monkeypatch.setattr(files.stores.Store, "put", busy)
    monkeypatch.setattr(files.stores, "_PAUSE_SECS", 0.0)
    (tmp_path / "x").write_text("x")
    path = f"memory://busy/{times}"
    if is_put:
        assert files.put_new(str(tmp_path / "x"), path)
    else:
        with pytest.raises(errors.RemotePlaceError):
            files.put_new(str(tmp_path / "x"), path)


# --- credentials -----------------------------------------------------------------------------


def test_a_store_without_credentials(bucket, other_login):
    other_login.delenv("AWS_ACCESS_KEY_ID")
    other_login.delenv("AWS_SECRET_ACCESS_KEY")
    other_login.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nothing")
    stores.forget()
    with pytest.raises(errors.RemotePlaceError) as caught:
        files.exists(f"{bucket}/x")
    assert str(caught.value) == (
        f"'{bucket}/x' cannot be used: Unable to locate credentials. Check the path, the network, and "
        "the credentials where the library of the store looks for them."
    )


def test_no_secret_is_in_an_error(monkeypatch):
    """Neither one of the path nor one of the environment, whatever the library says of it."""
    import fsspec
    from fsspec.implementations.memory import MemoryFileSystem

    class Talkative(MemoryFileSystem):
        def info(self, path, **kwargs):
            raise RuntimeError(
                f"no {path} for {os.environ['STORE_SECRET_KEY']} at http://u:pass@h/x?sig=abcdef"
            )

    monkeypatch.setenv("STORE_SECRET_KEY", "from-the-environment")
    fsspec.register_implementation("talkative", Talkative, clobber=True)
    with pytest.raises(errors.RemotePlaceError) as caught:
        files.exists("talkative://me:my-password@bucket/x")
    assert "'talkative://bucket/x' cannot be used: no " in str(caught.value)
    for secret in ("my-password", "from-the-environment", "pass@", "abcdef"):
        assert secret not in str(caught.value)


def test_a_login_that_s3_takes_for_a_name_is_in_no_error(bucket):
    with pytest.raises(errors.RemotePlaceError) as caught:
        files.exists("s3://AKIA:my-secret@bucket/x")
    assert str(caught.value).startswith("'s3://bucket/x' cannot be used: ")
    assert "my-secret" not in str(caught.value)
    assert "AKIA" not in str(caught.value)


# --- what is missing -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "error_type", "message"),
    [
        (
            "gs://bucket/x",
            errors.MissingExtraError,
            "'gcs://bucket/x' needs a library that reaches gcs://: pip install gcsfs.",
        ),
        (
            "sftp://host/x",
            errors.MissingExtraError,
            "'sftp://host/x' needs a library that reaches sftp://: pip install paramiko.",
        ),
        (
            "https://host/x",
            errors.UnsupportedHandleError,
            (
                "Site.path is 'https://host/x', and no store is known that is written to by such a path. "
                "Give a folder of this machine, or one like s3://bucket/folder."
            ),
        ),
        (
            "s3://",
            errors.UnsupportedHandleError,
            (
                "Site.path is 's3://', and no store is known that is written to by such a path. Give a "
                "folder of this machine, or one like s3://bucket/folder."
            ),
        ),
        (
            "s3://key:secret@bucket/x",
            errors.InvalidSettingError,
            (
                "Site.path is 's3://bucket/x' with a login, which would be written down in many places. "
                "Leave it out, and put it where the library of the store looks for it."
            ),
        ),
    ],
)
def test_places_that_cannot_be_written_to(path, error_type, message):
    with pytest.raises(error_type) as caught:
        files.as_store("Site.path", path)
    assert str(caught.value) == message


def test_places_that_can(monkeypatch):
    assert files.as_store("Site.path", "s3://bucket/x/") == "s3://bucket/x"
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "fsspec" else found(name)
    )
    assert not files.is_store("s3://bucket/x")
    with pytest.raises(errors.MissingExtraError) as caught:
        files.as_store("Site.path", "s3://bucket/x")
    assert str(caught.value) == (
        "Site.path is 's3://bucket/x', which needs: pip install 'hub_estimator[remote]'."
    )


def test_stores_need_no_tensorflow():
    program = (
        "import sys; from hub_estimator import files; files.write_text('memory://a/b', 'x'); "
        "print(files.listing('memory://a'), 'tensorflow' in sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout == "['b'] False\n"
