"""Data files: what is read, and one clear error for each way in which they are wrong."""

from __future__ import annotations

import codecs
import csv
import gzip

import pytest
from training_data import write_csv

from hub_estimator import errors
from hub_estimator.training.inputs import tables

COLUMNS = ["text", "label"]


def test_quotes_newlines_and_extra_columns(tmp_path):
    path = write_csv(
        tmp_path / "a.csv", [("1", 'a, "b"\nc', "0"), ("2", "ä", "1")], ("id", "text", "label")
    )
    columns = tables.read_columns(path, COLUMNS)
    assert columns == {"text": ['a, "b"\nc', "ä"], "label": ["0", "1"]}


@pytest.mark.parametrize("name", ["a.tsv", "a.tsv.gz", "a"])
def test_tabs_and_gzip(tmp_path, name):
    path = tmp_path / name
    content = b"\xef\xbb\xbftext\tlabel\na,b\t1\n"
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    delimiter = None if ".tsv" in name else "\t"
    assert tables.read_columns(path, COLUMNS, delimiter)["text"] == ["a,b"]


def test_quotes_between_tabs_are_letters(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text('text\tlabel\n"a\t0\nsay "b"\t1\n"c"\t0\n')
    assert tables.read_columns(path, COLUMNS)["text"] == ['"a', 'say "b"', '"c"']


@pytest.mark.parametrize(
    ("row", "why"), [('"a,0\nb,1', "unexpected end of data"), ('"a"b,0', "',' expected after")]
)
def test_stray_quotes_between_commas(tmp_path, row, why):
    path = tmp_path / "a.csv"
    path.write_text(f"text,label\nx,1\n{row}\n")
    message = read_error(errors.DataFileError, str(path))
    assert message.startswith(f"Row 3 (line {3 + row.count(chr(10))}) of the data file ")
    assert f" cannot be parsed: {why}" in message


def read_error(error_type, path):
    with pytest.raises(error_type) as caught:
        tables.read_columns(path, COLUMNS)
    return str(caught.value)


def test_missing_file(tmp_path):
    path = str(tmp_path / "no.csv")
    assert read_error(errors.DataFileNotFoundError, path) == f"There is no data file {path!r}."


def test_folder(tmp_path):
    message = read_error(errors.DataFileError, str(tmp_path))
    assert message.startswith(f"The data file {str(tmp_path)!r} cannot be read: ")


def test_empty_file(tmp_path):
    path = write_csv(tmp_path / "a.csv", [], [])
    (tmp_path / "a.csv").write_text("")
    assert read_error(errors.DataFileError, path) == f"The data file {path!r} is empty."


def test_no_rows(tmp_path):
    path = write_csv(tmp_path / "a.csv", [])
    assert read_error(errors.DataFileError, path) == (
        f"The data file {path!r} has column names, but no rows."
    )


def test_missing_column(tmp_path):
    path = write_csv(tmp_path / "a.csv", [("x", 1)], ("review", "label"))
    assert read_error(errors.ColumnNotFoundError, path) == (
        f"The data file {path!r} has no column 'text'. Its first row names: review, label."
    )


def test_ragged_row(tmp_path):
    path = write_csv(tmp_path / "a.csv", [("a\nb", 1), ("c", 1, 2)])
    assert read_error(errors.DataFileError, path) == (
        f"Row 3 (line 4) of the data file {path!r} has 3 fields, the first row has 2."
    )


@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
def test_long_fields(tmp_path, name):
    limit, text = csv.field_size_limit(), "x" * 200_000
    between = "\t" if name.endswith("tsv") else ","
    rows = [COLUMNS, ["a", "1"], [text, "1"]]
    (tmp_path / name).write_text("".join(f"{between.join(row)}\n" for row in rows))
    assert tables.read_columns(tmp_path / name, COLUMNS)["text"] == ["a", text]
    assert csv.field_size_limit() == limit


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_other_encoding(tmp_path, mark):
    path = tmp_path / "a.csv"
    path.write_bytes(mark + "text,label\na,1\nä,1\n".encode("latin-1"))
    assert read_error(errors.DataFileError, str(path)) == (
        f"The data file {str(path)!r} is not UTF-8: byte 0xe4 in line 3. Convert it, for example "
        "with iconv."
    )


def flipped(content):
    return content[:10] + bytes(255 - each for each in content[10:30]) + content[30:]


@pytest.mark.parametrize("damage", [lambda content: content[:-9], flipped])
def test_broken_gzip(tmp_path, damage):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(damage(gzip.compress(b"text,label\n" * 99)))
    message = read_error(errors.DataFileError, str(path))
    assert message.startswith(f"The data file {str(path)!r} cannot be read: ")
