"""The examples' commands write nothing over what they read."""

from __future__ import annotations

import pytest

from examples import compose
from examples.custom_model_fn import train as custom_model_fn
from examples.numbers_module import export as numbers_export
from examples.numbers_module import prepare as numbers_prepare
from examples.sentence_encoder import export as sentence_export
from examples.sentence_encoder import tokenize, word_vectors
from examples.tables import prepare as tables_prepare
from examples.text_embeddings import export as text_export
from examples.text_embeddings import prepare as text_prepare

STAYS = ", which is read and must stay as it is. Choose another place."


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with two tables, `data/train.csv` and `data/test.csv`, as the working folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    for name in ("train.csv", "test.csv", "vocab.jsonl"):
        (tmp_path / "data" / name).write_text("text,label\ngood,1\n")
    return tmp_path


@pytest.mark.parametrize(
    ("command", "flags", "message"),
    [
        (
            text_export,
            ["--texts=data/train.csv", "--export_path=data/../data/train.csv"],
            "The module 'data/../data/train.csv' is --texts itself, 'data/train.csv'",
        ),
        (
            numbers_export,
            ["--table=data/train.csv", "--columns=label", "--export_path=data/train.csv"],
            "The module 'data/train.csv' is --table itself",
        ),
        (
            numbers_prepare,
            ["--reviews=data", "--folder=data/"],
            "The table 'data/train.csv' is a table of reviews itself",
        ),
        (
            tables_prepare,
            ["--kind=pairs", "--folder=data", "--source=data/test.csv"],
            "The table 'data/test.csv' is the source itself",
        ),
        (
            text_prepare,
            ["--folder=data", "--source=data/train.csv"],
            "The table 'data/train.csv' is the source itself",
        ),
        (
            tokenize,
            [
                "--texts=data/train.csv",
                "--output=data/vocab.jsonl",
                "--vocabulary=data/vocab.jsonl",
            ],
            "The output 'data/vocab.jsonl' is the vocabulary itself",
        ),
        (
            sentence_export,
            ["--weights=data", "--export_path=data/module"],
            "The module 'data/module' is in --weights, 'data'",
        ),
        (
            word_vectors,
            ["--weights=data", "--export_path=data"],
            "The module 'data' is --weights itself",
        ),
        (
            compose,
            ["--module=data", "--export_path=data/both"],
            "The module 'data/both' is in --module, 'data'",
        ),
        (
            custom_model_fn,
            ["--module=data", "--model_dir=data/model"],
            "The model folder 'data/model' is in --module, 'data'",
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_output_is_not_the_input(here, capsys, command, flags, message):
    before = {path: path.read_bytes() for path in here.rglob("*.*")}
    assert command.run(["command", *flags]) == 1
    assert capsys.readouterr().err == f"error: {message}{STAYS}\n"
    assert {path: path.read_bytes() for path in here.rglob("*.*")} == before
