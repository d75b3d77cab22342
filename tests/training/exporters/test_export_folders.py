"""Whose exports are whose, and places where nothing can be exported."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import types

import pytest

from hub_estimator import errors, files
from hub_estimator.training.exporters.base import FolderExporter
from hub_estimator.training.exporters.choices import Best, Latest
from hub_estimator.training.objective import Objective
from tests.training.exporters.exporting_processes import SomeFiles, exporter


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "export" / "files"


@pytest.fixture
def export(folder, make_checkpoint):
    """Exports once, keeping one export, into a folder."""

    def once(keep=1, path=folder, model_dir=None):
        estimator = types.SimpleNamespace(model_dir=model_dir)
        return exporter(keep).export(estimator, str(path), make_checkpoint(3))

    return once


def of_upstream(path):
    """An export of another program."""
    path.mkdir(parents=True)
    (path / "saved_model.pb").write_text("theirs")


def test_exports_of_other_programs_stay_and_come_before_ours(export, folder):
    of_upstream(folder / "1000000000")
    of_upstream(folder / "9999999999")
    first, second = export(), export()
    assert [os.path.basename(each) for each in (first, second)] == ["10000000000", "10000000001"]
    assert sorted(os.listdir(folder)) == ["1000000000", "10000000001", "9999999999", "latest"]


def test_exports_of_another_exporter_and_of_none_stay(export, folder, make_checkpoint):
    other = FolderExporter("other", SomeFiles(), Latest(), 1, "evaluation", False)
    theirs = other.export(None, str(folder), make_checkpoint(3))
    earlier = other.export(None, str(folder), make_checkpoint(4), {"a": 1.0})
    record = json.loads(files.read_bytes(f"{earlier}/checkpoint.json"))
    assert record.pop("exporter") == "other"
    files.write_text(f"{earlier}/checkpoint.json", json.dumps(record))
    for _ in range(2):
        ours = export()
    assert not os.path.exists(theirs)  # by itself
    assert sorted(os.listdir(folder)) == [*map(os.path.basename, (earlier, ours)), "latest"]


def test_the_best_of_another_exporter_decides_nothing(folder, make_checkpoint):
    for name in ("first", "second"):
        best = FolderExporter(name, SomeFiles(), Best(Objective("a", True)), 5, "evaluation", False)
        value = {"first": 0.9, "second": 0.8}[name]
        assert best.export(None, str(folder), make_checkpoint(3), {"a": value}) is not None
        os.remove(folder / "best.json")


@pytest.mark.parametrize("record", ["", "[]", "[" * 100_000, '{"exporter": ["files"]}', None])
def test_records_of_somebody_else(export, folder, record):
    of_upstream(folder / "1000000000")
    if record is None:
        os.mkfifo(folder / "1000000000" / "checkpoint.json")
    else:
        (folder / "1000000000" / "checkpoint.json").write_text(record)
    (folder / "1000000000" / "global_step").write_text("9" * 10_000)
    for _ in range(2):
        export()
    assert "1000000000" in os.listdir(folder) and len(os.listdir(folder)) == 3


def test_nothing_is_removed_through_a_link(export, folder, tmp_path):
    kept = export(path=tmp_path / "elsewhere")
    folder.mkdir(parents=True)
    (folder / "1000000000").symlink_to(kept)
    for _ in range(2):
        export()
    assert os.path.isfile(f"{kept}/saved_model.pb")
    assert os.path.islink(folder / "1000000000") and len(os.listdir(folder)) == 3


def test_a_link_out_of_the_model_folder(export, folder, tmp_path):
    """As a model folder of somebody else may have one, to exports of one's own."""
    before = export(path=tmp_path / "elsewhere")
    folder.parent.mkdir()
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(
        errors.ExportError, match="a link leads to '.*/elsewhere', where nothing is"
    ):
        export(model_dir=str(folder.parent))
    assert sorted(os.listdir(tmp_path / "elsewhere")) == [os.path.basename(before), "latest"]


