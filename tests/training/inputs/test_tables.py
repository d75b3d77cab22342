"""Data files: what is read, and one clear error for each way in which they are wrong."""

from __future__ import annotations

import codecs
import csv
import gzip

import pytest

from hub_estimator import errors
from hub_estimator.training.inputs import tables
from tests.training.training_data import write_csv

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


def table(tmp_path, content, columns=("text", "label"), **settings):
    path = tmp_path / "odd.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return tables.read_columns(path, columns, **settings)


@pytest.mark.parametrize("letter", "\u2028\u2029\x85\x0b\x0c\x1c\x1d\x1e\xa0")
def test_lines_end_where_files_end_them(tmp_path, letter):
    read = table(tmp_path, f"text,label\na{letter}b,1\n{letter},2\n")
    assert read == {"text": [f"a{letter}b", letter], "label": ["1", "2"]}


@pytest.mark.parametrize("ends", [("\n", "\r\n", "\n"), ("\r\n",) * 3, ("\r",) * 3])
def test_ends_of_lines(tmp_path, ends):
    content = "".join(map("".join, zip(["text,label", "a,1", "b,2"], ends, strict=True)))
    assert table(tmp_path, content) == {"text": ["a", "b"], "label": ["1", "2"]}


def test_a_carriage_return_within_quotes_is_a_letter(tmp_path):
    assert table(tmp_path, 'text,label\n"a\rb",1\n')["text"] == ["a\rb"]


@pytest.mark.parametrize("name", ["odd.csv", "odd.tsv"])
def test_a_carriage_return_alone(tmp_path, name):
    path, between = tmp_path / name, "\t" if name.endswith("tsv") else ","
    path.write_bytes(f"text{between}label\nx{between}0\na\rb{between}1\n".encode())
    assert read_error(errors.DataFileError, str(path)) == (
        f"Row 3 (line 3) of the data file {str(path)!r} cannot be parsed: a carriage return (\\r) "
        "stands alone in it; put the field into quotes, or end lines as others are."
    )


@pytest.mark.parametrize("end", ["\n\n", "\r\n\r\n\r\n", "\n\r\n"])
def test_blank_lines_at_the_end_are_no_rows(tmp_path, end):
    assert table(tmp_path, f"text,label\na,1{end}")["text"] == ["a"]
    assert table(tmp_path, f"text\na\n\nb{end}", ["text"])["text"] == ["a", "", "b"]
    assert table(tmp_path, f"\na{end}", [0], header=False) == {0: ["", "a"]}


def test_an_empty_text_in_quotes_at_the_end_is_a_row(tmp_path):
    assert table(tmp_path, 'text\na\n""\n', ["text"])["text"] == ["a", ""]


@pytest.mark.parametrize(
    "header", ["text ,label ", " text,\tlabel", "\xa0text, label", "\ufefftext,label"]
)
def test_spaces_around_the_names_of_columns(tmp_path, header):
    for mark in (b"", codecs.BOM_UTF8):
        content = mark + f"{header}\na,1\n".encode()
        assert table(tmp_path, content) == {"text": ["a"], "label": ["1"]}
        assert table(tmp_path, content, [" label"]) == {" label": ["1"]}


def test_a_name_as_it_is_comes_before_one_with_spaces(tmp_path):
    assert table(tmp_path, "label ,label\n1,2\n", ["label", "label "]) == {
        "label": ["2"],
        "label ": ["1"],
    }


@pytest.mark.parametrize(
    ("header", "places"), [("label,label,text", "1, 2"), ("label ,text, label", "1, 3")]
)
def test_a_column_twice(tmp_path, header, places):
    path = tmp_path / "a.csv"
    path.write_text(f"{header}\n1,2,3\n")
    assert read_error(errors.DataFileError, str(path)) == (
        f"The data file {str(path)!r} has the column 'label' 2 times (columns {places}): rename or "
        "remove all but one."
    )
    assert list(tables.read_columns(path, ["text"])) == ["text"]


