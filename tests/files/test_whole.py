"""Files and folders appear whole or not at all, here and on other filesystems."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile

import pytest
import tensorflow as tf

from hub_estimator import files


@pytest.fixture(params=["local", "ram://"])
def folder(request, tmp_path):
    """A folder on the local disk, or on one that only TensorFlow knows."""
    path = str(tmp_path / "above") if request.param == "local" else f"ram://{tmp_path.name}/above"
    files.make_folder(path)
    return path


def _fill(folder, *names):
    for name in names:
        path = files.join(folder, name)
        files.make_folder(files.parent(path))
        files.write_bytes(path, name.encode())


def test_a_folder_appears_when_the_block_ends(folder):
    target = files.join(folder, "target")
    with files.whole_folder(target) as scratch:
        _fill(scratch, "a", "b/c")
        assert not files.exists(target)
    assert files.listing(folder) == ["target"]
    assert files.listing(target) == ["a", "b"]
    assert files.read_bytes(files.join(target, "b", "c")) == b"b/c"


def test_nothing_stays_after_an_exception(folder):
    with pytest.raises(KeyboardInterrupt), files.whole_folder(f"{folder}/target") as scratch:
        _fill(scratch, "a")
        raise KeyboardInterrupt
    assert files.listing(folder) == []


def test_entries_of_a_folder_that_is_there_stay(folder):
    _fill(folder, "target/mine")
    with files.whole_folder(f"{folder}/target/", last="a") as scratch:
        _fill(scratch, "a", "b")
    assert files.listing(f"{folder}/target") == ["a", "b", "mine"]


def test_an_entry_that_is_there_is_never_replaced(folder):
    _fill(folder, "target/b/mine")
    with (
        pytest.raises(FileExistsError) as caught,
        files.whole_folder(f"{folder}/target") as scratch,
    ):
        _fill(scratch, "a", "b/new")
    assert str(caught.value) == f"There is already 'b' in {folder}/target."
    assert files.listing(f"{folder}/target") == ["b"]
    assert files.listing(f"{folder}/target/b") == ["mine"]
    assert files.listing(folder) == ["target"]


def test_a_folder_that_another_process_makes_meanwhile_is_kept(tmp_path):
    target = tmp_path / "target"
    with pytest.raises(FileExistsError), files.whole_folder(str(target)) as scratch:
        _fill(scratch, "a")
        _fill(str(target), "a")
    assert (target / "a").read_text() == "a"


def test_remote_folders_move_before_files(tmp_path, monkeypatch):
    moved = []
    rename = tf.io.gfile.rename

    def note(source, target, **kwargs):
        moved.append(target.removeprefix(f"ram://{tmp_path.name}/target/"))
        rename(source, target, **kwargs)

    monkeypatch.setattr(tf.io.gfile, "rename", note)
    with files.whole_folder(f"ram://{tmp_path.name}/target") as scratch:
        _fill(scratch, "tfhub_module.pb", "variables/index")
        moved.clear()
    assert moved == ["variables/index", "tfhub_module.pb"]


def test_a_file_is_replaced_whole(folder):
    path = files.join(folder, "file")
    files.write_text(path, "öld")
    files.write_text(path, "new")
    assert files.read_bytes(path) == b"new"
    assert files.listing(folder) == ["file"]


def test_a_remote_folder_without_one_above(tmp_path):
    target = f"ram://{tmp_path.name}top"
    with files.whole_folder(target) as scratch:
        _fill(scratch, "a")
    assert files.listing(target) == ["a"]
    assert not os.path.exists("ram:")


def test_abandoned_scratch_folders_are_removed(tmp_path):
    for name in (".x.tmp-00000000-12-0123abcd", ".y.tmp-00000000-13-0123abcd", ".x.tmp-mine", "x"):
        (tmp_path / name).mkdir()
    os.utime(tmp_path / ".x.tmp-00000000-12-0123abcd", (1.0, 1.0))
    assert files.remove_abandoned(str(tmp_path)) == [str(tmp_path / ".x.tmp-00000000-12-0123abcd")]
    assert files.listing(str(tmp_path)) == [".x.tmp-mine", ".y.tmp-00000000-13-0123abcd", "x"]
    assert files.remove_abandoned(str(tmp_path / "missing")) == []


def test_abandoned_folders_that_vanish_meanwhile(tmp_path, monkeypatch):
    names = [".x.tmp-00000000-12-0123abcd", ".y.tmp-00000000-12-0123abcd"]
    (tmp_path / names[1]).mkdir()
    monkeypatch.setattr("hub_estimator.files.whole.listing", lambda folder: names)
    assert files.remove_abandoned(str(tmp_path), -1) == [str(tmp_path / names[1])]


def test_abandoned_folders_that_are_not_ours_stay(read_only_folder):
    assert files.remove_abandoned(read_only_folder, -1) == []
    assert os.listdir(read_only_folder) == [".x.tmp-00000000-12-0123abcd"]


def test_a_file_is_whole_or_as_it_was(folder):
    path = files.join(folder, "file")
    with files.whole_file(path) as file:
        file.write(b"one")
        assert not files.exists(path)
    with pytest.raises(KeyboardInterrupt), files.whole_file(path) as file:
        file.write(b"two")
        raise KeyboardInterrupt
    assert files.listing(folder) == ["file"]
    assert files.read_bytes(path) == b"one"


def test_a_scratch_folder_goes(folder):
    with pytest.raises(KeyboardInterrupt), files.scratch_folder(folder, "name") as scratch:
        _fill(scratch, "a")
        raise KeyboardInterrupt
    assert files.listing(folder) == []


@pytest.fixture
def read_only_folder():
    """A folder with an entry, which this process cannot write to; root is another user meanwhile."""
    before = os.geteuid()
    with tempfile.TemporaryDirectory() as folder:  # those of pytest are closed to other users
        os.mkdir(os.path.join(folder, ".x.tmp-00000000-12-0123abcd"))
        os.chmod(folder, 0o555)
        if before == 0:
            os.seteuid(65534)
        try:
            yield folder
        finally:
            if before == 0:
                os.seteuid(0)
            os.chmod(folder, 0o755)


def test_a_scratch_folder_beside_what_cannot_be_written_to(read_only_folder):
    with (
        pytest.raises(PermissionError),
        files.scratch_folder(read_only_folder, "name"),
    ):
        pass
    with files.scratch_folder(read_only_folder, "name", elsewhere=True) as scratch:
        assert os.path.dirname(scratch) == tempfile.gettempdir()
        assert os.path.basename(scratch).startswith(".name.tmp-")
        assert os.stat(scratch).st_mode & 0o777 == 0o700
        _fill(scratch, "a")
    assert not os.path.exists(scratch) and len(os.listdir(read_only_folder)) == 1


def test_a_scratch_folder_on_a_full_disk_goes_nowhere_else(tmp_path, monkeypatch):
    def full(path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)

    monkeypatch.setattr("hub_estimator.files.whole.make_folder", full)
    with (
        pytest.raises(OSError, match="No space left on device"),
        files.scratch_folder(str(tmp_path), "name", elsewhere=True),
    ):
        pass


def test_links_and_copies(folder):
    _fill(folder, "a")
    files.link_or_copy(files.join(folder, "a"), files.join(folder, "b"))
    files.remove(files.join(folder, "a"))
    assert files.read_bytes(files.join(folder, "b")) == b"a"


def test_a_link_is_switched_in_one_step(tmp_path):
    folder = str(tmp_path)
    _fill(folder, "1/x", "2/y")
    for name in ("1", "2"):
        files.switch_link(f"{folder}/link", name)
        assert os.readlink(f"{folder}/link") == name
    assert files.listing(f"{folder}/link") == ["y"]
    assert files.listing(folder) == ["1", "2", "link"]


def test_a_link_that_cannot_be_made_leaves_nothing(tmp_path):
    _fill(str(tmp_path), "1/x", "link/mine")
    with pytest.raises(OSError):
        files.switch_link(str(tmp_path / "link"), "1")
    assert files.listing(str(tmp_path)) == ["1", "link"]


def test_a_remote_link_is_a_file_with_the_name(tmp_path):
    folder = f"ram://{tmp_path.name}"
    for name in ("1", "2"):
        files.switch_link(f"{folder}/link", name)
    assert files.read_bytes(f"{folder}/link") == b"2"
    assert files.listing(folder) == ["link"]


def test_a_folder_is_removed_at_once(folder, monkeypatch):
    _fill(folder, "old/a", "old/b")
    seen = []
    remove = files.remove
    monkeypatch.setattr(
        "hub_estimator.files.whole.remove", lambda path: (seen.append(path), remove(path))
    )
    files.remove_at_once(f"{folder}/old")
    files.remove_at_once(f"{folder}/old")  # nothing there is fine
    assert files.listing(folder) == []
    # What is removed file by file has a name by which nobody finds it, and a later run does.
    assert files.is_remote(folder) or os.path.basename(seen[0]).startswith(".old.tmp-")


def test_abandoned_links_that_lead_nowhere_are_removed(tmp_path):
    path = tmp_path / ".link.tmp-00000000-12-0123abcd"
    path.symlink_to("gone")
    os.utime(path, (1.0, 1.0), follow_symlinks=False)
    assert files.remove_abandoned(str(tmp_path)) == [str(path)]


def _dead_process():
    """The number of a process that was, and is no more."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_what_dead_processes_of_this_machine_left_goes_at_once(tmp_path):
    with files.whole_file(str(tmp_path / "mine")):
        [mine] = files.listing(str(tmp_path))
        machine = mine.split(".tmp-")[1].split("-")[0]
        names = {
            "dead": f".a.tmp-{machine}-{_dead_process()}-0123abcd",
            "no process": f".b.tmp-{machine}-{10**30}-0123abcd",
            "alive": f".c.tmp-{machine}-{os.getppid()}-0123abcd",
            "elsewhere": f".d.tmp-00000000-{_dead_process()}-0123abcd",
        }
        for name in names.values():
            (tmp_path / name).touch()
        removed = {os.path.basename(path) for path in files.remove_abandoned(str(tmp_path))}
        assert removed == {names["dead"], names["no process"]}
        assert mine in files.listing(str(tmp_path))