def test_a_link_that_the_caller_names(export, folder, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to("elsewhere")
    path = export(path=tmp_path / "link", model_dir=str(tmp_path / "model"))
    assert os.path.dirname(path) == str(tmp_path / "link")
    assert sorted(os.listdir(tmp_path / "elsewhere")) == [os.path.basename(path), "latest"]


def test_a_file_in_the_place_of_the_folder(export, folder):
    folder.parent.mkdir()
    folder.write_text("mine")
    with pytest.raises(errors.ExportError) as caught:
        export()
    assert str(caught.value) == (
        f"The export folder {str(folder)!r} cannot be made or used: {str(folder)!r} is not a "
        "folder. Choose another place, or remove what is there."
    )
    assert folder.read_text() == "mine"


@pytest.mark.parametrize("taken", ["file", "folder", "full folder", "dangling link"])
def test_names_that_are_taken(export, folder, monkeypatch, taken):
    monkeypatch.setattr("time.time", lambda: 2_000_000_000.0)
    folder.mkdir(parents=True)
    path = folder / "2000000000"
    if "folder" in taken:
        path.mkdir()
        (path / "mine").touch() if "full" in taken else None
    elif taken == "file":
        path.write_text("mine")
    else:
        path.symlink_to("gone")
    assert os.path.basename(export()) == "2000000001"
    assert os.path.lexists(path) and sorted(os.listdir(folder))[:2] == ["2000000000", "2000000001"]


def test_a_name_that_another_program_takes_meanwhile(export, folder, monkeypatch):
    monkeypatch.setattr("time.time", lambda: 2_000_000_000.0)
    move, taken = files.move, []

    def late(source, target, **kwargs):
        if target.endswith("2000000000") and not taken:
            of_upstream(folder / "2000000000")
            taken.append(target)
        move(source, target, **kwargs)

    monkeypatch.setattr(files, "move", late)
    assert os.path.basename(export(keep=None)) == "2000000001" and taken
    assert os.listdir(folder / "2000000000") == ["saved_model.pb"]


def test_an_old_export_that_cannot_be_removed(export, folder, monkeypatch, caplog):
    first = export()

    def refuse(path):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(files, "remove_at_once", refuse)
    second = export()
    assert os.path.samefile(folder / "latest", second)
    assert caplog.messages == [
        f"The old export {first} cannot be removed: [Errno 13] Permission denied: {first!r}."
    ]


def test_what_belongs_beside_an_export_cannot_be_written(export, folder, monkeypatch):
    def full(path, name):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(files, "switch_link", full)
        with pytest.raises(errors.ExportError) as caught:
            export()
    [name] = os.listdir(folder)
    path = str(folder / name)
    assert str(caught.value) == (
        f"What belongs beside the export {path!r} cannot be written: [Errno 28] No space left on "
        f"device. The export {path!r} is whole; run the same command again once that is solved."
    )
    second = export(keep=5)
    assert os.path.samefile(folder / "latest", second) and len(os.listdir(folder)) == 3


@contextlib.contextmanager
def small_disk(path, size):
    """A filesystem of its own with so many bytes."""
    path.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)]
    if (
        shutil.which("mount") is None
        or subprocess.run(command, check=False, capture_output=True).returncode
    ):
        pytest.skip("filesystems can be mounted by root alone, and not everywhere")
    try:
        yield
    finally:
        subprocess.run(["umount", str(path)], check=True)


def test_a_full_disk(export, tmp_path):
    disk = tmp_path / "disk"
    with small_disk(disk, 3_000_000):  # an export has 1.2 million bytes
        first = export(keep=5, path=disk / "files")
        (disk / "other").write_bytes(b"0" * 1_000_000)
        with pytest.raises(errors.ExportError) as caught:
            export(keep=5, path=disk / "files")
        assert str(caught.value).startswith(f"The export '{disk}/files/")
        assert str(caught.value).endswith(
            "cannot be written: [Errno 28] No space left on device. Nothing of the export is left; "
            "run the same command again once that is solved."
        )
        assert sorted(os.listdir(disk / "files")) == [os.path.basename(first), "latest"]
        (disk / "other").unlink()
        second = export(keep=1, path=disk / "files")
        assert sorted(os.listdir(disk / "files")) == [os.path.basename(second), "latest"]


def test_a_disk_that_is_read_only(export, tmp_path):
    disk = tmp_path / "disk"
    with small_disk(disk, 10_000):
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        with pytest.raises(errors.ExportError) as caught:
            export(path=disk / "files")
        assert str(caught.value) == (
            f"The export folder '{disk}/files' cannot be made or used: '{disk}' cannot be written "
            "to. Choose another place, or remove what is there."
        )
