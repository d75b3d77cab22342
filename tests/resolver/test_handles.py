"""Handles: what is one, which resolver takes it, and what the environment says."""

from __future__ import annotations

import os

import pytest

import hub_estimator as hub
from hub_estimator import errors
from hub_estimator.resolver import (
    ArchiveResolver,
    Cache,
    FolderResolver,
    Handle,
    Settings,
    default_resolvers,
    resolve,
)
from hub_estimator.resolver.contract import ResolverCase, ResolverContract
from hub_estimator.resolver.handle import without_password, without_secrets
from tests.resolver.hosting import module_files, read_folder, tar

FILES = module_files()


@pytest.fixture
def module(tmp_path):
    folder = tmp_path / "home" / "module"
    for name, data in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


# --- parsing ---------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [None, 3, ["/a"], object()])
def test_what_is_no_handle(given):
    with pytest.raises(errors.InvalidHandleError) as caught:
        hub.resolve(given)
    assert isinstance(caught.value, TypeError)
    assert str(caught.value) == (
        f"A handle is a str, bytes or path-like, but {given!r} is a {type(given).__name__}: give "
        "the URL or the folder of the module."
    )


@pytest.mark.parametrize("given", ["", " ", "a\0b", b""])
def test_what_is_an_empty_handle(given):
    with pytest.raises(errors.InvalidHandleError) as caught:
        hub.resolve(given)
    assert isinstance(caught.value, ValueError)
    assert str(caught.value) == (
        f"The handle {given!r} is empty or has a NUL character: give the URL or the folder of the "
        "module."
    )


@pytest.mark.parametrize("given", ["https://", "http:///m/1", "https://[::1/m", "http://:80/m"])
def test_what_is_a_url_without_host(given):
    with pytest.raises(errors.InvalidHandleError) as caught:
        hub.resolve(given)
    assert str(caught.value) == (
        f"The handle {given!r} names no host: write it like https://example.com/module/1."
    )


@pytest.mark.parametrize("given", ["https://a:99999/m", "http://me:secret@a:x/m", "https://a:-1"])
def test_what_is_a_url_without_port(given):
    with pytest.raises(errors.InvalidHandleError) as caught:
        hub.resolve(given)
    assert str(caught.value) == (
        f"The handle {given.replace('me:secret@', '')!r} names no port from 0 to 65535: write it "
        "like https://example.com:8080/module/1."
    )


@pytest.mark.parametrize("given", ["http:/a/b", "https:", "HTTPS:a", "http:\\\\a"])
def test_what_is_almost_a_url(given):
    with pytest.raises(errors.HandleNotFoundError) as caught:
        hub.resolve(given)
    assert str(caught.value) == (
        f"There is nothing at {given!r} (in {os.getcwd()}): a URL is written like "
        "https://example.com/module/1."
    )


def test_handles_without_end():
    with pytest.raises(errors.InvalidHandleError) as caught:
        hub.resolve("https://:" + "9" * 1_000_000)
    assert len(str(caught.value)) < 300


def test_the_key_is_that_of_the_peer():
    # By: printf https://tfhub.dev/google/nnlm-en-dim128/1 | sha1sum
    handle = Handle("https://tfhub.dev/google/nnlm-en-dim128/1")
    assert handle.key == "32f2b2259e1cc8ca58c876921748361283e73997"
    assert Handle.parse(handle) is handle


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("https://a/m/1", "https://a/m/1?tf-hub-format=compressed"),
        ("https://a/m.tgz?raw=true", "https://a/m.tgz?raw=true&tf-hub-format=compressed"),
        ("https://a/m?s=%2F+x&", "https://a/m?s=%2F+x&&tf-hub-format=compressed"),
        ("https://a/m?tf-hub-format=compressed", "https://a/m?tf-hub-format=compressed"),
        ("https://a/m#part", "https://a/m?tf-hub-format=compressed"),
    ],
)
def test_the_question_of_the_hosting_protocol(url, asked):
    assert Handle(url).asking_for("compressed") == asked


