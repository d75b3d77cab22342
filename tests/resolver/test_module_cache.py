"""The cache: whole or absent, repaired when damaged, readable without writing, never in the way."""

from __future__ import annotations

import json
import logging
import os
import pathlib
import random
import re
import shutil
import stat
import time

import pytest

import hub_estimator as hub
from hub_estimator import errors, files
from hub_estimator.resolver import Cache, Handle, entry
from hub_estimator.resolver.descriptor import Descriptor, FileRecord, find_visible_damage
from hub_estimator.resolver.entry import CacheEntry
from hub_estimator.resolver.module_cache import Fetched
from tests.resolver.hosting import module_files, read_folder, start_python, tar

pytestmark = pytest.mark.one_tensorflow

# The variables are large enough to be trusted by their times.
FILES = module_files(large=1_200_000)
ARCHIVE = tar(FILES)


@pytest.fixture
def url(host):
    return host.serve("/m/1", ARCHIVE)


def entry_of(folder: str) -> dict:
    return json.loads(pathlib.Path(folder + ".descriptor.txt").read_text())


def test_an_entry_and_its_descriptor(url, cache_folder):
    folder = hub.resolve(url)
    assert folder == str(cache_folder / Handle(url).key)
    assert re.fullmatch("[0-9a-f]{40}", os.path.basename(folder))
    written = entry_of(folder)
    assert written["handle"] == url
    assert written["source"] == url
    assert written["archive_bytes"] == len(ARCHIVE)
    assert re.fullmatch("[0-9a-f]{64}", written["archive_sha256"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", written["downloaded"])
    assert {name: record["size"] for name, record in written["files"].items()} == {
        name: len(data) for name, data in FILES.items()
    }
    assert sorted(os.listdir(cache_folder)) == [
        f".{Handle(url).key}.flock", Handle(url).key, Handle(url).key + ".descriptor.txt",
    ]  # fmt: skip


def test_files_are_as_the_umask_says(url):
    folder = hub.resolve(url)
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(os.stat(folder).st_mode) == 0o777 & ~mask
    assert stat.S_IMODE(os.stat(folder + "/saved_model.pb").st_mode) == 0o666 & ~mask


def test_the_default_folder_is_persistent(monkeypatch, tmp_path, url):
    monkeypatch.delenv("TFHUB_CACHE_DIR")
    assert hub.resolve(url).startswith(str(tmp_path / "home/.cache/hub_estimator/modules/"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert hub.resolve(url).startswith(str(tmp_path / "xdg/hub_estimator/modules/"))


def test_a_remote_cache_is_refused_when_it_is_needed(monkeypatch, tmp_path, url):
    monkeypatch.setenv("TFHUB_CACHE_DIR", "gs://bucket/cache")
    assert hub.resolve(tmp_path) == str(tmp_path)
    with pytest.raises(errors.SettingError) as caught:
        hub.resolve(url)
    assert str(caught.value) == (
        "TFHUB_CACHE_DIR is 'gs://bucket/cache', but the cache needs a local folder: set it to "
        "one, or set TFHUB_MODEL_LOAD_FORMAT=UNCOMPRESSED to read modules from their bucket."
    )


# --- damages ---------------------------------------------------------------------------------


def _files(folder):
    return sorted(path for path in pathlib.Path(folder).rglob("*") if path.is_file())


def _flip(path, numbers, keep_times=False):
    times = path.stat()
    data = bytearray(path.read_bytes())
    data[numbers.randrange(len(data))] ^= 1 << numbers.randrange(8)
    with open(path, "r+b") as file:  # in place: the same inode, the same size
        file.write(data)
    if keep_times:
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def _swap(folder, path, numbers):
    other = numbers.choice(_files(folder))
    first, second = path.read_bytes(), other.read_bytes()
    path.write_bytes(second)
    other.write_bytes(first)


def _link(path):
    data = path.read_bytes()
    path.unlink()
    elsewhere = path.parent.parent / "elsewhere"
    elsewhere.write_bytes(data)
    path.symlink_to(elsewhere)


def _link_folder(folder, numbers):
    moved = pathlib.Path(folder, numbers.choice(["variables", "assets"]))
    moved.rename(folder + ".moved")
    moved.symlink_to(folder + ".moved")


def _pipe(path):
    path.unlink()
    os.mkfifo(path)


DAMAGES = {
    "missing": lambda folder, path, numbers: path.unlink(),
    "truncated": lambda folder, path, numbers: os.truncate(
        path, numbers.randrange(path.stat().st_size)),
    "extended": lambda folder, path, numbers: path.write_bytes(path.read_bytes() + b"x"),
    "bit flipped": lambda folder, path, numbers: _flip(path, numbers),
    "bit flipped, times kept": lambda folder, path, numbers: _flip(path, numbers, True),
    "zeroed": lambda folder, path, numbers: path.write_bytes(bytes(path.stat().st_size)),
    "emptied": lambda folder, path, numbers: path.write_bytes(b""),
    "swapped": lambda folder, path, numbers: _swap(folder, path, numbers),
    "renamed": lambda folder, path, numbers: path.rename(path.with_name("other")),
    "a link": lambda folder, path, numbers: _link(path),
    "a linked folder": lambda folder, path, numbers: (
        shutil.rmtree(folder + ".moved", ignore_errors=True), _link_folder(folder, numbers)),
    "a link as the entry": lambda folder, path, numbers: (
        shutil.rmtree(folder + ".moved", ignore_errors=True),
        os.rename(folder, folder + ".moved"), os.symlink(folder + ".moved", folder)),
    "a pipe": lambda folder, path, numbers: _pipe(path),
    "a device": lambda folder, path, numbers: (path.unlink(), path.symlink_to("/dev/zero")),
    "descriptor a pipe": lambda folder, path, numbers: _pipe(
        pathlib.Path(folder + ".descriptor.txt")),
    "descriptor a device": lambda folder, path, numbers: (
        os.unlink(folder + ".descriptor.txt"),
        os.symlink("/dev/zero", folder + ".descriptor.txt")),
    "descriptor a folder": lambda folder, path, numbers: (
        os.unlink(folder + ".descriptor.txt"), os.makedirs(folder + ".descriptor.txt/x")),
    "a folder": lambda folder, path, numbers: (path.unlink(), path.mkdir()),
    "cleaned": lambda folder, path, numbers: [file.unlink() for file in _files(folder)],
    "folder lost": lambda folder, path, numbers: shutil.rmtree(
        numbers.choice([folder, f"{folder}/variables", f"{folder}/assets"])),
    "stray": lambda folder, path, numbers: pathlib.Path(
        folder, numbers.choice(["saved_model.pbtxt", "variables/variables.data-00000-of-00002"])
    ).write_bytes(b"x"),
    "descriptor flipped": lambda folder, path, numbers: _flip(
        pathlib.Path(folder + ".descriptor.txt"), numbers),
    "descriptor truncated": lambda folder, path, numbers: os.truncate(
        folder + ".descriptor.txt", numbers.randrange(1, 300)),
    "descriptor emptied": lambda folder, path, numbers: os.truncate(
        folder + ".descriptor.txt", 0),
    "a file instead": lambda folder, path, numbers: (
        shutil.rmtree(folder), pathlib.Path(folder).write_bytes(b"x")),
}  # fmt: skip


def test_two_hundred_damages_are_repaired_or_refused(url, monkeypatch):
    """Seeded; every fifth offline, where the entry is refused if it is not whole."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)  # of what is soon replaced
    folder = hub.resolve(url)
    kinds = sorted(DAMAGES)
    refused = 0
    for seed in range(200):
        numbers = random.Random(seed)
        damage = kinds[seed % len(kinds)]
        DAMAGES[damage](folder, numbers.choice(_files(folder)), numbers)
        if seed % 5 == 0:
            monkeypatch.setenv("HUB_ESTIMATOR_OFFLINE", "1")
            try:
                assert read_folder(hub.resolve(url)) == FILES, (seed, damage)
            except errors.OfflineError:
                refused += 1
            monkeypatch.delenv("HUB_ESTIMATOR_OFFLINE")
        assert hub.resolve(url) == folder
        content = read_folder(folder)
        assert {name: content.get(name) for name in FILES} == FILES, (seed, damage)
    assert refused > 30


def test_a_damaged_entry_is_fetched_once(host, url, caplog):
    folder = hub.resolve(url)
    os.truncate(folder + "/saved_model.pb", 100)
    hub.resolve(url)
    hub.resolve(url)
    assert len(host.seen) == 2
    assert caplog.messages == [
        f"Fetching {url} again: its cache entry is damaged, saved_model.pb has 100 bytes, not 2000."
    ]


@pytest.mark.parametrize(
    ("make", "damage"),
    [
        (lambda path: os.symlink("tfhub_module.pb", path), "saved_model.pb is a link"),
        (os.mkfifo, "saved_model.pb is no file"),
        (lambda path: os.symlink("/dev/zero", path), "saved_model.pb is a link"),
    ],
)
@pytest.mark.parametrize("described", [True, False])
def test_only_files_of_an_entry_are_opened(url, caplog, make, damage, described):
    folder = hub.resolve(url)
    if not described:  # as an entry of the peer
        os.unlink(folder + ".descriptor.txt")
    os.unlink(folder + "/saved_model.pb")
    make(folder + "/saved_model.pb")
    assert read_folder(hub.resolve(url)) == FILES
    assert caplog.messages == [f"Fetching {url} again: its cache entry is damaged, {damage}."]


def test_an_entry_that_is_a_link(url, caplog, tmp_path):
    """What it leads to may be anybody's, and stays as it is."""
    folder = hub.resolve(url)
    os.rename(folder, tmp_path / "moved")
    os.symlink(tmp_path / "moved", folder)
    assert hub.resolve(url) == folder
    assert not os.path.islink(folder)
    assert read_folder(tmp_path / "moved") == FILES
    assert caplog.messages == [f"Fetching {url} again: its cache entry is damaged, it is a link."]


def test_folders_that_are_deeper_than_functions_may_call_themselves(tmp_path):
    """Of an entry, where somebody made them: they are looked through, and removed if possible."""
    program = (
        "import os, sys\n"
        "from hub_estimator import resolve\n"
        "from hub_estimator.resolver import Cache, Handle\n"
        "folder = resolve(sys.argv[1])\n"
        "os.makedirs(folder + '/a' * 300)\n"
        "cache = Cache(os.path.dirname(folder))\n"
        "entry = cache.entry(Handle(sys.argv[1]))\n"
        "sys.setrecursionlimit(120)\n"
        "assert (entry.damage(), entry.size) == ('', 1), entry\n"
        "cache.remove(entry)\n"
        "assert not entry.is_there\n"
    )
    (tmp_path / "m.tar").write_bytes(tar({"saved_model.pb": b"x"}, "w"))
    process = start_python(program, str(tmp_path / "m.tar"))
    assert process.communicate() == ("", "")


def test_a_damaged_entry_that_cannot_be_fetched_again(url, monkeypatch):
    folder = hub.resolve(url)
    os.unlink(folder + "/saved_model.pb")
    monkeypatch.setenv("HUB_ESTIMATOR_OFFLINE", "1")
    with pytest.raises(errors.OfflineError) as caught:
        hub.resolve(url)
    assert str(caught.value) == (
        f"HUB_ESTIMATOR_OFFLINE is set, but {url} cannot be used from the cache "
        f"{os.path.dirname(folder)}: saved_model.pb is missing. Fetch it once with the network, "
        "or set TFHUB_CACHE_DIR to a cache that has it."
    )


def test_a_lost_descriptor_alone_is_no_damage(host, url):
    """Such are the entries that people unpack into the cache by hand."""
    folder = hub.resolve(url)
    os.unlink(folder + ".descriptor.txt")
    assert read_folder(hub.resolve(url)) == FILES
    assert len(host.seen) == 1


def test_files_that_others_put_there_are_no_damage(host, url):
    folder = hub.resolve(url)
    pathlib.Path(folder, ".DS_Store").write_bytes(b"x")
    hub.resolve(url)
    assert len(host.seen) == 1
    assert os.path.exists(folder + "/.DS_Store")


def test_a_copied_cache_is_read_once(host, url, monkeypatch, tmp_path):
    folder = hub.resolve(url)
    shutil.copytree(tmp_path / "cache", tmp_path / "copy")  # other times, the same content
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "copy"))
    before = entry_of(str(tmp_path / "copy" / os.path.basename(folder)))
    copy = hub.resolve(url)
    assert entry_of(copy)["files"] != before["files"]
    after = entry_of(copy)
    hub.resolve(url)
    assert entry_of(copy) == after
    assert len(host.seen) == 1


def test_use_is_quick(url):
    hub.resolve(url)
    start = time.perf_counter()
    for _ in range(20):
        hub.resolve(url)
    assert (time.perf_counter() - start) / 20 < 0.05


def test_the_folder_removed_after_resolving(host, url):
    folder = hub.resolve(url)
    shutil.rmtree(os.path.dirname(folder))
    with pytest.raises(OSError):
        hub.load_module_spec(folder)
    assert read_folder(hub.resolve(url)) == FILES
    assert len(host.seen) == 2


# --- what the disk allows --------------------------------------------------------------------


def test_a_cache_that_cannot_be_written(host, url, open_folder, monkeypatch, unprivileged):
    monkeypatch.setenv("TFHUB_CACHE_DIR", open_folder)
    folder = hub.resolve(url)
    lock = f"{open_folder}/.{os.path.basename(folder)}.flock"
    os.unlink(lock)
    os.chmod(open_folder, 0o555)
    with unprivileged():
        assert hub.resolve(url) == folder
        assert not os.path.exists(lock)
        start = time.monotonic()
        with pytest.raises(errors.CacheError) as caught:
            hub.resolve(host.url("/m/2"))
    assert time.monotonic() - start < 2
    assert re.fullmatch(
        re.escape(f"The entry of {host.url('/m/2')} in the cache {open_folder} cannot be written ")
        + re.escape("(it is not there): ")
        + r"Permission denied[^.]*\. Set TFHUB_CACHE_DIR to a folder that you may write to\.",
        str(caught.value),
    )


def test_a_damaged_entry_that_cannot_be_written(url, open_folder, monkeypatch, unprivileged):
    monkeypatch.setenv("TFHUB_CACHE_DIR", open_folder)
    os.unlink(hub.resolve(url) + "/assets/words.txt")
    os.chmod(open_folder, 0o555)
    with (
        unprivileged(),
        pytest.raises(
            errors.CacheError,
            match=r"cannot be written \(assets/words.txt is missing\): Permission",
        ),
    ):
        hub.resolve(url)


def test_a_copied_cache_that_cannot_be_written(host, url, open_folder, monkeypatch, unprivileged):
    shutil.copytree(os.path.dirname(hub.resolve(url)), open_folder, dirs_exist_ok=True)
    monkeypatch.setenv("TFHUB_CACHE_DIR", open_folder)
    os.chmod(open_folder, 0o555)
    with unprivileged():
        assert read_folder(hub.resolve(url)) == FILES
    assert len(host.seen) == 1


def test_a_cache_folder_that_is_a_file(url, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(errors.CacheError, match="File exists. Set TFHUB_CACHE_DIR to a usable"):
        hub.resolve(url)


def test_a_full_disk(url, cache_folder):
    program = (
        "import resource, sys\n"
        "from hub_estimator import resolve\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))\n"
        "resolve(sys.argv[1])"
    )
    _, told = start_python(program, url).communicate()
    assert told.splitlines()[-1] == (
        f"hub_estimator.errors.CacheError: The entry of {url} in the cache {cache_folder} cannot "
        "be written (it is not there): File too large. Make room (python -m hub_estimator.cache "
        "clear), or set TFHUB_CACHE_DIR to a folder on a larger disk."
    )
    assert os.listdir(cache_folder) == [f".{Handle(url).key}.flock"]
    assert read_folder(hub.resolve(url)) == FILES


def test_an_interrupted_fetch_leaves_nothing(tmp_path):
    def fetch(folder, spare):
        pathlib.Path(folder, "saved_model.pb").write_bytes(b"x")
        raise KeyboardInterrupt

    cache = Cache(str(tmp_path / "c"))
    with pytest.raises(KeyboardInterrupt):
        cache.get(Handle("https://a/b"), fetch)
    assert os.listdir(cache.folder) == [f".{Handle('https://a/b').key}.flock"]


def test_what_is_written_is_flushed_before_it_is_there(url, monkeypatch):
    """After a power cut there is what was before, or the whole entry."""
    done = []
    fsync, rename = os.fsync, os.rename

    def flush(descriptor):
        done.append(os.path.basename(os.readlink(f"/proc/self/fd/{descriptor}")))
        fsync(descriptor)

    def move(source, target):
        done.append(f"move {os.path.basename(source)}")
        rename(source, target)

    monkeypatch.setattr(os, "fsync", flush)
    monkeypatch.setattr(os, "rename", move)
    folder = hub.resolve(url)
    before, after = done[: done.index("move module")], done[done.index("move module") + 1 :]
    names = {name for path in FILES for name in path.split("/")}
    assert names | {"module"} <= set(before)
    assert any(
        name.startswith(f".{os.path.basename(folder)}.descriptor.txt.tmp-") for name in before
    )
    assert after == ["cache"]


@pytest.mark.parametrize("dead", [True, False])
def test_what_the_dead_left_goes_with_the_next_download(host, url, cache_folder, dead):
    """Of whichever handle it was; what the living write stays."""
    process = start_python("input()")
    if dead:
        process.kill()
        process.wait()
    beside = files.scratch_beside(str(cache_folder / "of another"))
    left = pathlib.Path(beside.replace(f"-{os.getpid()}-", f"-{process.pid}-"))
    (left / "spare").mkdir(parents=True)
    hub.resolve(url)
    assert left.exists() != dead
    process.kill()
    process.communicate()


# --- what is no module ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["saved_model.pb", "assets/words.txt"])
def test_an_archive_of_pointers_of_git_lfs(host, cache_folder, name):
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 34\n"
    url = host.serve("/m/2", tar({**FILES, name: pointer}))
    with pytest.raises(errors.LfsPointerError) as caught:
        hub.resolve(url)
    assert str(caught.value) == (
        f"What {url} leads to has a pointer of Git LFS in place of {name!r}: pack the module in a "
        "clone after `git lfs pull`."
    )
    assert not [file for file in os.listdir(cache_folder) if not file.startswith(".")]


def test_links_among_what_was_fetched(tmp_path):
    """As a library may leave them; archives with links are refused before."""

    def fetch(folder, spare):
        pathlib.Path(folder, "saved_model.pb").write_bytes(b"x")
        os.symlink("/etc", os.path.join(folder, "assets"))
        return Fetched("somewhere")

    with pytest.raises(errors.UnsafeArchiveError) as caught:
        Cache(str(tmp_path)).get(Handle("https://a/b"), fetch)
    assert str(caught.value) == (
        "What https://a/b leads to is refused: assets is a link. A module has only files and "
        "folders."
    )


# --- offline ---------------------------------------------------------------------------------


def test_offline_uses_the_cache_only(host, url, monkeypatch, cache_folder):
    monkeypatch.setenv("HUB_ESTIMATOR_OFFLINE", "1")
    with pytest.raises(errors.OfflineError) as caught:
        hub.resolve(url)
    assert str(caught.value) == (
        f"HUB_ESTIMATOR_OFFLINE is set, but {url} cannot be used from the cache {cache_folder}: it "
        "is not there. Fetch it once with the network, or set TFHUB_CACHE_DIR to a cache that has "
        "it."
    )
    assert not host.seen
    assert not cache_folder.exists()
    monkeypatch.delenv("HUB_ESTIMATOR_OFFLINE")
    folder = hub.resolve(url)
    monkeypatch.setenv("HUB_ESTIMATOR_OFFLINE", "1")
    assert hub.resolve(url) == folder
    assert len(host.seen) == 1


# --- entries of others -----------------------------------------------------------------------


def peer_like(cache_folder, handle, content):
    folder = cache_folder / Handle(handle).key
    for name, data in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    text = f"Module: {handle}\nDownload Time: 2019-03-01 10:00:00\nDownloader Hostname: a (PID:1)"
    (cache_folder / f"{folder.name}.descriptor.txt").write_text(text)
    return folder


def test_a_stale_lock_of_the_peer_is_passed_by(url, cache_folder):
    cache_folder.mkdir()
    (cache_folder / f"{Handle(url).key}.lock").write_text("somewhere.1.deadbeef")
    (cache_folder / f"{Handle(url).key}.deadbeef.tmp").mkdir()
    start = time.monotonic()
    assert read_folder(hub.resolve(url)) == FILES
    assert time.monotonic() - start < 2


def test_an_entry_like_the_peers_is_used_as_it_is(host, url, cache_folder):
    folder = peer_like(cache_folder, url, FILES)
    before = sorted(os.listdir(cache_folder))
    assert hub.resolve(url) == str(folder)
    assert sorted(os.listdir(cache_folder)) == before
    assert not host.seen
    handle = "https://tfhub.dev/google/nnlm-en-dim128/1"  # its cache outlives the host
    folder = peer_like(cache_folder, handle, FILES)
    assert hub.resolve(handle) == str(folder)


@pytest.mark.parametrize(
    ("lost", "damage"),
    [
        (
            ["tfhub_module.pb", "saved_model.pb"],
            "it has neither tfhub_module.pb nor saved_model.pb (",
        ),
        (["saved_model.pb"], "it has no saved_model.pb"),
        (["variables/variables.index"], "variables/variables.index is missing"),
        (["variables/variables.data-00000-of-00001"], "variables/variables.data-* is missing"),
        (list(FILES), "it is missing or empty"),
    ],
)
def test_a_half_cleaned_entry_of_the_peer_is_fetched_again(host, url, cache_folder, lost, damage):
    folder = peer_like(cache_folder, url, FILES)
    for name in lost:
        (folder / name).unlink()
    for name in ("variables", "assets") if len(lost) == len(FILES) else ():
        (folder / name).rmdir()
    assert find_visible_damage(str(folder)).startswith(damage)
    assert read_folder(hub.resolve(url)) == FILES
    assert len(host.seen) == 1


def test_visible_damages(tmp_path):
    for name, data in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    assert not find_visible_damage(str(tmp_path))
    shard = tmp_path / "variables/variables.data-00000-of-00001"
    shard.rename(shard.with_name("variables.data-00000-of-00002"))
    assert find_visible_damage(str(tmp_path)) == "variables/ has 1 of 2 data files"
    (tmp_path / "saved_model.pb").write_bytes(b"")
    assert find_visible_damage(str(tmp_path)) == "saved_model.pb is empty"
    (tmp_path / "saved_model.pb").write_bytes(b"x")
    shutil.rmtree(tmp_path / "variables")
    assert not find_visible_damage(str(tmp_path))  # a module without variables


def test_a_saved_model_that_is_stored_as_text(host):
    folder = hub.resolve(host.serve("/text", tar({"saved_model.pbtxt": b"x"})))
    assert read_folder(folder) == {"saved_model.pbtxt": b"x"}
    os.unlink(f"{folder}.descriptor.txt")
    assert not find_visible_damage(folder)
    pathlib.Path(folder, "saved_model.pbtxt").write_bytes(b"")
    assert find_visible_damage(folder) == "saved_model.pbtxt is empty"


@pytest.mark.peer
def test_a_cache_is_shared_with_the_peer(host):
    import tensorflow_hub

    archive = tar(FILES, folders=("assets", "variables"))  # the peer makes no others
    ours, theirs = (host.serve(path, archive) for path in ("/ours", "/theirs"))
    folder = tensorflow_hub.resolve(theirs)
    assert hub.resolve(theirs) == folder
    assert hub.resolve(ours) == tensorflow_hub.resolve(ours)
    assert read_folder(folder) == FILES
    assert len(host.seen) == 2
    os.truncate(folder + "/saved_model.pb", 0)
    assert read_folder(hub.resolve(theirs)) == FILES
    assert len(host.seen) == 3


# --- descriptors -----------------------------------------------------------------------------


def test_descriptors_come_back_as_they_were():
    record = FileRecord(1, "ab", 2, 3)
    written = Descriptor("h", "s", "2020-01-01T00:00:00+00:00", 1, "c", "", {"é/x": record})
    assert Descriptor.from_json(written.to_json()) == written
    assert written.module_bytes == 1


RECORD = {"size": 1, "sha256": "ab", "modified_ns": 2, "changed_ns": 3}
DESCRIPTOR = {
    "version": 1, "handle": "h", "source": "s", "downloaded": "2020-01-01T00:00:00+00:00",
    "archive_bytes": 1, "archive_sha256": "c", "stamp": "", "files": {"x": RECORD},
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"files": {"../x": RECORD}}, "it names what is not in the entry"),
        ({"files": {"/etc/passwd": RECORD}}, "it names what is not in the entry"),
        ({"files": {"a/../../x": RECORD}}, "it names what is not in the entry"),
        ({"files": {"a\0": RECORD}}, "it names what is not in the entry"),
        ({"files": {"": RECORD}}, "it names what is not in the entry"),
        ({"files": {"\ud800": RECORD}}, "surrogates not allowed"),
        ({"files": {"x": {**RECORD, "size": "1"}}}, "its size is of type str"),
        ({"files": {"x": {**RECORD, "changed_ns": 1.5}}}, "its changed_ns is of type float"),
        ({"files": {"x": {**RECORD, "more": 1}}}, "it is of another form"),
        ({"files": {"x": 1}}, "it is of another form"),
        ({"files": {}}, "it names no file"),
        ({"handle": None}, "its handle is of type NoneType"),
        ({"stamp": True}, "its stamp is of type bool"),
        ({"version": 2}, "it is of another version"),
    ],
)
def test_descriptors_that_lie(changes, reason):
    assert Descriptor.from_json(json.dumps(DESCRIPTOR)).handle == "h"
    with pytest.raises(ValueError, match=reason):
        Descriptor.from_json(json.dumps({**DESCRIPTOR, **changes}))


