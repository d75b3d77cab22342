"""Columns of numbers: measured, standardized, and refused where they are none."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from examples.numbers_module import export, module, prepare
from examples.text_embeddings.reviews import Review

tf1 = tf.compat.v1
TABLE = 'text,words,capitals\n"one\nline",1,0.5\nb,2,0.5\nc,6,-1\n'


def _write(path, content):
    path.write_text(content, encoding="utf-8")
    return path


def test_columns_are_standardized(tmp_path, capsys):
    table = _write(tmp_path / "train.csv", TABLE)
    argv = ["", f"--table={table}", "--columns=capitals,words", f"--export_path={tmp_path}/module"]
    assert export.run(argv) == 0
    assert capsys.readouterr().out == (
        f"{tmp_path}/module\n"
        "  capitals       mean    0.0000  standard deviation    0.7071\n"
        "  words          mean    3.0000  standard deviation    2.1602\n"
    )
    values = np.array([[0.5, 1], [0.5, 2], [-1, 6]], np.float32)
    with tf1.Session() as session:
        numbers = hub.Module(f"{tmp_path}/module", trainable=True)
        outputs = numbers(values), numbers(signature="columns")
        assert not tf1.trainable_variables()
        session.run(tf1.global_variables_initializer())
        found, names = session.run(outputs)
    np.testing.assert_allclose(found, (values - values.mean(0)) / values.std(0), rtol=1e-6)
    assert names.tolist() == [b"capitals", b"words"]


BROKEN = {
    "a,b\n1,2\n3,4\n": "The table {} has no column 'words'. Its first row names: a, b.",
    "": "The table {} has no column 'words'. Its first row names: .",
    "words\n": "The column 'words' of {} has the same number in all rows. Leave it out.",
    "words\n2\n2\n": "The column 'words' of {} has the same number in all rows. Leave it out.",
    "words\n1\nnan\n": "{}, row 3: the column 'words' has 'nan', which is no number.",
    "a,words\n1,2\n1\n": "{}, row 3: the column 'words' has None, which is no number.",
    "words\nmany\n": "{}, row 2: the column 'words' has 'many', which is no number.",
    'words\n"1\n': "{} is no CSV file in UTF-8: unexpected end of data.",
}


@pytest.mark.parametrize("content", BROKEN)
def test_what_is_no_column_of_numbers(tmp_path, content):
    table = _write(tmp_path / "a.csv", content)
    with pytest.raises(module.TableError) as caught:
        module.measure(table, ["words"])
    assert str(caught.value) == BROKEN[content].format(table)


def test_not_utf8(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"words\n\xff\n")
    with pytest.raises(module.TableError, match="a.csv is no CSV file in UTF-8: 'utf-8' codec"):
        module.measure(tmp_path / "a.csv", ["words"])


def test_no_such_table(tmp_path, capsys):
    argv = ["", f"--table={tmp_path}/none.csv", "--columns=a", f"--export_path={tmp_path}/module"]
    assert export.run(argv) == 1
    assert capsys.readouterr().err == f"error: There is no table {tmp_path}/none.csv.\n"
    assert not (tmp_path / "module").exists()


def test_numbers_of_a_review():
    row = prepare.with_numbers(Review("WOW! Is it 2? Yes!", 1))
    assert row == ("WOW! Is it 2? Yes!", 5, round(5 / 10, 4), 2, 1, 1)
    assert prepare.with_numbers(Review("1/10", 0))[1:] == (1, 0.0, 0, 0, 0)


def test_the_split_stays_as_it_is(tmp_path, capsys):
    source = tmp_path / "reviews"
    source.mkdir()
    _write(source / "train.csv", 'text,label\n"A, ""b""",1\n')
    _write(source / "test.csv", "text,label\nC?,0\n")
    argv = ["prepare", f"--reviews={source}", f"--folder={tmp_path}/numbers"]
    assert prepare.run(argv) == 0
    assert capsys.readouterr().out == f"{tmp_path}/numbers\n"
    found = {}
    for name in ("train.csv", "test.csv"):
        with open(tmp_path / "numbers" / name, newline="", encoding="utf-8") as file:
            found[name] = list(csv.reader(file))
    header = ["text", "words", "capitals", "exclamations", "questions", "label"]
    assert found == {
        "train.csv": [header, ['A, "b"', "2", "0.5", "0", "0", "1"]],
        "test.csv": [header, ["C?", "1", "1.0", "0", "1", "0"]],
    }
    (source / "train.csv").unlink()
    assert prepare.run(argv) == 0, "what is there is left as it is"


def test_both_or_neither(tmp_path, capsys):
    _write(tmp_path / "train.csv", "text,label\na,1\n")
    argv = ["prepare", f"--reviews={tmp_path}", f"--folder={tmp_path}/numbers"]
    assert prepare.run(argv) == 1
    assert capsys.readouterr().err == f"error: There is no file {tmp_path}/test.csv.\n"
    assert not (tmp_path / "numbers").exists()


def test_tables_of_spreadsheets(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("\ufeffa,b,b\n1,2,3\n3,4,6\n", encoding="utf-8")
    assert module.measure(path, ["a"]).means.tolist() == [2.0]
    with pytest.raises(module.TableError) as caught:
        module.measure(path, ["b"])
    assert str(caught.value) == f"The table {path} has the column 'b' twice. Rename one of them."
