"""Paths, and names that become part of them."""

from __future__ import annotations

import os

import pytest

from hub_estimator import errors, files


@pytest.mark.parametrize(
    "path, parent",
    [("a/b", "a"), ("a", ""), ("/a", "/"), ("gs://bucket/a", "gs://bucket"), ("ram://a", "ram://")],
)
def test_parent(path, parent):
    assert files.parent(path) == parent


@pytest.mark.parametrize("path", ["~/x", b"~/x", "file://~/x"])
def test_as_path(path):
    assert files.as_path(path) == os.path.expanduser("~/x")
    assert files.as_path("gs://~x") == "gs://~x"


@pytest.mark.parametrize("name", ["a", "best_module", "a.b-c", "übung", "a b", "x" * 200])
def test_names_of_folders(name):
    files.check_name("The name", name)


@pytest.mark.parametrize(
    "name, reason",
    [
        (None, "it is no text"),
        (b"a", "it is no text"),
        ("", "it is empty"),
        (".", "it starts with a dot"),
        ("..", "it starts with a dot"),
        (".hidden", "it starts with a dot"),
        ("../x", "it starts with a dot"),
        ("a/../../x", "it holds a slash"),
        ("/etc", "it holds a slash"),
        ("a\\b", "it holds a slash"),
        ("a\x00b", "it holds what cannot be printed"),
        ("a\nb", "it holds what cannot be printed"),
        ("\u202egpj", "it holds what cannot be printed"),
        ("ü" * 101, "it is longer than 200 bytes"),
    ],
)
def test_names_that_lead_elsewhere(name, reason):
    with pytest.raises(errors.InvalidPathNameError) as caught:
        files.check_name("The name of an exporter", name)
    assert str(caught.value) == (
        f"The name of an exporter is {name!r}, which cannot be the name of a file or folder: "
        f"{reason}. Choose a name of letters, digits, '_' and '-'."
    )


def test_one_place_under_two_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").write_text("")
    (tmp_path / "b").write_text("")
    (tmp_path / "link").symlink_to("a")
    os.link("a", "other")
    for path in ("a", "./a", f"{tmp_path}/x/../a", "link", "other"):
        assert files.is_same(path, "a"), path
    (tmp_path / "new").symlink_to("gone")
    assert files.is_same("new", "gone") and files.is_same("x/../gone", "gone")
    assert not files.is_same("a", "b") and not files.is_same("a", "gone")
    assert files.is_same("ram://x//a", "ram://x/a") and not files.is_same("ram://a", "a")


def test_what_is_in_a_folder(tmp_path):
    inner, outer = tmp_path / "inner", tmp_path / "outer"
    inner.mkdir(), outer.mkdir()
    (inner / "link").symlink_to(outer)
    for path in (inner, inner / "new", inner / "x" / ".." / "y"):
        assert files.is_within(str(path), str(inner))
    for path in (tmp_path, inner / "..", inner / "link" / "x", f"{inner}_2"):
        assert not files.is_within(str(path), str(inner)), path
    assert files.is_within("/a", "/") and files.is_within("gs://b/a", "gs://b")
    assert not files.is_within("gs://b/../c", "gs://b")
