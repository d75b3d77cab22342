"""A cache that several users share: whose files are taken, and who may repair what."""

from __future__ import annotations

import os
import pathlib
import shutil
import stat
import subprocess
import tempfile
import time

import pytest

import hub_estimator as hub
from hub_estimator import errors
from hub_estimator.resolver import Handle, trust
from tests.resolver.hosting import content as serving
from tests.resolver.hosting import in_turn, module_files, read_folder, start_python, status, tar

pytestmark = pytest.mark.one_tensorflow

FILES = module_files()
ARCHIVE = tar(FILES)
FIRST, SECOND, GROUP = 65534, 54321, 54300
# Becomes another user after its imports, which only this one may be able to read.
RESOLVE = """
import encodings.ascii, encodings.idna, encodings.latin_1, encodings.unicode_escape, os, sys
import filelock, requests, tqdm, urllib3
from hub_estimator import errors, resolve, resolver
user, group, umask, url = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3], 8), sys.argv[4]
os.setgroups([group]), os.setgid(group), os.setuid(user), os.umask(umask)
try:
    print(resolve(url))
except errors.Error as error:
    print(f"{type(error).__name__}: {error}")
"""
needs_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root becomes other users"
)


@pytest.fixture
def shared(monkeypatch):
    """An empty cache folder that a group shares, below folders that everybody may look into."""
    folder = tempfile.mkdtemp(prefix="hub_estimator-test-")
    os.chmod(folder, 0o755)
    cache = os.path.join(folder, "cache")
    os.mkdir(cache)
    os.chown(cache, 0, GROUP) if os.geteuid() == 0 else None
    os.chmod(cache, 0o2775)
    monkeypatch.setenv("TFHUB_CACHE_DIR", cache)
    yield pathlib.Path(cache)
    shutil.rmtree(folder)


def start(user: int, url: str, group: int = GROUP, umask: str = "022") -> subprocess.Popen:
    return start_python(RESOLVE, str(user), str(group), umask, url, HOME="/nowhere")


def resolve_as(user: int, url: str, group: int = GROUP, umask: str = "002") -> str:
    process = start(user, url, group, umask)
    out, told = process.communicate()
    assert process.returncode == 0, told
    return out.strip()


@needs_root
@pytest.mark.parametrize("umask", ["002", "022"])
def test_one_downloads_and_all_use_it(host, shared, umask):
    url = host.serve("/m/1", ARCHIVE)
    folder = resolve_as(FIRST, url, umask=umask)
    assert os.stat(folder).st_uid == FIRST
    assert resolve_as(SECOND, url, umask=umask) == folder
    assert resolve_as(SECOND, url, group=SECOND) == folder  # of no group: may only read
    assert hub.resolve(url) == folder
    assert read_folder(folder) == FILES
    assert len(host.seen) == 1


@needs_root
def test_a_group_repairs_what_one_of_it_downloaded(host, shared):
    url = host.serve("/m/1", ARCHIVE)
    folder = resolve_as(FIRST, url)
    os.truncate(folder + "/saved_model.pb", 3)
    (shared / f".{Handle(url).key}.tmp-killed").mkdir()
    assert resolve_as(SECOND, url) == folder
    assert read_folder(folder) == FILES
    assert os.stat(folder).st_uid == SECOND
    key = Handle(url).key
    assert stat.S_IMODE(os.stat(shared / f".{key}.flock").st_mode) == 0o664


@needs_root
def test_what_one_left_is_in_nobodys_way(host, shared):
    """A lock and the note of a failure, which only their owner may write."""
    host.replies["/m/1"] = in_turn(status(404), serving(ARCHIVE))
    url, key = host.url("/m/1"), Handle(host.url("/m/1")).key
    assert resolve_as(FIRST, url, umask="022").startswith("HandleNotFoundError: ")
    os.chmod(shared, 0o3775)  # where only owners remove
    assert resolve_as(SECOND, url, umask="022") == str(shared / key)
    assert read_folder(shared / key) == FILES
    assert sorted(os.listdir(shared)) == [
        f".{key}.failed", f".{key}.flock", key, f"{key}.descriptor.txt",
    ]  # fmt: skip


@needs_root
def test_one_waits_for_another(host, shared):
    url = host.serve("/m/1", ARCHIVE, piece=1000, pause_secs=0.1)
    processes = [start(user, url) for user in (FIRST, SECOND)]
    assert {process.communicate()[0].strip() for process in processes} == {
        str(shared / Handle(url).key)
    }
    assert len(host.seen) == 1


