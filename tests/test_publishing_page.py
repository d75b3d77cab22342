"""docs/publishing.md: what it names is there, and what it shows is so."""

from __future__ import annotations

import json
import pathlib
import re

from hub_estimator import publish
from hub_estimator.site import index
from tests.site import published

ROOT = pathlib.Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "publishing.md").read_text(encoding="utf-8")


def test_its_flags_are_those_of_the_command():
    flags = set(publish.define_flags()) - {"?", "help", "helpshort", "helpfull", "helpxml"}
    commands = " ".join(re.findall(r"hub_estimator\.publish.*?```", PAGE, re.DOTALL))
    assert set(re.findall(r"--([a-z_]+)=", commands)) <= flags
    named = set(re.findall(r"^\| `--([a-z_]+)`", PAGE, re.MULTILINE)) | {"withdraw"}
    assert named == flags


def test_its_index_has_the_keys_of_one():
    shown = json.loads(re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)[0])
    made = json.loads(index.text({published.NAME: [published.version()]}))

    def keys(content):
        model = content["models"][published.NAME]
        versions = model["versions"].values()
        return set(content), set(model), next(set(about) for about in versions if "sha256" in about)

    assert keys(shown) == keys(made)
    for key in set.union(*keys(made)) - {"format", "models", "versions", "published"}:
        assert f"`{key}`" in PAGE


def test_its_links_lead_somewhere():
    for target in re.findall(r"\]\((?!http)(.+?)\)", PAGE):
        assert (ROOT / "docs" / target).exists(), target
