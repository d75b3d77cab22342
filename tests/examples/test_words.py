"""The rule for words is the same in Python and in a graph."""

from __future__ import annotations

import pytest
import tensorflow as tf

from examples.text_embeddings import words

TEXTS = {
    "": [],
    " \t\n": [],
    "?!...": [],
    "Good, GOOD; bad.": ["good", "good", "bad"],
    "a<br /><br />b": ["a", "b"],
    "x < y and y > z": ["x", "z"],
    "Don't -- it’s 'quoted'": ["dont", "its", "quoted"],
    "Ünïcode ÄÖÜ 영화": ["ünïcode", "äöü", "영화"],
    "8/10 tri-state snake_case": ["8", "10", "tri", "state", "snake", "case"],
}


@pytest.mark.parametrize("text", TEXTS)
def test_words_in_python(text):
    assert words.split_text(text) == TEXTS[text]


def test_words_in_a_graph():
    split = words.split_texts(tf.constant(list(TEXTS)))
    with tf.compat.v1.Session() as session:
        found = session.run(split).to_list()
    assert [[word.decode() for word in text] for text in found] == list(TEXTS.values())


def test_bytes_that_are_not_text_do_not_stop_a_graph():
    split = words.split_texts(tf.constant([b"\xff\xfe good"]))
    with tf.compat.v1.Session() as session:
        assert session.run(split).to_list()[0][-1] == b"good"