@pytest.fixture
def steps(monkeypatch):
    """The names of what is flushed and renamed, in order, without their scratch parts."""
    steps = []

    def name(path):
        return os.path.basename(path).split(".tmp-")[0].lstrip(".")

    fsync, rename, replace = os.fsync, os.rename, os.replace

    def note_fsync(descriptor):
        steps.append(f"flush {name(os.readlink(f'/proc/self/fd/{descriptor}'))}")
        fsync(descriptor)

    def note_move(move):
        def noting(source, target):
            steps.append(f"move {name(target)}")
            move(source, target)

        return noting

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(os, "rename", note_move(rename))
    monkeypatch.setattr(os, "replace", note_move(replace))
    return steps


def test_files_are_flushed_before_they_take_their_place(tmp_path, steps):
    files.write_text(str(tmp_path / "file"), "content")
    assert steps == ["flush file", "move file", f"flush {tmp_path.name}"]


def test_folders_are_flushed_before_they_take_their_place(tmp_path, steps):
    with files.whole_folder(str(tmp_path / "target")) as scratch:
        os.mkdir(f"{scratch}/inner")
        for path in ("a", "inner/b"):
            with open(f"{scratch}/{path}", "w") as file:
                file.write(path)
        os.symlink("gone", f"{scratch}/link")
    assert steps == [
        *("flush a", "flush target", "flush b", "flush inner"),
        *("move target", f"flush {tmp_path.name}"),
    ]


