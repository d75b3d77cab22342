"""Vectors from texts: near where words are used alike, repeatable, and checked."""

from __future__ import annotations

import dataclasses
import importlib.util

import numpy as np
import pytest

from examples import requirements
from examples.text_embeddings import factoring, from_texts

SMALL = from_texts.Settings(width=3, min_count=2, phrase_min_count=3)
# "good" and "great" stand in the same places, so do "bad" and "poor".
TEXTS = [
    f"the {noun} was {adjective} {other} and i {verb} it"
    for noun in ("film", "story", "cast")
    for adjective, other, verb in (
        ("good", "fun", "loved"),
        ("great", "fun", "loved"),
        ("bad", "trash", "hated"),
        ("poor", "trash", "hated"),
    )
]


@pytest.fixture(scope="module")
def made():
    return from_texts.make_vectors(TEXTS, SMALL)


def test_words_used_alike_are_near(made):
    rows = dict(zip(made.words, made.vectors, strict=True))
    unit = {word: row / np.linalg.norm(row) for word, row in rows.items()}
    assert unit["good"] @ unit["great"] > 0.99 > unit["good"] @ unit["bad"]
    assert unit["bad"] @ unit["poor"] > 0.99


def test_words_come_by_frequency_then_by_name_then_phrases(made):
    words = [word for word in made.words if " " not in word]
    assert words[:5] == ["and", "i", "it", "the", "was"]
    assert made.words[: len(words)] == words
    assert "was good" in made.words and "fun and" in made.words
    assert "film was" in made.words
    assert "it the" not in made.words, "a phrase does not span two texts"


def test_frequent_words_are_short_rare_ones_have_length_one():
    made = from_texts.make_vectors(TEXTS, dataclasses.replace(SMALL, rarity=0.1))
    lengths = np.linalg.norm(made.vectors, axis=1)
    counts = 12 * 9
    np.testing.assert_allclose(lengths[0], 0.1 / (0.1 + 12 / counts), rtol=1e-5)
    assert lengths[0] < lengths[made.words.index("good")] < 1
    equal = from_texts.make_vectors(TEXTS, dataclasses.replace(SMALL, rarity=0))
    np.testing.assert_allclose(np.linalg.norm(equal.vectors, axis=1), 1, rtol=1e-5)


def test_counts_are_those_of_a_plain_loop():
    ids = np.array([0, 1, 2, 0, -1, -1, 1, 0])
    counted = factoring.context_counts(ids, ids, [-2, -1, 1, 2], (3, 3)).toarray()
    expected = np.zeros((3, 3))
    for i, a in enumerate(ids):
        for j, b in enumerate(ids):
            if 0 < abs(i - j) <= 2 and a >= 0 and b >= 0:
                expected[a, b] += 1
    np.testing.assert_array_equal(counted, expected)


def test_the_same_texts_give_the_same_vectors(made):
    again = from_texts.make_vectors(iter(TEXTS), SMALL)
    assert again.words == made.words
    np.testing.assert_array_equal(again.vectors, made.vectors)


def test_limits():
    made = from_texts.make_vectors(TEXTS, dataclasses.replace(SMALL, max_words=6, max_phrases=2))
    assert len([word for word in made.words if " " not in word]) == 6
    assert len(made.words) == 8
    alone = from_texts.make_vectors(TEXTS, dataclasses.replace(SMALL, max_phrases=0))
    assert not [word for word in alone.words if " " in word]


def test_too_few_words():
    with pytest.raises(from_texts.TooFewWordsError) as caught:
        from_texts.make_vectors(["good film", "good story"], SMALL)
    assert str(caught.value) == (
        "Vectors 3 wide need more than 3 different words, but only 1 occur 2 times or more in the "
        "2 texts. Give more texts, a smaller --width or a smaller --min_count."
    )


def test_scipy_is_not_installed(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(requirements.NotInstalledError) as caught:
        from_texts.make_vectors(TEXTS, SMALL)
    assert str(caught.value) == (
        "Word vectors are made of texts with the package scipy, which is not installed. Install it: "
        "pip install scipy."
    )