@needs_root
def test_nobody_is_told_of_anothers_failure(host, shared):
    """The other may have had another login."""

    def refuse(handler):
        time.sleep(1.5)
        status(403)(handler)

    host.replies["/m/1"] = in_turn(refuse, serving(ARCHIVE))
    url = host.url("/m/1")
    first = start(FIRST, url)
    while not host.seen:
        time.sleep(0.01)
    second = start(SECOND, url)
    assert first.communicate()[0].startswith("AccessDeniedError: ")
    assert second.communicate()[0].strip() == str(shared / Handle(url).key)


# --- strangers -------------------------------------------------------------------------------


@pytest.fixture
def entry(host, shared):
    """An entry, a folder, that is there already."""
    return pathlib.Path(hub.resolve(host.serve("/m/1", ARCHIVE)))


@needs_root
@pytest.mark.parametrize("mode", [0o777, 0o1777])
@pytest.mark.parametrize("part", ["", ".descriptor.txt"])
def test_what_a_stranger_put_there_is_not_taken(host, shared, entry, mode, part):
    os.chmod(shared, mode)
    assert hub.resolve(host.url("/m/1")) == str(entry)  # of this user
    path = f"{entry}{part}"
    os.chown(path, FIRST, GROUP)
    with pytest.raises(errors.CacheError) as caught:
        hub.resolve(host.url("/m/1"))
    assert str(caught.value) == (
        f"{host.url('/m/1')} is neither taken from nor put into the cache {shared}: {path} belongs "
        f"to user {FIRST}, and everybody may write to {shared}. Set TFHUB_CACHE_DIR to a folder "
        "that only you, or people you trust, may write to."
    )
    os.chown(shared, FIRST, GROUP)  # who owns the folder may do anything in it
    assert hub.resolve(host.url("/m/1")) == str(entry)
    assert len(host.seen) == 1


@needs_root
def test_a_folder_that_a_stranger_made_where_everybody_may(host, monkeypatch, shared, entry):
    """As `/tmp/tfhub_modules`, before its user came."""
    os.chmod(shared.parent, 0o1777)
    assert hub.resolve(host.url("/m/1")) == str(entry)
    os.chown(shared, FIRST, GROUP)
    with pytest.raises(errors.CacheError, match=f": {shared} belongs to user {FIRST}, and every"):
        hub.resolve(host.url("/m/1"))
    (shared.parent / "link").symlink_to(shared)
    monkeypatch.setenv("TFHUB_CACHE_DIR", f"{shared.parent}/link")
    with pytest.raises(errors.CacheError, match=f": {shared} belongs to user {FIRST}, and every"):
        hub.resolve(host.url("/m/1"))


@needs_root
def test_a_lock_of_a_stranger_is_not_waited_for(host, shared):
    url = host.serve("/m/1", ARCHIVE)
    os.chmod(shared, 0o1777)
    lock = shared / f".{Handle(url).key}.flock"
    lock.touch()
    os.chown(lock, FIRST, GROUP)
    with pytest.raises(errors.CacheError, match=f"{lock} belongs to user {FIRST}"):
        hub.resolve(url)
    assert not host.seen


def test_where_nobody_else_may_write_nobody_is_a_stranger(tmp_path):
    assert not trust.find_stranger(str(tmp_path))
    assert not trust.find_stranger("/")
    assert not trust.find_stranger("/nothing/here")
    (tmp_path / "link").symlink_to("/nothing")
    assert not trust.find_stranger(str(tmp_path / "link"))


def test_a_cache_below_links(host, tmp_path, monkeypatch):
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to("disk")
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "link" / "cache"))
    folder = hub.resolve(host.serve("/m/1", ARCHIVE))
    assert folder.startswith(str(tmp_path / "link"))
    assert read_folder(folder) == FILES


@needs_root
def test_a_cache_that_cannot_be_written_needs_no_lock(host, shared, entry):
    """Also for who may not even lock."""
    os.unlink(shared / f".{entry.name}.flock")
    os.chmod(shared, 0o555)
    assert resolve_as(FIRST, host.url("/m/1")) == str(entry)
    assert sorted(os.listdir(shared)) == [entry.name, f"{entry.name}.descriptor.txt"]