def test_secrets_are_taken_out():
    assert without_password("https://me:x@host/a@b?c#d") == "https://host/a@b?c#d"
    assert without_password("https://me:x@host?y=/@z") == "https://host?y=/@z"
    assert without_password("/a/me:x@host") == "/a/me:x@host"
    assert without_secrets("https://me:x@host/a?sig=1#d") == "https://host/a"
    assert str(Handle("https://me:x@host/a")) == "https://host/a"


# --- folders ---------------------------------------------------------------------------------


class TestFolderResolver(ResolverContract):
    @pytest.fixture
    def case(self, module, tmp_path):
        foreign = ("https://a/b", "HTTP://a/b")
        return ResolverCase(FolderResolver(), str(module), str(tmp_path / "nothing"), foreign)


def test_folders_in_all_forms(module):
    for given in (str(module), bytes(module), module, f"file://{module}", "~/module"):
        assert hub.resolve(given) == str(module)


def test_relative_folders_stay_relative(module, monkeypatch):
    monkeypatch.chdir(module.parent)
    assert hub.resolve("module") == "module"
    with pytest.raises(errors.HandleNotFoundError) as caught:
        hub.resolve("nothing")
    assert str(caught.value) == (
        f"There is nothing at 'nothing' (in {module.parent}): check the path of the module."
    )


def test_a_missing_folder(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        hub.resolve(tmp_path / "nothing")
    assert str(caught.value) == (
        f"There is nothing at '{tmp_path}/nothing': check the path of the module."
    )


def test_a_file_that_is_no_archive(module):
    with pytest.raises(errors.NotAModuleError) as caught:
        hub.resolve(module / "saved_model.pb")
    assert str(caught.value) == (
        f"'{module}/saved_model.pb' is a file: give the folder of the module, or its .tar.gz."
    )


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("m.zip", b"PK\x03\x04" + bytes(600), "a zip file"),
        ("m.html", b"<!DOCTYPE html><html>", "a web page"),
        ("m.h5", b"\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras writes models"),
        ("m.pb", b"\x08\x01\x12\x80\x10", "a bare saved_model.pb"),
        ("m.bin", b"\x00\x01", "a file"),
        ("m", b"", "an empty file"),
    ],
)
def test_a_file_is_named_as_what_it_is(tmp_path, name, content, kind):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(errors.NotAModuleError) as caught:
        hub.resolve(tmp_path / name)
    assert str(caught.value) == (
        f"'{tmp_path / name}' is {kind}: give the folder of the module, or its .tar.gz."
    )


def test_what_is_neither_a_folder_nor_a_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(errors.NotAModuleError, match="is neither a folder nor a file: give"):
            hub.resolve(path)


def test_files_that_are_not_for_this_user(open_folder, cache_folder, unprivileged):
    for name in ("m.bin", "m.tar.gz"):
        with open(f"{open_folder}/{name}", "wb") as file:
            file.write(tar(FILES))
        os.chmod(file.name, 0)
    os.mkdir(f"{open_folder}/cache", 0o777)
    os.chmod(f"{open_folder}/cache", 0o777)
    chosen = default_resolvers(Settings(f"{open_folder}/cache"))
    with unprivileged():
        with pytest.raises(errors.NotAModuleError, match="m.bin' is a file: give the folder"):
            resolve(f"{open_folder}/m.bin", chosen)
        with pytest.raises(errors.AccessDeniedError) as caught:
            resolve(f"{open_folder}/m.tar.gz", chosen)
    assert str(caught.value) == (
        f"'{open_folder}/m.tar.gz' cannot be read: Permission denied. Ask its owner for access."
    )


def test_a_pointer_of_git_lfs(tmp_path):
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 34\n"
    (tmp_path / "m.pb").write_bytes(pointer)
    (tmp_path / "m.tar.gz").write_bytes(pointer)
    with pytest.raises(errors.LfsPointerError, match="m.pb' is a pointer of Git LFS, not the file"):
        hub.resolve(tmp_path / "m.pb")
    with pytest.raises(errors.LfsPointerError, match="m.tar.gz' is a pointer of Git LFS, not the"):
        hub.resolve(tmp_path / "m.tar.gz")


