"""Files and folders appear whole or not at all, here and on other filesystems."""

from __future__ import annotations

import errno
import os
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


@pytest.mark.parametrize(
    "path, parent",
    [("a/b", "a"), ("a", ""), ("/a", "/"), ("gs://bucket/a", "gs://bucket"), ("ram://a", "ram://")],
)
def test_parent(path, parent):
    assert files.parent(path) == parent


def test_a_remote_folder_without_one_above(tmp_path):
    target = f"ram://{tmp_path.name}top"
    with files.whole_folder(target) as scratch:
        _fill(scratch, "a")
    assert files.listing(target) == ["a"]
    assert not os.path.exists("ram:")


@pytest.mark.parametrize("path", ["~/x", b"~/x", "file://~/x"])
def test_as_path(path):
    assert files.as_path(path) == os.path.expanduser("~/x")
    assert files.as_path("gs://~x") == "gs://~x"


def test_abandoned_scratch_folders_are_removed(tmp_path):
    for name in (".x.tmp-12-0123abcd", ".y.tmp-13-0123abcd", ".x.tmp-mine", "x"):
        (tmp_path / name).mkdir()
    os.utime(tmp_path / ".x.tmp-12-0123abcd", (1.0, 1.0))
    assert files.remove_abandoned(str(tmp_path)) == [str(tmp_path / ".x.tmp-12-0123abcd")]
    assert files.listing(str(tmp_path)) == [".x.tmp-mine", ".y.tmp-13-0123abcd", "x"]
    assert files.remove_abandoned(str(tmp_path / "missing")) == []


def test_abandoned_folders_that_vanish_meanwhile(tmp_path, monkeypatch):
    names = [".x.tmp-12-0123abcd", ".y.tmp-12-0123abcd"]
    (tmp_path / names[1]).mkdir()
    monkeypatch.setattr(files, "listing", lambda folder: names)
    assert files.remove_abandoned(str(tmp_path), -1) == [str(tmp_path / names[1])]


def test_abandoned_folders_that_are_not_ours_stay(read_only_folder):
    assert files.remove_abandoned(read_only_folder, -1) == []
    assert os.listdir(read_only_folder) == [".x.tmp-12-0123abcd"]


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
        os.mkdir(os.path.join(folder, ".x.tmp-12-0123abcd"))
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

    monkeypatch.setattr(files, "make_folder", full)
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
    monkeypatch.setattr(files, "remove", lambda path: (seen.append(path), remove(path)))
    files.remove_at_once(f"{folder}/old")
    files.remove_at_once(f"{folder}/old")  # nothing there is fine
    assert files.listing(folder) == []
    # What is removed file by file has a name by which nobody finds it, and a later run does.
    assert files.is_remote(folder) or os.path.basename(seen[0]).startswith(".old.tmp-")


def test_abandoned_links_that_lead_nowhere_are_removed(tmp_path):
    path = tmp_path / ".link.tmp-12-0123abcd"
    path.symlink_to("gone")
    os.utime(path, (1.0, 1.0), follow_symlinks=False)
    assert files.remove_abandoned(str(tmp_path)) == [str(path)]
