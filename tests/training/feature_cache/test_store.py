"""Entries on disk: complete, removed, shared; and what a kill leaves."""

from __future__ import annotations

import io
import os
import pickle
import resource
import signal
import struct
import subprocess
import sys
import threading

import numpy as np
import pytest

from hub_estimator.training.feature_cache.pieces import Layout, Piece
from hub_estimator.training.feature_cache.shards import Shards, shard_rows
from hub_estimator.training.feature_cache.store import Store, StoredOutputs
from tests.training.feature_cache import killed_run


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(str(tmp_path / "store"), max_bytes=3000)


def fill(store, key, used=None):
    """Writes an entry of about 1,000 bytes; without a time of its last use it is not complete."""
    with store.locked(key) as entry:
        entry.write_shard(0, np.ones([200, 1], np.float32))
        if used is not None:
            entry.complete(200, "a test")
            os.utime(f"{entry.folder}/entry.json", (used, used))


def keys(store):
    return sorted(os.path.basename(entry.folder) for entry in store.entries())


def test_what_was_used_longest_ago_makes_room(store):
    for used, key in enumerate(["b", "a", "c"]):
        fill(store, key, used)
    assert store.entry("b").open(200) is not None  # the last one used now
    assert store.make_room(2000, "new")
    assert keys(store) == ["b"]
    assert not store.make_room(3001, "new")
    assert keys(store) == ["b"]  # nothing goes where that is no use


def test_what_others_work_on_and_the_entry_itself_stay(store):
    for key in "abc":
        fill(store, key, used=1 if key == "a" else None)
    with store.locked("a"):
        assert not store.make_room(2500, "b")
        assert keys(store) == ["a", "b"]
        assert store.make_room(2000, "b")


def test_what_somebody_else_put_there_stays(store, tmp_path):
    fill(store, "a", used=1)
    for name in ("photos/2019/a.npy", "notes/entry.json", "notes/more.txt"):
        path = tmp_path / "store" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 2000)
    (tmp_path / "store" / "empty").mkdir()
    assert keys(store) == ["a"] and store.make_room(3000, "new")
    assert sorted(os.listdir(store.folder)) == [".a.flock", "empty", "notes", "photos"]
    assert (tmp_path / "store" / "photos" / "2019" / "a.npy").exists()


def test_rows_that_whole_shards_hold(store):
    entry = store.entry("k")
    assert entry.rows_there(width=3) == 0 and not entry.is_complete
    for number in (0, 1, 3):
        entry.write_shard(number, np.ones([1, 3], np.float32))
    assert entry.rows_there(width=3) == 2 * shard_rows(3)


def test_the_rows_of_a_shard():
    assert [shard_rows(width) for width in (1, 512, 2048, 10**9)] == [4096, 4096, 1024, 1]


def test_rows_from_several_shards():
    values = np.arange(20, dtype=np.float32).reshape(10, 2)
    shards = Shards([values[:4], values[4:8], values[8:]])
    rows = np.array([9, 0, 3, 4, 9, 8, 1])
    assert np.array_equal(shards[rows], values[rows])
    assert shards.shape == (10, 2) and shards.dtype == np.float32


def test_large_entries_are_mapped(store, monkeypatch):
    monkeypatch.setattr("hub_estimator.training.feature_cache.store._IN_MEMORY_BYTES", 100)
    fill(store, "a", used=1)
    opened = store.entry("a").open(200)
    assert isinstance(opened, Shards) and isinstance(opened.arrays[0], np.memmap)
    assert np.array_equal(opened[np.array([199, 0])], [[1], [1]])


LENGTHS = np.array([[3], [0], [2], [1], [4]])
RAGGED = Layout((LENGTHS.dtype, np.dtype(np.int32)), (None, 0))


def fill_ragged(entry):
    """Writes an entry of three shards, of two examples each, with their rows."""
    rows = np.arange(10, dtype=np.int32)[:, np.newaxis]
    whole = Piece(RAGGED, (LENGTHS, rows))
    for number in range(3):
        entry.write_shard(number, *whole.between(2 * number, 2 * number + 2).arrays)
    entry.complete(5, "a test", {"said": [1]})