def test_a_descriptor_that_is_a_link(url, tmp_path):
    path = hub.resolve(url) + ".descriptor.txt"
    os.rename(path, tmp_path / "moved")
    os.symlink(tmp_path / "moved", path)
    entry = CacheEntry(path.removesuffix(".descriptor.txt"))
    assert entry.damage() == "its descriptor is damaged (it is a link)"


def test_a_descriptor_that_is_too_large(url, caplog, monkeypatch):
    folder = hub.resolve(url)
    monkeypatch.setattr(entry, "_MAX_DESCRIPTOR", 100)
    assert CacheEntry(folder).damage() == "its descriptor is damaged (it has more than 100 bytes)"


def test_dates_that_are_none(url):
    folder = hub.resolve(url)
    for date in ("soon", "0001-01-01T00:00:00", "9999-12-31T23:59:59-23:00"):
        text = json.dumps({**entry_of(folder), "downloaded": date})
        pathlib.Path(folder + ".descriptor.txt").write_text(text)
        assert CacheEntry(folder).age_secs >= 0


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "1", '{"version": 2}', '{"version": 1, "files": {}}', "{", "[" * 9999]
)
def test_other_texts_are_no_descriptors(text):
    with pytest.raises(ValueError):
        Descriptor.from_json(text)


def test_origins_without_an_archive():
    assert Fetched("somewhere") == Fetched("somewhere", 0, "")


def test_waiting_is_said(tmp_path, monkeypatch, caplog):
    import threading

    from hub_estimator.files import locks

    monkeypatch.setattr(locks, "_SAY_WAITING_SECS", 0.1)
    caplog.set_level(logging.INFO)
    cache, handle = Cache(str(tmp_path)), Handle("https://a/b")

    def fetch(folder, spare):
        time.sleep(0.4)
        pathlib.Path(folder, "saved_model.pb").write_bytes(b"x")
        return Fetched("x")

    threads = [threading.Thread(target=cache.get, args=(handle, fetch)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "Waiting for another process that is fetching https://a/b." in caplog.messages