@pytest.mark.parametrize("delimiter", ";\t|")
def test_another_delimiter(tmp_path, delimiter):
    path = tmp_path / "a.csv"
    path.write_text(f"text{delimiter} label\na, b, c{delimiter}1\n")
    shown = "'text\\t label'" if delimiter == "\t" else f"text{delimiter} label"
    assert read_error(errors.ColumnNotFoundError, str(path)) == (
        f"The data file {str(path)!r} has no column 'text'. Its first row names: {shown}. Its fields "
        f"are separated by {delimiter!r}: set TextFile.delimiter = {delimiter!r}."
    )
    assert tables.read_columns(path, COLUMNS, delimiter)["text"] == ["a, b, c"]


def test_names_out_of_a_file_are_quoted_and_few(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(f"\x1b]0;x\x07,{'y' * 10**6},{','.join(map(str, range(100)))}\n")
    assert read_error(errors.ColumnNotFoundError, str(path)) == (
        f"The data file {str(path)!r} has no column 'text'. Its first row names: '\\x1b]0;x\\x07', "
        f"'{'y' * 120}'... (1,000,000 characters), 0, 1, 2, 3, 4, 5, 6, 7 and 92 more."
    )


def test_a_blank_first_line(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("\ntext,label\na,1\n")
    assert read_error(errors.DataFileError, str(path)) == (
        f"The first line of the data file {str(path)!r} is blank; it must name the columns."
    )
    path.write_text("\n\r\n")
    assert read_error(errors.DataFileError, str(path)) == f"The data file {str(path)!r} is empty."


def test_a_quote_that_never_closes(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('text,label\na,1\n"b,0\n' + "c,1\n" * 1000)
    assert read_error(errors.DataFileError, str(path)) == (
        f"Row 3 (line 1003) of the data file {str(path)!r} cannot be parsed: unexpected end of data; "
        "a quote opens in this row and never closes."
    )


def test_json_lines(tmp_path):
    path = tmp_path / "a.csv"
    for row in (
        '{"text": "a", "label": 1}',
        '{"text": "a, b", "label": 1}\n{"text": "", "label": 0}',
    ):
        path.write_text(row)
        assert read_error(errors.DataFileError, str(path)) == (
            f"The data file {str(path)!r} is a file of JSON lines: give it to the input JsonlFile."
        )
    # Without names, a row is what it is.
    assert tables.read_columns(path, [0], delimiter="|", header=False)[0][1].startswith('{"text"')


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


def test_what_is_wrong_far_below(tmp_path):
    """Rows are read many at once; messages say of each where it is, the first of all."""
    lines = ["text,label", *("a,1",) * 2000]
    lines[1700:1700] = ['"b\nc",1', "d", '"e"f,1']
    path = tmp_path / "a.csv"
    path.write_text("\n".join(lines))
    assert read_error(errors.DataFileError, str(path)) == (
        f"Row 1702 (line 1703) of the data file {str(path)!r} has 1 fields, the first row has 2."
    )
    del lines[1701]
    path.write_text("\n".join(lines))
    assert read_error(errors.DataFileError, str(path)) == (
        f"Row 1702 (line 1703) of the data file {str(path)!r} cannot be parsed: ',' expected after "
        "'\"'."
    )


@pytest.mark.parametrize("blank", [1, 2, 5])
def test_blank_first_lines_are_told_of_before_wrong_rows(tmp_path, blank):
    with pytest.raises(errors.DataFileError, match="is blank; it must name the columns"):
        table(tmp_path, "\n" * blank + "text\na\na,b\n", ["text"])


@pytest.mark.parametrize("blank", [1, 2, 3, 700])
def test_blank_lines_between_many_rows(tmp_path, blank):
    rows = ["a", *[""] * blank, *["b"] * 600, *[""] * blank, "c"]
    content = "text\n" + "\n".join(rows) + "\n" * (1 + blank)
    assert table(tmp_path, content, ["text"])["text"] == rows
    found = table(tmp_path, "\n" * blank + "x,y\n", [1], header=False)
    assert found == {1: [*[""] * blank, "y"]}


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