@pytest.mark.parametrize("in_memory", [1, 1 << 30])
def test_several_arrays(store, monkeypatch, in_memory):
    monkeypatch.setattr("hub_estimator.training.feature_cache.store._IN_MEMORY_BYTES", in_memory)
    with store.locked("a") as entry:
        fill_ragged(entry)
    assert entry.is_own and entry.contents() == {"said": [1]}
    lengths, rows = entry.arrays(5, RAGGED)
    assert np.array_equal(lengths[np.arange(5)], LENGTHS) and rows.dtype == np.int32
    assert rows[np.array([9, 0, 3, 5, 2])][:, 0].tolist() == [9, 0, 3, 5, 2]


def test_a_shard_is_there_with_all_its_arrays(store):
    with store.locked("a") as entry:
        fill_ragged(entry)
    os.remove(f"{entry.folder}/00001.npy")  # the last one that is written of a shard
    assert entry.rows_there(width=1) == shard_rows(1)


@pytest.mark.parametrize(
    ("name", "why"),
    [("00002.1.npy", "they have 6 rows, not 10"), ("00002.npy", "they have 4 rows, not 5")],
)
def test_a_lost_array(store, caplog, name, why):
    with store.locked("a") as entry:
        fill_ragged(entry)
    os.remove(f"{entry.folder}/{name}")
    assert entry.opened(lambda: entry.arrays(5, RAGGED)) is None
    assert caplog.messages == [
        f"The stored outputs in {entry.folder!r} are damaged, and are removed: {why}."
    ]


