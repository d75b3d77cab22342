"""Paths in a model folder's configuration, from anywhere and after what they lead to was moved."""

from __future__ import annotations

import os
import shutil

import pytest

from hub_estimator import config
from hub_estimator.config.origin import ConfigOrigin
from tests.config import kitchen
from tests.config.kitchen import write


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """`work/data.csv`, `work/shards/*`, and a program that works in `work`."""
    kitchen.register()
    write(tmp_path / "work" / "data.csv", "")
    write(tmp_path / "work" / "shards" / "a-1", "")
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


def keep(tree, *bindings, model="model"):
    """Keeps a configuration in `work/model`."""
    with config.gin_session([], bindings) as session:
        session.call("recipe")
        text = session.operative_text(model)
    write(tree / "work" / model / "operative_config.gin", text)


def read(model, *bindings):
    """Returns the path that a call gets from a kept configuration."""
    with config.gin_session([f"{model}/operative_config.gin"], bindings) as session:
        return session.call("recipe")[0]


def test_from_any_folder(tree, monkeypatch):
    keep(tree, "recipe.path = 'data.csv'")
    work = str(tree / "work")
    assert read("model") == f"{work}/data.csv"
    monkeypatch.chdir(tree / "work" / "model")
    assert read(".") == f"{work}/data.csv"
    monkeypatch.chdir("/")
    assert read(f"{work}/model") == f"{work}/data.csv"
    # What users give is seen from where they are, as always.
    assert read(f"{work}/model", "recipe.path = 'data.csv'") == "data.csv"


@pytest.mark.parametrize("is_absolute", [False, True])
@pytest.mark.parametrize("through", ["recipe.path = %P\nP = ", "recipe.path = "])
def test_moved_with_what_they_lead_to(tree, monkeypatch, is_absolute, through):
    path = str(tree / "work" / "data.csv") if is_absolute else "data.csv"
    keep(tree, f"{through}{path!r}", model="runs/one/model")
    shutil.move(tree / "work", tree / "moved")
    monkeypatch.chdir("/")
    assert read(f"{tree}/moved/runs/one/model") == f"{tree}/moved/data.csv"
    monkeypatch.chdir(tree / "moved" / "runs")
    assert read("one/model") == f"{tree}/moved/data.csv"


def test_the_model_folder_moved_alone(tree, monkeypatch):
    keep(tree, "recipe.path = 'data.csv'")
    shutil.move(tree / "work" / "model", tree / "model")
    monkeypatch.chdir("/")
    assert read(f"{tree}/model") == f"{tree}/work/data.csv"


@pytest.mark.parametrize("is_absolute", [False, True])
def test_a_copy_beside_the_first(tree, is_absolute):
    path = str(tree / "work" / "data.csv") if is_absolute else "data.csv"
    keep(tree, f"recipe.path = {path!r}")
    shutil.copytree(tree / "work", tree / "copy")
    chosen = "work" if is_absolute else "copy"  # the copy's own, where nobody said otherwise
    assert read(f"{tree}/copy/model") == f"{tree}/{chosen}/data.csv"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("shards/a-*", "{work}/shards/a-*"),
        ("../work/data.csv", "{work}/data.csv"),
        ("file://data.csv", "{work}/data.csv"),
        ("no.csv", "no.csv"),
        ("shards/b-*", "shards/b-*"),
        ("https://example.com/data.csv", "https://example.com/data.csv"),
        ("gs://data.csv", "gs://data.csv"),
        ("", ""),
        ("data.csv\0", "data.csv\0"),
        ("*\0", "*\0"),
        ("\ud800*", "\ud800*"),
        (["data.csv", ("no.csv", {"data.csv": "data.csv"}), 3, None, b"data.csv"], None),
    ],
)
def test_kinds_of_paths(tree, given, expected):
    keep(tree, f"recipe.path = {given!r}")
    work = str(tree / "work")
    if expected is None:
        there = f"{work}/data.csv"
        assert read("model") == [there, ("no.csv", {"data.csv": there}), 3, None, b"data.csv"]
    else:
        assert read("model") == expected.format(work=work)


def test_what_is_no_path_stays(tree, monkeypatch):
    bindings = [
        "recipe.path = %P",
        "P = [%Q, 'data.csv']",
        "Q = 'shards'",
        "recipe.shelf = 'data.csv'",
    ]
    with config.gin_session(
        [], [*bindings, "bake.cake = @Cake()", "Cake.flavour = 'shards'"]
    ) as run:
        run.call("recipe"), run.call("bake")
        write(tree / "work" / "model" / "operative_config.gin", run.operative_text("model"))
    monkeypatch.chdir("/")
    with config.gin_session([f"{tree}/work/model/operative_config.gin"]) as session:
        assert session.call("recipe")[0] == [f"{tree}/work/shards", f"{tree}/work/data.csv"]
        assert session.call("bake")[0][0] == "shards"


def test_the_next_run_keeps_where_they_lead_to(tree, monkeypatch):
    keep(tree, "recipe.path = 'data.csv'")
    monkeypatch.chdir(tree)
    with config.gin_session(["work/model/operative_config.gin"]) as session:
        session.call("recipe")
        write(tree / "next" / "operative_config.gin", session.operative_text("next"))
    monkeypatch.chdir("/")
    assert read(f"{tree}/next") == f"{tree}/work/data.csv"


def test_a_file_under_another_name_is_the_users_own(tree, monkeypatch):
    keep(tree, "recipe.path = 'data.csv'")
    os.rename("model/operative_config.gin", "model/own.gin")
    with config.gin_session(["model/own.gin"]) as session:
        assert session.call("recipe")[0] == "data.csv"


def test_the_head_of_a_configuration_and_heads_that_are_none(tree):
    origin = ConfigOrigin.here("model", ["a.b", "c"])
    work = str(tree / "work")
    assert origin == ConfigOrigin(work, f"{work}/model", ("a.b", "c"))
    head = (
        "# Where this configuration was at work; paths in it are looked for from there.\n"
        f'# working_folder = "{work}"\n# model_folder = "{work}/model"\n# imports = ["a.b", "c"]\n'
    )
    assert origin.head() == head and ConfigOrigin.read(f"{head}x = 1\n") == origin
    assert ConfigOrigin.here("gs://b/model", []).model_folder == "gs://b/model"
    for wrong in (
        "",
        "x = 1\n",
        f"\n{head}",
        head.replace(f'"{work}"', '"relative"'),
        head.replace(f'"{work}"', "3"),
        head.replace(f'"{work}"', "nothing"),
        head.replace(f'"{work}"', "[" * 100_000),
        head.replace("# model_folder", "# folder"),
    ):
        assert ConfigOrigin.read(wrong) is None
    for imports in ('"a"', "3", '["../a", "a b", "a;b", 3, [], ""]'):
        assert ConfigOrigin.read(head.replace('["a.b", "c"]', imports)).imports == ()


@pytest.mark.parametrize("path", ["a\nb", 'a"b', "\u2028", "\udc80"])
def test_odd_names_of_folders(path):
    origin = ConfigOrigin(f"/{path}", "/model", ())
    assert ConfigOrigin.read(origin.head()) == origin
    assert len(origin.head().splitlines()) == 4


def test_remote_model_folders(tree):
    remote = ConfigOrigin(str(tree / "work"), "gs://bucket/model")
    assert remote.path("data.csv", "gs://bucket/moved") == f"{tree}/work/data.csv"
    assert remote.path("data.csv", str(tree)) == f"{tree}/work/data.csv"