def test_entries_are_flushed_before_the_last_one_moves_in(tmp_path, steps):
    (tmp_path / "target").mkdir()
    with files.whole_folder(str(tmp_path / "target"), last="a") as scratch:
        for name in "ab":
            with open(f"{scratch}/{name}", "w") as file:
                file.write(name)
    assert steps[3:] == [
        *("move b", "flush target", "move a", "flush target"),
        f"flush {tmp_path.name}",
    ]


def test_links_are_flushed(tmp_path, steps):
    files.switch_link(str(tmp_path / "link"), "1")
    assert steps == ["move link", f"flush {tmp_path.name}"]


def test_a_folder_that_cannot_be_flushed_is_no_failure(tmp_path, monkeypatch):
    def refuse(descriptor):
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr(os, "fsync", refuse)
    files.write_text(str(tmp_path / "file"), "content")
    assert (tmp_path / "file").read_text() == "content"


def test_a_file_that_cannot_be_flushed_takes_no_place(tmp_path, monkeypatch):
    def refuse(descriptor):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="Input/output error"):
        files.write_text(str(tmp_path / "file"), "content")
    assert os.listdir(tmp_path) == []


def test_a_full_disk_says_of_which_file(tmp_path):
    path = str(tmp_path / "file")

    def write():
        with open("/dev/full", "wb", buffering=0) as full:
            full.write(b"x")

    with pytest.raises(OSError) as caught, files.whole_file(path):
        write()
    assert str(caught.value) == f"[Errno 28] No space left on device: {path!r}"
    assert os.listdir(tmp_path) == []
    with pytest.raises(OSError) as caught, files.whole_file(path):
        raise OSError("of something else")
    assert str(caught.value) == "of something else"