@pytest.fixture
def few_descriptors():
    """Leaves the process about a hundred and sixty more file descriptors."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + 160, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize("in_memory", [100, 1 << 30])
def test_more_shards_than_file_descriptors(store, monkeypatch, few_descriptors, in_memory):
    monkeypatch.setattr("hub_estimator.training.feature_cache.store._IN_MEMORY_BYTES", in_memory)
    with store.locked("a") as entry:
        for number in range(400):
            entry.write_shard(number, np.full([1, 1], number, np.float32))
        entry.complete(400, "a test")
    opened = entry.open(400)
    assert opened[np.arange(400)].tolist() == [[number] for number in range(400)]


def test_a_file_that_cannot_be_read_now_stays(store, monkeypatch):
    fill(store, "a", used=1)

    def load(path, **options):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(np, "load", load)
    with pytest.raises(PermissionError):
        store.entry("a").open(200)
    assert store.entry("a").is_complete


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "they have 0 rows, not 200"),
        (b"", "No data left in file"),
        (np.ones([3, 1], np.float32), "they have 3 rows, not 200"),
    ],
)
def test_a_damaged_entry_is_removed(store, caplog, content, why):
    fill(store, "a", used=1)
    entry = store.entry("a")
    os.remove(f"{entry.folder}/00000.npy")
    if isinstance(content, bytes):
        with open(f"{entry.folder}/00000.npy", "wb") as file:
            file.write(content)
    elif content is not None:
        entry.write_shard(0, content)
    assert entry.open(200) is None and keys(store) == []
    assert caplog.messages == [
        f"The stored outputs in {entry.folder!r} are damaged, and are removed: {why}."
    ]


ROWS = np.ones([200, 1], np.float32)


def saved(array, **changed) -> bytes:
    """A file of numpy, in whose header texts are replaced."""
    content = io.BytesIO()
    np.save(content, array)
    header, data = content.getvalue()[:128], content.getvalue()[128:]
    for old, new in changed.items():
        header = header.replace(old.encode(), new.encode())
    return header + data


def nested() -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", 9000) + b"-" * 9000


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (saved(ROWS)[:-1], "'00000.npy' has 927 bytes, not 928"),
        (saved(ROWS) + b"x", "'00000.npy' has 929 bytes, not 928"),
        (saved(ROWS, **{"(200, 1)": "(999, 9)"}), "'00000.npy' has 928 bytes, not 36092"),
        *(
            (content, "'00000.npy' is no array [R, D] of float32")
            for content in [
                saved(ROWS, **{"(200, 1)": "(-200, 1)"}),
                saved(ROWS, **{"(200, 1)": "(True, 200)"}),
                saved(ROWS, **{"(200, 1)": f"({'9' * 30}, 1)"}),
                saved(ROWS[:, 0]),
                saved(ROWS.astype(np.float64)),
                saved(np.full([200, 1], None)),
                nested(),
                b"PK\x03\x04" + bytes(100),
                pickle.dumps(ROWS),
            ]
        ),
    ],
)  # fmt: skip
def test_a_shard_that_is_none(store, caplog, content, why):
    fill(store, "a", used=1)
    entry = store.entry("a")
    with open(f"{entry.folder}/00000.npy", "wb") as file:
        file.write(content)
    assert entry.open(200) is None and keys(store) == []
    assert caplog.messages == [
        f"The stored outputs in {entry.folder!r} are damaged, and are removed: {why}."
    ]


@pytest.mark.parametrize("shapes", [[(100, 1), (50, 1), (50, 1)], [(100, 1), (100, 2)]])
def test_shards_that_do_not_fit(store, caplog, shapes):
    with store.locked("a") as entry:
        for number, shape in enumerate(shapes):
            entry.write_shard(number, np.ones(shape, np.float32))
        entry.complete(200, "a test")
    assert entry.open(200) is None
    why = "they are of different sizes"
    assert caplog.messages == [
        f"The stored outputs in {entry.folder!r} are damaged, and are removed: {why}."
    ]


def test_a_pipe_in_place_of_a_shard(store, caplog):
    fill(store, "a", used=1)
    entry, path = store.entry("a"), f"{store.entry('a').folder}/00000.npy"
    os.remove(path)
    os.mkfifo(path)
    assert entry.open(200) is None
    why = f"{path!r} is a named pipe; a regular file is needed here"
    assert caplog.messages == [
        f"The stored outputs in {entry.folder!r} are damaged, and are removed: {why}."
    ]


def test_what_another_run_removed_meanwhile_counts_as_nothing(store, monkeypatch):
    fill(store, "a", used=7)
    entry = store.entry("a")
    gone = StoredOutputs(f"{store.folder}/gone")
    assert gone.size == 0 and gone.last_used == 0
    monkeypatch.setattr("hub_estimator.files.listing", lambda folder: ["gone", "00000.npy"])
    assert entry.size == os.path.getsize(f"{entry.folder}/00000.npy")
    monkeypatch.setattr(StoredOutputs, "is_complete", True)
    os.remove(f"{entry.folder}/entry.json")
    assert entry.last_used == os.path.getmtime(entry.folder)


def test_runs_at_the_same_time_compute_once(make_model, examples, cache, computed):
    model = make_model()
    spec, found = model.example_spec(), []

    def run():
        encoder = model.encoders[0]
        found.append(cache.outputs(encoder, "train", examples, spec, is_worth_it=True))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(computed()) == 1
    assert len(found) == 3 and all(np.array_equal(found[0], each) for each in found)


def test_a_killed_run_goes_on(text_module, tmp_path, caplog):
    arguments = [text_module, str(tmp_path)]
    done = subprocess.run([sys.executable, killed_run.__file__, *arguments], check=False)
    assert done.returncode == -signal.SIGKILL
    folder = killed_run.cache(tmp_path).store.entries()[0].folder
    names = sorted(os.listdir(folder))
    assert names[0].startswith(".00002.npy.tmp-") and names[1:] == ["00000.npy", "00001.npy"]
    times = [os.stat(f"{folder}/{name}").st_mtime_ns for name in names[1:]]
    caplog.set_level("INFO", "hub_estimator")
    found = killed_run.outputs(*arguments)
    assert caplog.messages[0] == "computing outputs of encoder 'module': 8192 of 9000"
    names = ["00000.npy", "00001.npy", "00002.npy", "entry.json"]
    assert sorted(os.listdir(folder)) == names
    assert [os.stat(f"{folder}/{name}").st_mtime_ns for name in names[:2]] == times
    assert np.array_equal(found, killed_run.outputs(text_module, str(tmp_path), "elsewhere"))
