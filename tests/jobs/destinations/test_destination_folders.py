"""Folders of versions: what appears, what the link leads to, what stays of others."""

from __future__ import annotations

import os
import pathlib

import pytest

from hub_estimator import errors
from hub_estimator.jobs.destinations.destination import Publication
from hub_estimator.jobs.destinations.folders import Folder, NumberedFolder
from tests.jobs import job_parts


@pytest.fixture
def export(tmp_path):
    path = str(tmp_path / "export")
    job_parts.write_export(path, "abc", "content")
    return path


def publication(sha256, job="reviews", step=1):
    return Publication(job, step, sha256, 1000.0, {"loss": 0.5})


def names(path):
    return sorted(os.listdir(path))


def test_a_version_with_its_stable_path(tmp_path, export):
    folder = Folder(str(tmp_path / "new" / "out"))
    made = folder.publish(export, publication("a"), is_first=True)
    assert names(folder.path) == [made.name, "latest"] and made.name.isdecimal()
    assert names(f"{folder.path}/latest") == ["checkpoint.json", "publication.json", "text"]
    values = pathlib.Path(f"{folder.path}/latest/text/variables/values")
    assert values.read_text() == "content" and made.is_current
    assert made.publication == publication("a")
    assert names(export) == ["checkpoint.json", "text"]


def test_each_checkpoint_once(tmp_path, export):
    folder = Folder(str(tmp_path / "out"))
    first = folder.publish(export, publication("a"), is_first=True)
    second = folder.publish(export, publication("b", step=2), is_first=False)
    assert folder.publish(export, publication("a"), is_first=False).name == first.name
    found = folder.versions("reviews")
    assert [version.name for version in found] == [first.name, second.name]
    assert [version.is_current for version in found] == [False, True]
    assert os.readlink(f"{folder.path}/latest") == second.name


def test_numbers_go_on_after_those_of_others(tmp_path, export):
    folder = NumberedFolder(str(tmp_path / "out"))
    assert folder.publish(export, publication("a"), is_first=True).name == "1"
    (tmp_path / "out" / "7").mkdir()
    (tmp_path / "out" / "notes").mkdir()
    made = folder.publish(export, publication("b"), is_first=False)
    assert made.name == "8" and made.is_current
    assert [version.name for version in folder.versions("reviews")] == ["1", "8"]
    assert folder.publish(export, publication("c"), is_first=False).name == "9"


def test_versions_of_others_are_not_ours(tmp_path, export):
    folder = NumberedFolder(str(tmp_path / "out"))
    folder.publish(export, publication("a"), is_first=True)
    assert folder.versions("images") == []
    (tmp_path / "out" / "2").mkdir()
    (tmp_path / "out" / "2" / "publication.json").write_text('{"job": "reviews"}')
    (tmp_path / "out" / "3").symlink_to("1")
    assert [version.name for version in folder.versions("reviews")] == ["1"]
    assert folder.publish(export, publication("a", "images"), is_first=True).name == "4"


def test_removing(tmp_path, export):
    folder = NumberedFolder(str(tmp_path / "out"))
    first = folder.publish(export, publication("a"), is_first=True)
    folder.publish(export, publication("b"), is_first=False)
    folder.remove(first)
    assert names(folder.path) == ["2"]


def test_nothing_is_left_of_what_fails(tmp_path, export, monkeypatch):
    folder = Folder(str(tmp_path / "out"))

    def full(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hub_estimator.files.link_or_copy", full)
    with pytest.raises(OSError, match="No space left"):
        folder.publish(export, publication("a"), is_first=True)
    assert names(folder.path) == []


def test_a_place_that_is_away(tmp_path, export):
    folder = Folder(str(tmp_path / "mount" / "out"))
    with pytest.raises(errors.ExportError) as caught:
        folder.publish(export, publication("a"), is_first=False)
    assert str(caught.value) == (
        f"The folder '{tmp_path}/mount/out', which has published versions, is not there: its disk is "
        "away, or it was removed. Bring it back, or make an empty folder there."
    )
    assert not (tmp_path / "mount").exists() and folder.versions("reviews") == []


def test_something_in_the_place_of_the_link(tmp_path, export):
    (tmp_path / "out" / "latest").mkdir(parents=True)
    folder = Folder(str(tmp_path / "out"))
    with pytest.raises(errors.ExportError) as caught:
        folder.publish(export, publication("a"), is_first=True)
    assert str(caught.value) == (
        f"There is something at '{tmp_path}/out/latest' that is no link. Remove it, or give "
        "Folder.link another name."
    )
    assert names(folder.path) == ["latest"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Folder(""), "Folder.path is ''; it must be a path in quotes."),
        (
            lambda: NumberedFolder(""),
            "NumberedFolder.path is ''; it must be a path in quotes.",
        ),
        (
            lambda: Folder("x", "12"),
            "Folder.link is '12', which could be a version; take a word.",
        ),
    ],
)
def test_settings_that_cannot_be(make, message):
    with pytest.raises(errors.InvalidSettingError) as caught:
        make()
    assert str(caught.value) == message


def test_the_link_stays_in_the_folder():
    with pytest.raises(errors.InvalidPathNameError, match="^Folder.link is '../x', which"):
        Folder("x", "../x")
