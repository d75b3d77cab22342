"""The examples of docs/keras.md run, one after the other."""

from __future__ import annotations

import pathlib
import re
import shutil

PAGE = pathlib.Path(__file__).parent.parent.parent / "docs" / "keras.md"


def test_the_examples_run(hub_module, tmp_path, capsys):
    shutil.copytree(hub_module, tmp_path / "modules" / "moved")
    shutil.copytree(hub_module, tmp_path / "modules" / "text")
    (tmp_path / "models").mkdir()
    text = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 6
    names: dict = {}
    for block in blocks:
        for folder in ("modules", "models"):
            block = block.replace(f'"/{folder}/', f'"{tmp_path}/{folder}/')
        exec(block, names)  # noqa: S102  our own page
    assert names["loaded"].layers[1].get_config()["handle"] == str(tmp_path / "modules" / "moved")
    assert sorted(names["outputs"]) == ["calls", "default"]
    assert (tmp_path / "models" / "served" / "saved_model.pb").exists()


def test_the_names_are_there():
    import hub_estimator as hub

    for name in re.findall(r"`hub\.keras\.(legacy)\.KerasLayer`", PAGE.read_text()):
        assert getattr(hub.keras, name).KerasLayer
    assert hub.keras.moved_handles