def test_remote_folders():
    import tensorflow as tf

    tf.io.gfile.makedirs("ram://handles/m")
    with tf.io.gfile.GFile("ram://handles/m/saved_model.pb", "wb") as file:
        file.write(b"x")
    assert hub.resolve("ram://handles/m") == "ram://handles/m"
    with pytest.raises(errors.HandleNotFoundError, match="There is nothing at 'ram://handles/n':"):
        hub.resolve("ram://handles/n")


def test_a_filesystem_that_nobody_knows():
    with pytest.raises(errors.UnsupportedHandleError) as caught:
        hub.resolve("htps://a/b")
    assert str(caught.value).startswith("'htps://a/b' cannot be read: File system scheme 'htps' ")
    assert str(caught.value).endswith("or a path that tf.io.gfile reads (htps:// is none).")


# --- archives --------------------------------------------------------------------------------


class TestArchiveResolver(ResolverContract):
    @pytest.fixture
    def case(self, tmp_path, cache_folder):
        (tmp_path / "m.tar.gz").write_bytes(tar(FILES))
        settings = Settings(str(cache_folder))
        return ResolverCase(
            ArchiveResolver(Cache(str(cache_folder)), settings),
            str(tmp_path / "m.tar.gz"), str(tmp_path / "n.tgz"), (str(tmp_path), "https://a/m.tgz"),
        )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "mode"), [("m.tar.gz", "w:gz"), ("m.TGZ", "w:gz"), ("m.tar", "w")]
)
def test_local_archives(tmp_path, name, mode, monkeypatch):
    (tmp_path / name).write_bytes(tar(FILES, mode))
    monkeypatch.setenv("HUB_ESTIMATOR_OFFLINE", "1")  # no network is needed
    assert read_folder(hub.resolve(tmp_path / name)) == FILES
    monkeypatch.chdir(tmp_path)
    assert hub.resolve(name) == hub.resolve(tmp_path / name)


def test_a_local_archive_that_is_replaced(tmp_path):
    path = tmp_path / "m.tar.gz"
    path.write_bytes(tar(FILES))
    hub.resolve(path)
    path.write_bytes(tar(module_files(1)))
    assert read_folder(hub.resolve(path)) == module_files(1)


def test_a_folder_named_like_an_archive(module):
    folder = module.rename(module.with_name("m.tar.gz"))
    assert hub.resolve(folder) == str(folder)


@pytest.mark.parametrize(
    ("make", "kind"),
    [(os.mkfifo, "a named pipe"), (lambda path: os.symlink("/dev/zero", path), "a device")],
)
def test_local_archives_that_are_no_files(tmp_path, make, kind):
    make(tmp_path / "m.tar.gz")
    with pytest.raises(
        errors.NotAFileError, match=f"m.tar.gz' is {kind}; a regular file is needed"
    ):
        hub.resolve(tmp_path / "m.tar.gz")


def test_remote_archives_that_are_too_large(monkeypatch):
    import tensorflow as tf

    tf.io.gfile.makedirs("ram://handles")
    with tf.io.gfile.GFile("ram://handles/large.tar.gz", "wb") as file:
        file.write(bytes(1001))
    monkeypatch.setenv("HUB_ESTIMATOR_MAX_UNPACKED_BYTES", "1000")
    with pytest.raises(errors.UnsafeArchiveError) as caught:
        hub.resolve("ram://handles/large.tar.gz")
    assert str(caught.value) == (
        "The archive ram://handles/large.tar.gz has more than 1000 bytes: if it is to be trusted, "
        "raise the limit by HUB_ESTIMATOR_MAX_UNPACKED_BYTES."
    )


