"""Files of word vectors: the variants in use, and what a broken one says."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from examples.text_embeddings import vectors

GLOVE = "good 1 2\nbad -1 0.5\n"


def _write(tmp_path, content):
    path = tmp_path / "vectors.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "content",
    [
        GLOVE,
        "2 2\n" + GLOVE,
        GLOVE.replace("\n", "\r\n"),
        GLOVE.replace("\n", " \n"),
        GLOVE + "\n",
        GLOVE + "good 7 7\n",
        gzip.compress(GLOVE.encode()),
    ],
    ids=["glove", "word2vec", "crlf", "end space", "empty line", "repeated", "gzip"],
)
def test_the_same_vectors_in_all_variants(tmp_path, content):
    found = vectors.read_vectors(_write(tmp_path, content))
    assert found.words == ["good", "bad"]
    assert found.vectors.dtype == np.float32
    np.testing.assert_array_equal(found.vectors, [[1, 2], [-1, 0.5]])


def test_a_word_of_several_parts(tmp_path):
    found = vectors.read_vectors(_write(tmp_path, GLOVE + "not good 3 4\n"))
    assert found.words == ["good", "bad", "not good"]


def test_a_number_is_a_word_too(tmp_path):
    assert vectors.read_vectors(_write(tmp_path, GLOVE + "1997 3 4\n")).words[-1] == "1997"


def test_only_the_first_words(tmp_path):
    assert vectors.read_vectors(_write(tmp_path, GLOVE), max_words=1).words == ["good"]


BROKEN = {
    GLOVE + "poor 1\n": "{}, line 3: expected a word and 2 numbers, found 1: 'poor 1'.",
    GLOVE + "poor 1 2 3\n": "{}, line 3: expected a word and 2 numbers, found 3: 'poor 1 2 3'.",
    "2 3\n" + GLOVE: "{}, line 2: expected a word and 3 numbers, found 2: 'good 1 2'.",
    GLOVE + "poor 1 x\n": "{}, line 3: expected a word and 2 finite numbers, but 'x' is none.",
    GLOVE + "poor 1 nan\n": "{}, line 3: expected a word and 2 finite numbers, but 'nan' is none.",
    "good\n": "{}, line 1: expected a word and 0 numbers, found 0: 'good'.",
    "": "{} has no word vectors: expected lines of a word and its numbers.",
    "2 2\n": "{} has no word vectors: expected lines of a word and its numbers.",
}


@pytest.mark.parametrize("content", BROKEN)
def test_broken_files(tmp_path, content):
    path = _write(tmp_path, content)
    with pytest.raises(vectors.VectorsFileError) as caught:
        vectors.read_vectors(path)
    assert str(caught.value) == BROKEN[content].format(path)


def test_not_text(tmp_path):
    path = _write(tmp_path, GLOVE.encode() + b"\xff 1 2\n")
    with pytest.raises(vectors.VectorsFileError, match="txt, line 3 is not text in UTF-8: 'utf-8'"):
        vectors.read_vectors(path)


def test_a_damaged_archive(tmp_path):
    path = _write(tmp_path, gzip.compress(GLOVE.encode() * 100)[:-9])
    with pytest.raises(vectors.VectorsFileError, match="vectors.txt is damaged: Compressed file"):
        vectors.read_vectors(path)


def test_no_file(tmp_path):
    with pytest.raises(vectors.VectorsNotFoundError) as caught:
        vectors.read_vectors(tmp_path)
    assert str(caught.value) == f"There is no file of word vectors at {tmp_path}."
