"""The table of results: the runs, none repeated, and modules of the right vectors."""

from __future__ import annotations

import csv
import re

import numpy as np
import pytest

pytest.importorskip("safetensors")

from examples import results
from examples.sentence_encoder import pretrained, word_vectors
from examples.text_embeddings import from_texts, module
from examples.text_embeddings.vectors import WordVectors
from tests.examples.tiny_encoder import write


def _write_reviews(path, good, bad):
    path.parent.mkdir(exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        writer.writerows([("good", good), ("bad", bad)] * 16)
    return path


@pytest.fixture
def folder(tmp_path):
    """What is there once reviews are prepared and modules published, as small as can be."""
    for name in ("train.csv", "test.csv"):
        _write_reviews(tmp_path / "reviews" / name, good=1, bad=0)
    for source in results.sources():
        vectors = WordVectors(["good", "bad"], np.eye(2, dtype=np.float32))
        module.publish(vectors, tmp_path / "modules" / source.name)
    return tmp_path


def test_runs_that_are_not_repeated(folder, capsys, monkeypatch):
    one = results.sources()[2]
    monkeypatch.setattr(results, "sources", lambda: [one])
    command = ["results", f"--folder={folder}", "--max_steps=5"]
    assert results.run(command) == 0
    first = capsys.readouterr()
    header, _, *rows = first.out.splitlines()
    assert header == "| module | trained | accuracy | the tutorial's |"
    cells = [row.strip("| ").split(" | ") for row in rows]
    assert [(trained, figure) for _, trained, _, figure in cells] == [
        ("frozen", "0.691"), ("fine-tuned", "not given"),
    ]  # fmt: skip
    assert all(module == one.title for module, *_ in cells)
    assert all(re.fullmatch(r"[01]\.\d{4}", accuracy) for _, _, accuracy, _ in cells)
    # All labels are wrong now: whatever was evaluated again would show it.
    _write_reviews(folder / "reviews" / "test.csv", good=0, bad=1)
    assert results.run(command) == 0
    second = capsys.readouterr()
    assert second.out == first.out
    assert second.err.count("is finished already.") == 2 and "step" not in second.err


def test_a_run_of_fewer_steps_goes_on(folder):
    arguments = (str(folder / "model"), str(folder / "modules/own"), str(folder / "reviews"))
    results.train(*arguments, True, 2)
    results.train(*arguments, True, 4)
    lines = (folder / "model" / "metrics.jsonl").read_text().splitlines()
    assert [line[: len('{"step": 2')] for line in lines] == ['{"step": 2', '{"step": 4']


def test_the_vectors_of_each_module(tmp_path, monkeypatch):
    monkeypatch.setattr(pretrained, "find_installed", lambda: str(write(tmp_path / "tiny")))
    monkeypatch.setattr(from_texts, "make_vectors", lambda texts: tuple(texts))
    texts = str(_write_reviews(tmp_path / "reviews" / "train.csv", good=1, bad=0))
    own, token, random = (source.vectors(texts) for source in results.sources())
    assert [source.name for source in results.sources()] == ["own", "token", "random"]
    assert own == ("good", "bad") * 16
    assert token.words == random.words == ["good", "film"]
    like = word_vectors.random_vectors(token)
    np.testing.assert_array_equal(random.vectors, like.vectors)
    assert not np.array_equal(random.vectors, token.vectors)


def test_the_table():
    rows = [results.Row("mine", "frozen", 0.8, "0.792")]
    assert results.as_table(rows).splitlines()[2:] == ["| mine | frozen | 0.8000 | 0.792 |"]
