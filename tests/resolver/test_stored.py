"""Handles of stores: folders and archives, through the cache, on a real server of the S3 protocol."""

from __future__ import annotations

import logging
import threading

import pytest

import hub_estimator as hub
from hub_estimator import errors, files
from hub_estimator.resolver import Cache, Handle, Settings, StoredFolderResolver
from hub_estimator.resolver.contract import ResolverCase, ResolverContract
from hub_estimator.resolver.download import readable
from tests import stores
from tests.resolver.hosting import module_files, read_folder, tar

pytestmark = pytest.mark.one_tensorflow

FILES = module_files()


def put(place, content=None):
    for name, data in (FILES if content is None else content).items():
        files.write_bytes(f"{place}/{name}", data)
    return place


def put_key(place, name, data=b"x"):
    """Puts an object under a name that is no path, as only somebody who means harm does."""
    import s3fs

    s3fs.S3FileSystem().call_s3("put_object", Bucket=place.split("/")[2], Key=name, Body=data)


class TestStoredFolderResolver(ResolverContract):
    @pytest.fixture
    def case(self, bucket, cache_folder):
        resolver = StoredFolderResolver(Cache(str(cache_folder)), Settings(str(cache_folder)))
        foreign = ("/a/folder", "gs://a/b", "ram://a", "https://h/m/1", "s3://b/m.tar.gz", "x://y")
        return ResolverCase(resolver, put(f"{bucket}/m/1"), f"{bucket}/m/2", foreign)


def test_folders_are_copied_once(bucket, caplog, monkeypatch):
    place = put(f"{bucket}/m/1")
    with caplog.at_level(logging.INFO, "hub_estimator"):
        folder = hub.resolve(place)
    assert read_folder(folder) == FILES
    assert [
        record.getMessage().partition(" in ")[0]
        for record in caplog.records
        if record.name == "hub_estimator"
    ] == [
        f"Downloading {place}.",
        f"Downloaded {place}: {readable(sum(map(len, FILES.values())))}",
    ]
    monkeypatch.setenv("HUB_ESTIMATOR_OFFLINE", "1")
    files.remove(place)
    assert hub.resolve(place) == folder
    with pytest.raises(errors.OfflineError):
        hub.resolve(f"{bucket}/m/2")


def test_archives_are_copied_once(bucket):
    files.write_bytes(f"{bucket}/m.tar.gz", tar(FILES))
    folder = hub.resolve(f"{bucket}/m.tar.gz")
    assert read_folder(folder) == FILES
    files.remove(f"{bucket}/m.tar.gz")
    assert hub.resolve(f"{bucket}/m.tar.gz") == folder
    with pytest.raises(errors.HandleNotFoundError) as caught:
        hub.resolve(f"{bucket}/n.tar.gz")
    assert str(caught.value) == (
        f"There is nothing at '{bucket}/n.tar.gz': check the path of the module."
    )


def test_many_at_once_copy_once(bucket, caplog):
    place = put(f"{bucket}/m/1")
    found = []
    threads = [threading.Thread(target=lambda: found.append(hub.resolve(place))) for _ in range(4)]
    with caplog.at_level(logging.INFO, "hub_estimator"):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    downloads = [record for record in caplog.records if "Downloaded" in record.getMessage()]
    assert len(downloads) == 1


def test_an_entry_that_was_damaged_is_copied_again(bucket):
    place = put(f"{bucket}/m/1")
    folder = hub.resolve(place)
    with open(f"{folder}/saved_model.pb", "ab") as file:
        file.write(b"more")
    assert hub.resolve(place) == folder
    assert read_folder(folder) == FILES


def test_a_file_that_goes_away_meanwhile(monkeypatch):
    place = put("memory://goes-away/m")
    below = files.files_below

    def and_gone(folder):
        found = below(folder)
        files.remove(f"{folder}/{found[-1].path}")
        return found

    monkeypatch.setattr(files, "files_below", and_gone)
    with pytest.raises(errors.HandleNotFoundError) as caught:
        hub.resolve(place)
    assert str(caught.value).endswith(
        f"is not there any more, or not whole: what {place} leads to changes. Try again once it is "
        "whole."
    )


def test_memory():
    place = put("memory://stored-handles/m")
    assert read_folder(hub.resolve(place)) == FILES


def test_places_of_empty_folders_are_passed_over(bucket):
    place = put(f"{bucket}/m")
    for name in ("m/", "m/assets/"):
        put_key(place, name, b"")
    assert read_folder(hub.resolve(place)) == FILES


# --- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../../x", "its path leads upwards"),
        ("a/../../../x", "its path leads upwards"),
        ("a//x", "its path has a name that is empty or a dot"),
        ("./x", "its path has a name that is empty or a dot"),
        ("a\\x", "its name has a backslash or a control character"),
        ("a\x1b[2J", "its name has a backslash or a control character"),
        ("n" * 300, "its name is too long"),
        ("d/" * 70 + "x", "it is more than 64 folders deep"),
        ("saved_model.pb/x", "a file is in the place of a folder above it"),
    ],
)
def test_hostile_names_are_refused(bucket, cache_folder, name, reason):
    place = put(f"{bucket}/m")
    put_key(place, f"m/{name}")
    with pytest.raises(errors.UnsafeArchiveError) as caught:
        hub.resolve(place)
    assert str(caught.value).startswith(f"The folder {place} holds ")
    assert str(caught.value).endswith(
        f", which is refused: {reason}. A module has only files and folders, by relative paths."
    )
    assert str(caught.value).isprintable()
    assert not list(cache_folder.glob("[0-9a-f]*"))


