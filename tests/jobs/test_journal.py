"""The journal: torn lines, a full disk, lines that somebody edited."""

from __future__ import annotations

import errno
import json
import os
import threading

import pytest

from hub_estimator import errors
from hub_estimator.jobs import journal
from hub_estimator.jobs.journal import Journal


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "journal.jsonl")


@pytest.fixture
def written(path):
    found = Journal(path)
    yield found
    found.close()


def events(path):
    return [(event["job"], event["event"]) for event in journal.read(path)]


def test_what_is_added_is_read(path, written):
    assert events(path) == []
    written.add("a", "published", step=1)
    written.add("ü", "failed", error="a\nb")
    assert events(path) == [("a", "published"), ("ü", "failed")]
    assert journal.read(path)[1]["error"] == "a\nb"
    assert journal.read(path)[0]["time"].endswith("+00:00")


def test_no_journal(tmp_path):
    assert journal.read(str(tmp_path / "none")) == []


@pytest.mark.parametrize("torn", [b"{", b'{"time": "x", "job": "a", "event": "b"}', b"\xc3"])
def test_a_torn_line_is_read_past_and_taken_away(path, torn):
    first = Journal(path)
    first.add("a", "x")
    first.close()
    with open(path, "ab") as file:
        file.write(torn)
    assert events(path) == [("a", "x")]
    second = Journal(path)
    second.add("a", "y")
    second.close()
    assert events(path) == [("a", "x"), ("a", "y")]


def test_a_full_disk_leaves_no_half_line(path, written, monkeypatch):
    written.add("a", "x")
    write = os.write

    def half(descriptor, content):
        return write(descriptor, content[: len(content) // 2])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", half)
        with pytest.raises(OSError) as caught:
            written.add("a", "y")
        assert caught.value.errno == errno.ENOSPC and caught.value.filename == path
    written.add("a", "z")
    assert events(path) == [("a", "x"), ("a", "z")]


def test_several_threads(path, written):
    def add(name):
        for number in range(20):
            written.add(name, str(number))

    threads = [threading.Thread(target=add, args=[name]) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(events(path)) == sorted((n, str(e)) for n in "abc" for e in range(20))


@pytest.mark.parametrize("line", ["", "no", "[]", '{"time": 1, "job": "a", "event": "b"}', "{}"])
def test_a_line_that_is_no_event(path, line):
    good = json.dumps({"time": "", "job": "a", "event": "b"})
    with open(path, "w") as file:
        file.write(f"{good}\n{line}\n{good}\n")
    with pytest.raises(errors.DataFileError) as caught:
        journal.read(path)
    assert str(caught.value) == (
        f"Line 2 of the journal {path!r} is no event: {line.encode()!r}. Remove the line; of what it "
        "said, the versions themselves tell most."
    )
