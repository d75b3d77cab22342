"""Files of other formats: each is called what it is, with the input that reads it."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickle
import sqlite3
import tarfile
import zipfile
import zlib

import numpy as np
import pytest
import tensorflow as tf

from hub_estimator import errors
from hub_estimator.training.inputs import formats
from hub_estimator.training.inputs.json_file import JsonlFile
from hub_estimator.training.inputs.records import Records
from hub_estimator.training.inputs.text_file import TextFile
from tests.training import image_files
from tests.training.record_data import example
from tests.training.training_data import TWO_CLASSES

INPUTS = {"table": TextFile, "lines": JsonlFile, "records": Records}
TABLE = "text,label\n" + "good,1\n" * 9
LINES = '{"text": "good", "label": 1}\n' * 9
ARRAY = np.arange(1000, dtype=np.int64)


def saved(save, *arguments) -> bytes:
    file = io.BytesIO()
    save(file, *arguments)
    return file.getvalue()


def zipped(*names) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, TABLE)
    return file.getvalue()


def in_tar() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        member = tarfile.TarInfo("a.csv")
        member.size = len(TABLE)
        archive.addfile(member, io.BytesIO(TABLE.encode()))
    return file.getvalue()


def database(folder) -> bytes:
    connection = sqlite3.connect(folder / "a.db")
    connection.execute("create table t (text, label)")
    connection.close()
    return (folder / "a.db").read_bytes()


def records(folder, compression=None) -> bytes:
    with tf.io.TFRecordWriter(str(folder / "records"), compression) as writer:
        for _ in range(3):
            writer.write(example(text=[b"good"], label=[1]))
    return (folder / "records").read_bytes()


TO_FRAME = "save it as CSV, or load it in Python with {} for the input Frame."
JSON = (
    "one JSON value over the whole file: write each example into a line of its own, as "
    "`jq -c '.[]'` does with a list, for the input JsonlFile."
)
UTF_16 = "text in UTF-16: convert it, as `iconv -f UTF-16 -t UTF-8` does."
ARCHIVE = "unpack it, and give the file in it to the input that reads it."
NUMPY = "save it as CSV, or load it in Python with numpy.load for the input Arrays."
IMAGE = "an image: give the folder that it is in to the input ImageFolder."
EXCEL = f"an Excel file: {TO_FRAME.format('pandas.read_excel')}"

# By what is written: the inputs that do not read it, and what it is called.
FILES = {
    "table": (TABLE, "lines records", "a CSV or TSV file: give it to the input TextFile."),
    "lines": (LINES, "table records", "a file of JSON lines: give it to the input JsonlFile."),
    "json": (json.dumps([json.loads(LINES[:29])] * 9, indent=1), "table lines records", JSON),
    "records": (records, "table lines", "a TFRecord file: give it to the input Records."),
    "gzip of records": (
        lambda folder: records(folder, "GZIP"),
        "table lines",
        "a TFRecord file: give it to the input Records.",
    ),
    "gzip of a table": (
        gzip.compress(TABLE.encode()),
        "lines records",
        "a CSV or TSV file: give it to the input TextFile.",
    ),
    "zlib of a table": (
        zlib.compress(TABLE.encode()),
        "records",
        "a CSV or TSV file: give it to the input TextFile.",
    ),
    "gzip of gzip": (
        gzip.compress(gzip.compress(TABLE.encode())),
        "table lines records",
        "compressed twice with gzip: unpack it once.",
    ),
    "parquet": (
        b"PAR1\x15\x04\x15\x10\x15\x14\x4c\x15" + bytes(range(256)) + b"PAR1",
        "table lines records",
        f"a Parquet file: {TO_FRAME.format('pandas.read_parquet')}",
    ),
    "arrow": (
        b"ARROW1\x00\x00\xff\xff\xff\xff" + bytes(99),
        "table lines records",
        f"an Arrow file: {TO_FRAME.format('pandas.read_feather')}",
    ),
    "xlsx": (zipped("[Content_Types].xml", "xl/workbook.xml"), "table lines records", EXCEL),
    "xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "table lines records", EXCEL),
    "zip": (zipped("a.csv"), "table lines records", f"a zip archive: {ARCHIVE}"),
    "tar": (lambda _: in_tar(), "table lines records", f"a tar archive: {ARCHIVE}"),
    "npy": (saved(np.save, ARRAY), "table lines records", f"an array of numpy: {NUMPY}"),
    "npz": (
        saved(np.savez, ARRAY),
        "table lines records",
        f"an archive of arrays of numpy: {NUMPY}",
    ),
    "hdf": (
        b"\x89HDF\r\n\x1a\n" + bytes(99),
        "table lines records",
        f"an HDF5 file: {TO_FRAME.format('pandas.read_hdf')}",
    ),
    "sqlite": (
        database,
        "table lines records",
        f"an SQLite database: {TO_FRAME.format('pandas.read_sql')}",
    ),
    "bz2": (
        bz2.compress(TABLE.encode()),
        "table lines records",
        "compressed with bzip2: unpack it, or compress it with gzip.",
    ),
    "xz": (
        lzma.compress(TABLE.encode()),
        "table lines records",
        "compressed with xz: unpack it, or compress it with gzip.",
    ),
    "zstd": (
        b"\x28\xb5\x2f\xfd\x24\x41" + bytes(range(200)),
        "table lines records",
        "compressed with zstandard: unpack it, or compress it with gzip.",
    ),
    "pdf": (
        b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n",
        "table lines records",
        "a PDF file: take the data out of it, for example as CSV.",
    ),
    "html": (
        "<!DOCTYPE html>\n<html>, ...",
        "table lines records",
        "a web page or XML: download the data itself.",
    ),
    "gif": (image_files.GIF, "table lines records", IMAGE),
    "bmp": (image_files.bmp(np.zeros([9, 9, 3], np.uint8)), "table lines records", IMAGE),
    "utf-16": (TABLE.encode("utf-16"), "table lines records", UTF_16),
    "utf-16-le": (TABLE.encode("utf-16-le"), "table lines records", UTF_16),
    "utf-16-be": (f"ä{LINES}".encode("utf-16-be"), "table lines records", UTF_16),
    "utf-32": (
        TABLE.encode("utf-32"),
        "table lines records",
        "text in UTF-32: convert it, as `iconv -f UTF-32 -t UTF-8` does.",
    ),
    **{
        f"pickle {version}": (
            pickle.dumps({"text": ["good"]}, version),
            "table lines records",
            (
                "a pickle: save it as CSV, or load it in Python with pickle.load, if you trust who "
                "made it, for the input Frame or Arrays."
            ),
        )
        for version in range(2, 6)
    },
}


@pytest.mark.parametrize(
    ("name", "given"), [(name, given) for name in FILES for given in FILES[name][1].split()]
)
def test_a_file_of_another_format(tmp_path, name, given):
    content, _, what = FILES[name]
    content = content(tmp_path) if callable(content) else content
    path = tmp_path / "data"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(errors.DataFileError) as caught:
        INPUTS[given](path).check(TWO_CLASSES)
    assert str(caught.value) == f"The data file {str(path)!r} is {what}"


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"words without separators",
        bytes(5000),
        b"\x00\x01\x02\x03" * 99,
        "ä,b\n".encode("latin-1"),
        b'{"a": 1, "b": ',
        # Words in capitals, and what else a text may start with.
        b"PAR1\nPAR2",
        b"BMI\n1",
        b"BZh\n1",
    ],
)
def test_what_is_not_known(start):
    formats.refuse_other("a", start, formats.RECORDS)


def test_text_that_was_read():
    with pytest.raises(errors.DataFileError, match="is a file of JSON lines"):
        formats.refuse_other("a", LINES, formats.TABLE)
    formats.refuse_other("a", LINES, formats.JSON_LINES)
