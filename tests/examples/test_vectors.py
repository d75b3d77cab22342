"""Files of word vectors: the variants in use, and what a broken one says."""

from __future__ import annotations

import gzip
import os

import numpy as np
import pytest

from examples.text_embeddings import export, vectors
from hub_estimator import errors

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
        "\ufeff" + GLOVE,
        "\ufeff2 2\n" + GLOVE,
        gzip.compress(b"\xef\xbb\xbf" + GLOVE.encode()),
        GLOVE.removesuffix("\n"),
        GLOVE.replace(" ", "\t"),
    ],
    ids=[
        *("glove", "word2vec", "crlf", "end space", "empty line", "repeated", "gzip", "BOM"),
        *("BOM and header", "BOM in gzip", "no last newline", "tabs"),
    ],
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
    "3 2\n" + GLOVE: (
        "{} says in its first line that it has 3 words, but it has 2: it is cut, or was changed. Get "
        "it again, or remove the first line."
    ),
    "1 2\n" + GLOVE: (
        "{} says in its first line that it has 1 words, but it has 2: it is cut, or was changed. Get "
        "it again, or remove the first line."
    ),
    GLOVE
    + "poor 1 1e39\n": "{}, line 3: expected a word and 2 finite numbers, but '1e39' is none.",
    GLOVE + "\x1b[2J 1 2 3 4\n": (
        "{}, line 3: expected a word and 2 numbers, found 4: '\\x1b[2J 1 2 3 4'."
    ),
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


@pytest.mark.parametrize("space", "\u00a0\u0085\u2028\u3000\u1680")
def test_only_spaces_of_ascii_are_between_words_and_numbers(tmp_path, space):
    word = f"New{space}York"
    assert vectors.read_vectors(_write(tmp_path, f"{GLOVE}{word} 3 4\n")).words[-1] == word


def test_a_word_that_is_repeated_counts_for_the_first_line(tmp_path):
    path = _write(tmp_path, "3 2\n" + GLOVE + "good 7 7\n")
    assert vectors.read_vectors(path).words == ["good", "bad"]
    assert vectors.read_vectors(path, max_words=1).words == ["good"]


def test_lines_of_several_reads(tmp_path, monkeypatch):
    monkeypatch.setattr(vectors, "_CHUNK_BYTES", 3)
    found = vectors.read_vectors(_write(tmp_path, "2 2\n" + GLOVE))
    np.testing.assert_array_equal(found.vectors, [[1, 2], [-1, 0.5]])


def test_a_pointer_of_git_lfs(tmp_path):
    path = _write(tmp_path, "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    with pytest.raises(errors.LfsPointerError, match="vectors.txt' is a pointer of Git LFS"):
        vectors.read_vectors(path)


def test_a_named_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(errors.NotAFileError) as caught:
        vectors.read_vectors(tmp_path / "pipe")
    assert str(caught.value) == (
        f"{str(tmp_path / 'pipe')!r} is a named pipe; a regular file is needed here."
    )


def test_zeros_that_were_compressed(tmp_path):
    path = _write(tmp_path, gzip.compress(bytes(10_000_000)))
    with pytest.raises(vectors.VectorsFileError) as caught:
        vectors.read_vectors(path)
    assert str(caught.value) == (
        f"{path}, line 1 has more than 1048576 bytes: that is no word and its vector."
    )


def test_more_than_may_be_unpacked(tmp_path, capsys):
    path = _write(tmp_path, gzip.compress(b"good 1 2\n" * 1000))
    argv = ["", f"--vectors={path}", f"--export_path={tmp_path}/m", "--max_unpacked_bytes=8999"]
    assert export.run(argv) == 1
    assert capsys.readouterr().err == (
        f"error: {path} has more than 8999 bytes, unpacked. Where that is right, raise "
        "max_unpacked_bytes.\n"
    )
    assert vectors.read_vectors(path, max_unpacked_bytes=9000).words == ["good"]


def test_a_damaged_stream_in_an_archive(tmp_path):
    header = gzip.compress(GLOVE.encode())[:10]
    path = _write(tmp_path, header + b"\xff" * 50)
    with pytest.raises(vectors.VectorsFileError, match="is damaged: Error -3 while decompressing"):
        vectors.read_vectors(path)


@pytest.mark.parametrize("spelling", ["vectors.txt", "./vectors.txt", "link"])
def test_a_module_in_the_place_of_the_vectors(tmp_path, monkeypatch, capsys, spelling):
    path = _write(tmp_path, GLOVE)
    (tmp_path / "link").symlink_to("vectors.txt")
    monkeypatch.chdir(tmp_path)
    assert export.run(["", f"--vectors={path}", f"--export_path={spelling}"]) == 1
    assert capsys.readouterr().err == (
        f"error: The module {spelling!r} is --vectors itself, {str(path)!r}, which is read and must stay "
        "as it is. Choose another place.\n"
    )
    (tmp_path / "other").write_text("mine")
    assert export.run(["", f"--vectors={path}", "--export_path=other"]) == 1
    assert capsys.readouterr().err == (
        "error: There is a file at other, and a module is a folder. Choose another path.\n"
    )
    assert path.read_text() == GLOVE


def test_no_file(tmp_path):
    with pytest.raises(vectors.VectorsNotFoundError) as caught:
        vectors.read_vectors(tmp_path)
    assert str(caught.value) == f"There is no file of word vectors at {tmp_path}."