def test_remote_archives(monkeypatch):
    import tensorflow as tf

    tf.io.gfile.makedirs("ram://handles")
    with tf.io.gfile.GFile("ram://handles/m.tar.gz", "wb") as file:
        file.write(tar(FILES))
    folder = hub.resolve("ram://handles/m.tar.gz")
    assert read_folder(folder) == FILES
    tf.io.gfile.remove("ram://handles/m.tar.gz")
    assert hub.resolve("ram://handles/m.tar.gz") == folder
    with pytest.raises(errors.HandleNotFoundError):
        hub.resolve("ram://handles/n.tar.gz")
    monkeypatch.setenv("HUB_ESTIMATOR_OFFLINE", "1")
    with pytest.raises(errors.OfflineError):
        hub.resolve("ram://handles/n.tar.gz")


# --- resolvers of one's own ------------------------------------------------------------------


class StoreResolver:
    """Finds `store:<name>` below a folder."""

    def __init__(self, folder):
        self.folder = folder

    def supports(self, handle):
        return handle.text.startswith("store:")

    def __call__(self, handle):
        path = os.path.join(self.folder, handle.text.removeprefix("store:"))
        if not os.path.isdir(path):
            raise errors.HandleNotFoundError(f"The store has no {handle}.")
        return path


class TestStoreResolver(ResolverContract):
    @pytest.fixture
    def case(self, module):
        return ResolverCase(StoreResolver(module.parent), "store:module", "store:n", ("/a",))


def test_a_resolver_of_ones_own(module):
    resolvers = [StoreResolver(module.parent), *default_resolvers()]
    assert resolve("store:module", resolvers) == str(module)
    assert resolve(module, resolvers) == str(module)
    with pytest.raises(errors.HandleNotFoundError):
        resolve("store:module")
    with pytest.raises(errors.UnsupportedHandleError) as caught:
        resolve("/a", resolvers[:1])
    assert str(caught.value) == (
        "None of the resolvers supports the handle '/a': add default_resolvers() to those that "
        "were passed."
    )


# --- settings --------------------------------------------------------------------------------


def test_settings_of_the_environment(tmp_path):
    read = Settings.from_environment(
        {
            "TFHUB_CACHE_DIR": f"file://{tmp_path}",
            "TFHUB_MODEL_LOAD_FORMAT": "UNCOMPRESSED",
            "TFHUB_DOWNLOAD_PROGRESS": "1",
            "TFHUB_DISABLE_CERT_VALIDATION": "true",
            "HUB_ESTIMATOR_OFFLINE": "1",
            "HUB_ESTIMATOR_TIMEOUT_SECS": "1.5",
            "HUB_ESTIMATOR_MAX_UNPACKED_BYTES": "1e9",
        }
    )
    assert read == Settings(
        str(tmp_path), True, "UNCOMPRESSED", True, False, 1.5, max_unpacked_bytes=10**9
    )
    plain = Settings.from_environment({"HUB_ESTIMATOR_OFFLINE": "0", "XDG_CACHE_HOME": "relative"})
    assert plain == Settings(os.path.expanduser("~/.cache/hub_estimator/modules"))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("TFHUB_MODEL_LOAD_FORMAT", "ZIP", "it can be: COMPRESSED, UNCOMPRESSED, AUTO."),
        ("HUB_ESTIMATOR_TIMEOUT_SECS", "soon", "it must be a number above zero."),
        ("HUB_ESTIMATOR_MAX_UNPACKED_BYTES", "-1", "it must be a number above zero."),
        ("HUB_ESTIMATOR_MAX_UNPACKED_BYTES", "nan", "it must be a number above zero."),
        ("HUB_ESTIMATOR_MAX_UNPACKED_BYTES", "inf", "it can be at most 1e+18."),
        ("HUB_ESTIMATOR_TIMEOUT_SECS", "1e300", "it can be at most 1e+06."),
    ],
)
def test_settings_that_mean_nothing(name, value, message):
    with pytest.raises(errors.SettingError) as caught:
        Settings.from_environment({name: value})
    assert str(caught.value) == f"{name} is {value!r}; {message}"


def test_there_is_no_terminal_here():
    assert not Settings.from_environment({}).progress_bar
