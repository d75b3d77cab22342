"""Packaged configurations, damaged by chance: each parses, or is one clear error.

FUZZ=5000 tries as many; a failure names its seed and number.
"""

from __future__ import annotations

import os
import pathlib
import random

import pytest

from hub_estimator import config, errors
from hub_estimator.training import configurables

CONFIGS = pathlib.Path(__file__).parent.parent.parent / "configs"
SEED = 7
NUMBER = int(os.environ.get("FUZZ", "150"))
PIECES = [
    *("@", "%", "(", ")", "()", "[", "]", "{", "}", "'", '"', "'''", "\\", "\n", "\r", "\t", "  "),
    *(":", "=", "/", ".", ",", "#", ";", "$", "-", "...", "\0", "\ufeff", "\u2028", "\x0c", "é"),
    *("import ", "from ", "include ", "true", "None", "1e999", "0x", "1_000", "b'", "f'{x}'"),
    *("%gin.REQUIRED", "@gin.macro", "@gin.singleton()", "macro.value", "gin.constant", "%MODULE"),
    *("@Model()", "@Encoder()", "@x/y/z/Encoder", "a/", "__gin__.dynamic_registration"),
]


def damaged(text: str, chance: random.Random) -> str:
    """A text with up to thirty changes: something put in, taken out, repeated, or exchanged."""
    for _ in range(chance.choice([1, 1, 1, 2, 3, 8, 30])):
        start = chance.randrange(len(text) + 1)
        end = min(len(text), start + chance.choice([1, 2, 5, 20, 100]))
        before, within, after = text[:start], text[start:end], text[end:]
        lines, words = text.split("\n"), text.split(" ")
        chance.shuffle(lines)
        words[chance.randrange(len(words))] = chance.choice(PIECES)
        text = chance.choice(
            [
                before + after,
                before + chance.choice(PIECES) + within + after,
                before + chr(chance.randrange(0x110000)) + within + after,
                before + within * chance.choice([2, 3, 50]) + after,
                before,
                "\n".join(lines),
                " ".join(words),
            ]
        )
    return text


def operative_text() -> str:
    """The configuration of a model folder with parts of most kinds."""
    bindings = ["MODULE='m'", "TRAIN_DATA='t'", "EVAL_DATA='e'"]
    with config.gin_session(["text_classification.gin"], bindings) as session:
        for part in ("Optimization", "DenseLayers", "Report", "BinaryClassHead"):
            session.call(part)
        return session.operative_text("model")


@pytest.fixture(scope="module", autouse=True)
def registered():
    configurables.register()


@pytest.mark.parametrize("part", range(3))
def test_damaged_configurations(part, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    texts = {path.name: path.read_text() for path in sorted(CONFIGS.glob("*.gin"))}
    texts["operative_config.gin"] = operative_text()
    chance = random.Random(SEED + part)
    for number in range(NUMBER // 3):
        name = chance.choice(list(texts))
        content = damaged(texts[name], chance).encode("utf-8", "surrogatepass")
        pathlib.Path(name).write_bytes(content)
        given = ["MODULE='m'", "TRAIN_DATA='t'", "EVAL_DATA='e'"]
        try:
            with config.gin_session([name], given) as session:
                session.operative_text("model")
                config.unread_bindings()
        except errors.ConfigError as error:
            assert "\n" not in str(error) and "In call to" not in str(error)
        except Exception as error:
            raise AssertionError(f"seed {SEED + part}, number {number}: {content!r}") from error
        os.remove(name)