def test_links_are_refused(monkeypatch):
    """Some of what fsspec reaches has links, as SFTP."""
    import fsspec
    from fsspec.implementations.memory import MemoryFileSystem

    class Linking(MemoryFileSystem):
        def find(self, path, **kwargs):
            found = super().find(path, **kwargs)
            return {name: {**about, "type": "link"} for name, about in found.items()}

    fsspec.register_implementation("linking", Linking, clobber=True)
    place = put("linking://with-links")
    with pytest.raises(
        errors.UnsafeArchiveError, match="which is refused: it is a link or no file"
    ):
        hub.resolve(place)


def test_pointers_of_git_lfs_are_refused(bucket):
    pointer = b"version https://git-lfs.github.com/spec/v1\n"
    place = put(f"{bucket}/m", {**FILES, "assets/x": pointer})
    with pytest.raises(
        errors.LfsPointerError, match="has a pointer of Git LFS in place of 'assets/"
    ):
        hub.resolve(place)


def test_folders_and_archives_that_are_too_large(bucket, monkeypatch):
    monkeypatch.setenv("HUB_ESTIMATOR_MAX_UNPACKED_BYTES", "1000")
    place = put(f"{bucket}/m", {**FILES, "assets/x": bytes(1001)})
    with pytest.raises(errors.UnsafeArchiveError) as caught:
        hub.resolve(place)
    assert str(caught.value) == (
        f"The folder {place} has more than 1000 bytes: if it is to be trusted, raise the limit by "
        "HUB_ESTIMATOR_MAX_UNPACKED_BYTES."
    )
    files.write_bytes(f"{bucket}/m.tar.gz", bytes(1001))
    with pytest.raises(errors.UnsafeArchiveError, match="has more than 1000 bytes"):
        hub.resolve(f"{bucket}/m.tar.gz")


def test_too_many_files(bucket, cache_folder):
    place = put(f"{bucket}/m")
    settings = Settings(str(cache_folder), max_members=1)
    resolver = StoredFolderResolver(Cache(str(cache_folder)), settings)
    with pytest.raises(errors.UnsafeArchiveError) as caught:
        resolver(Handle.parse(place))
    assert str(caught.value) == (
        f"The folder {place} has more than 1 files: a module has a few dozen."
    )


def test_what_is_no_module(bucket):
    files.write_text(f"{bucket}/m/readme.txt", "x")
    with pytest.raises(errors.NotAModuleError) as caught:
        hub.resolve(f"{bucket}/m")
    assert str(caught.value) == (
        f"What {bucket}/m leads to is no module: at its root there is neither tfhub_module.pb nor "
        "saved_model.pb, but readme.txt."
    )
    with pytest.raises(errors.NotAModuleError) as caught:
        hub.resolve(f"{bucket}/m/readme.txt")
    assert str(caught.value) == (
        f"'{bucket}/m/readme.txt' is a file: give the folder of the module, or its .tar.gz."
    )


# --- what is missing, and what must not be told ----------------------------------------------


def test_a_driver_that_is_missing_is_named():
    with pytest.raises(errors.MissingExtraError) as caught:
        hub.resolve("az://container/m/1")
    assert str(caught.value) == (
        "'az://container/m/1' needs a library that reaches az://: pip install adlfs."
    )


def test_without_fsspec_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(files.stores, "is_installed", lambda: False)
    with pytest.raises(errors.UnsupportedHandleError) as caught:
        hub.resolve("s3://bucket/m/1")
    assert "For stores: `pip install 'hub_estimator[remote]'`." in str(caught.value)


def test_no_login_is_told_or_written_down(caplog, cache_folder):
    import fsspec
    from fsspec.implementations.memory import MemoryFileSystem

    class Login(MemoryFileSystem):
        """Takes a login in its path, as SFTP does."""

        protocol = ("login",)

        @classmethod
        def _strip_protocol(cls, path):
            return super()._strip_protocol(path.rpartition("@")[2])

    fsspec.register_implementation("login", Login, clobber=True)
    place = put("login://me:my-password@with-logins")
    with caplog.at_level(logging.DEBUG, "hub_estimator"):
        folder = hub.resolve(place)
        with pytest.raises(errors.HandleNotFoundError) as caught:
            hub.resolve("login://me:my-password@nothing")
    assert read_folder(folder) == FILES
    told = [str(caught.value), caplog.text]
    told += [path.read_text() for path in cache_folder.glob("*.txt")]
    assert not any("my-password" in text for text in told)


def test_keys_of_the_environment_are_not_told(bucket, caplog, other_login, cache_folder):
    other_login.setenv("AWS_SECRET_ACCESS_KEY", "my-password")
    other_login.setenv("AWS_SESSION_TOKEN", "my-token")
    stores.forget()
    place = put(f"{bucket}/m/1")
    with caplog.at_level(logging.DEBUG, "hub_estimator"):
        hub.resolve(place)
        with pytest.raises(errors.HandleError) as caught:
            hub.resolve(f"{bucket}/m/2")
    told = [str(caught.value), *(record.getMessage() for record in caplog.records)]
    told += [path.read_text() for path in cache_folder.glob("*.txt")]
    assert not any("my-password" in text or "my-token" in text for text in told)


def test_no_host_chooses_a_store(host, monkeypatch):
    """It may name a bucket that TensorFlow reads, as the hosting protocol has it."""
    from tests.resolver.hosting import status

    monkeypatch.setenv("TFHUB_MODEL_LOAD_FORMAT", "UNCOMPRESSED")
    put("memory://named-by-a-host")
    host.replies["/m/1"] = status(303, b"memory://named-by-a-host")
    with pytest.raises(errors.DownloadError, match="which is no bucket"):
        hub.resolve(host.url("/m/1"))
