"""Modules under a second name."""

from __future__ import annotations

import importlib
import sys

import pytest

from hub_estimator.compat.aliases import add_alias


@pytest.fixture
def alias(tmp_path, monkeypatch):
    """A package `real_zoo` with the module `cat`, and an alias `zoo_alias` for it."""
    package = tmp_path / "real_zoo"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "cat.py").write_text("class Cat: pass")
    monkeypatch.syspath_prepend(str(tmp_path))
    add_alias("zoo_alias", "real_zoo")
    yield "zoo_alias"
    for name in [name for name in sys.modules if name.startswith(("zoo_alias", "real_zoo"))]:
        del sys.modules[name]


def test_is_the_same_module_with_its_own_name(alias):
    module = importlib.import_module(alias)
    assert module is importlib.import_module("real_zoo")
    assert module.__name__ == module.__spec__.name == "real_zoo"


def test_what_is_inside_is_the_same_too(alias):
    cat = importlib.import_module(f"{alias}.cat")
    assert cat is importlib.import_module("real_zoo.cat")
    with pytest.raises(ModuleNotFoundError, match="No module named 'zoo_alias.dog'"):
        importlib.import_module(f"{alias}.dog")
    with pytest.raises(ModuleNotFoundError, match=r"zoo_alias\.cat\.tail"):
        importlib.import_module(f"{alias}.cat.tail")


def test_imports_nothing_before_it_is_asked(alias):
    assert "real_zoo" not in sys.modules


def test_a_module_that_exists_is_preferred(alias, tmp_path):
    (tmp_path / "zoo_alias.py").write_text("real = True")
    importlib.invalidate_caches()
    assert importlib.import_module(alias).real


def test_adding_twice_changes_nothing(alias):
    before = list(sys.meta_path)
    add_alias(alias, "real_zoo")
    assert sys.meta_path == before
