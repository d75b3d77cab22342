"""The README's examples run, and what it names is there."""

from __future__ import annotations

import pathlib
import re

import pytest

import hub_estimator as hub

ROOT = pathlib.Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_python_example_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (program,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names: dict = {}
    exec(compile(program, "README.md", "exec"), names)  # noqa: S102  it is our own
    assert names["features"].shape.as_list() == [5, 2]
    assert hub.load_module_spec("my_module").get_signature_names() == ["default"]


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "examples/README.md"])
def test_links_and_make_commands_are_there(document):
    text = (ROOT / document).read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!http)(.+?)\)", text):
        assert ((ROOT / document).parent / target).exists(), target
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"(?:`|\$ )make ([a-z-]+)", text):
        assert re.search(f"^{target}:", makefile, re.MULTILINE), target


def test_the_train_command_is_that_of_the_makefile():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    command = "-m hub_estimator.train --gin_file=text_classification.gin"
    assert command in README
    assert command in makefile
    assert (ROOT / "configs" / "text_classification.gin").is_file()
