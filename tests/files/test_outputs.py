"""The output is not the input, under whatever name."""

from __future__ import annotations

import os

import pytest

from hub_estimator import errors, files

STAYS = "which is read and must stay as it is. Choose another place."


def message(path, *inputs):
    with pytest.raises(errors.OutputIsInputError) as caught:
        files.check_output("The output", path, inputs)
    return str(caught.value)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.csv").write_text("text\n")
    (tmp_path / "module").mkdir()
    return tmp_path


def test_the_input_itself(here):
    assert message("data.csv", ("the input", "data.csv")) == (
        f"The output 'data.csv' is the input itself, {STAYS}"
    )


@pytest.mark.parametrize("make", [os.symlink, os.link], ids=["link", "hard link"])
def test_another_name_of_the_input(here, make):
    make("data.csv", "other.csv")
    expected = f"The output 'other.csv' is the input itself, 'data.csv', {STAYS}"
    assert message("other.csv", ("the input", "data.csv")) == expected
    assert message("data.csv", ("the input", "other.csv")).startswith("The output 'data.csv' is ")


def test_other_spellings(here):
    os.symlink(here, "link")
    for path in ("./data.csv", "module/../data.csv", str(here / "data.csv"), "link/data.csv"):
        assert f"The output {path!r} is the input itself" in message(
            path, ("the input", "data.csv")
        )


def test_within_a_folder_that_is_read(here):
    os.symlink("module", "link")
    for path in ("module/deep/new.csv", "link/new.csv", "link/../module/new.csv"):
        assert message(path, ("the input", "data.csv"), ("the module", "module")) == (
            f"The output {path!r} is in the module, 'module', {STAYS}"
        )
    files.check_output("The output", "module.csv", [("the module", "module")])
    files.check_output("The output", "new.csv", [("the module", "module")])
    files.check_output("The output", "data.csv/new.csv", [("the input", "data.csv")])  # no place


def test_remote_places():
    files.make_folder("ram://outputs/module")
    inputs = [
        ("the archive", "https://example.com/module/1"),
        ("the module", "ram://outputs/module"),
    ]
    files.check_output("The output", "ram://outputs/other", inputs)
    files.check_output("The output", "outputs/module", inputs)
    assert "is in the module" in message("ram://outputs/module/x", *inputs)
    assert "is the module itself" in message("ram://outputs/module", *inputs)
