"""Files of JSON lines."""

from __future__ import annotations

import gzip
import json

import pytest
import tensorflow as tf

from hub_estimator import errors
from hub_estimator.training.example_spec import ExampleSpec
from hub_estimator.training.inputs.json_file import JsonlFile
from hub_estimator.training.labels.any_classes import AnyClasses
from hub_estimator.training.labels.numbers import Numbers
from tests.training.inputs.input_contract import InputContract, batches
from tests.training.training_data import TEXT, TWO_CLASSES


def write(path, rows) -> str:
    content = "".join(f"{json.dumps(row)}\n" for row in rows).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return str(path)


class TestJsonlFile(InputContract):
    @pytest.fixture
    def source(self, tmp_path):
        rows = [{"text": f"x{number}", "label": number % 3} for number in range(10)]
        return JsonlFile(write(tmp_path / "ten.jsonl.gz", rows), batch_size=4)


def test_lists(tmp_path):
    rows = [
        {"ids": [5, 6, 7], "pair": [0.5, 1], "words": ["a"], "w": 2, "tags": ["x", "z"]},
        {"ids": [], "pair": [2, 3], "words": ["b", "ä"], "w": 1.5, "tags": []},
    ]
    names = ["ids", "pair", "words", "w"]
    source = JsonlFile(write(tmp_path / "a.jsonl", rows), {name: name for name in names}, "tags")
    features = {
        "ids": tf.TensorSpec([None, None], tf.int32),
        "pair": tf.TensorSpec([None, 2], tf.float32),
        "words": tf.TensorSpec([None, None], tf.string),
        "w": tf.TensorSpec([None], tf.float32),
    }
    spec = ExampleSpec(features, AnyClasses(3, ("x", "y", "z")))
    ((read, labels),) = batches(source.evaluation_fn(spec)())
    assert {name: each.tolist() for name, each in read.items()} == {
        "ids": [[5, 6, 7], [0, 0, 0]],
        "pair": [[0.5, 1], [2, 3]],
        "words": [[b"a", b""], [b"b", "ä".encode()]],
        "w": [2, 1.5],
    }
    assert read["ids"].dtype == "int32" and labels.tolist() == [[1, 0, 1], [0, 0, 0]]


def test_labels_that_are_lists_of_numbers(tmp_path):
    source = JsonlFile(write(tmp_path / "a.jsonl", [{"text": "a", "label": [0.5, 2]}]))
    ((_, labels),) = batches(source.evaluation_fn(ExampleSpec(TEXT, Numbers(2)))())
    assert labels.tolist() == [[0.5, 2]]


def test_blank_lines_are_counted(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('\n{"text": "a", "label": 1}\n\n{"text": null, "label": 0}\n\n')
    with pytest.raises(errors.DataFileError) as caught:
        JsonlFile(path).check(TWO_CLASSES)
    assert str(caught.value) == f"The value of 'text' in row 4 of {str(path)!r} is missing."


@pytest.mark.parametrize("letter", "\u2028\u2029\x85\xa0")
def test_lines_end_where_files_end_them(tmp_path, letter):
    path = tmp_path / "a.jsonl"
    path.write_bytes(f'{{"text": "a{letter}b", "label": 1}}\n'.encode())
    ((features, _),) = batches(JsonlFile(path).evaluation_fn(TWO_CLASSES)())
    assert features["text"].tolist() == [f"a{letter}b".encode()]
    path.write_bytes(f'{{"text": "a", "label": 1}}\n{letter}\n'.encode())
    with pytest.raises(errors.DataFileError, match=r"^Row 2 of .* is not JSON: Expecting value"):
        JsonlFile(path).check(TWO_CLASSES)


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_ends_of_lines(tmp_path, end):
    path = tmp_path / "a.jsonl"
    path.write_bytes(
        f'{{"text": "a", "label": 1}}{end}{end}{{"text": "b", "label": 0}}{end}'.encode()
    )
    ((features, _),) = batches(JsonlFile(path).evaluation_fn(TWO_CLASSES)())
    assert features["text"].tolist() == [b"a", b"b"]


@pytest.mark.parametrize(
    ("content", "error_type", "message"),
    [
        (
            '{"text": "a", "label": 1}\n{"text": "b", "label": 1, "label": 0}',
            errors.DataFileError,
            "Row 2 of the data file {path} is not JSON: an object has the key 'label' twice.",
        ),
        (
            f'{{"text": "a", "label": {"[" * 10**5}',
            errors.DataFileError,
            "Row 1 of the data file {path} is not JSON: it is nested too deeply.",
        ),
        (
            f'{{"text": "a", "label": {"9" * 5000}}}',
            errors.DataFileError,
            "Row 1 of the data file {path} is not JSON: it has a whole number of too many digits.",
        ),
        (
            f'{{"text": "a", "label": {"9" * 400}}}',
            errors.LabelError,
            (
                f"The label {'9' * 120}... in row 1 of {{path}} is not a number. To have classes by "
                "name, list the names in the input's class_names or in the head's label_vocabulary."
            ),
        ),
        (
            f'{{"text": "a", "label": {"[" * 300}{"]" * 300}}}',
            errors.LabelError,
            (
                f"The label {'[' * 120}... in row 1 of {{path}} is no single class, as the model's "
                "head takes."
            ),
        ),
        *(
            (f'{{"text": "a", "label": {number}}}', errors.LabelError, message)
            for number, message in [
                ("NaN", "The label in row 1 of {path} is missing."),
                ("-Infinity", "The label -inf in row 1 of {path} is not a number."),
                ("1e999", "The label inf in row 1 of {path} is not a number."),
            ]
        ),
        (
            '{"text": "a", "label": "\\u001b[31m"}',
            errors.LabelError,
            (
                "The label '\\x1b[31m' in row 1 of {path} is not a number. To have classes by name, "
                "list the names in the input's class_names or in the head's label_vocabulary."
            ),
        ),
        (
            '{"\\ud800": 1, "a\\nb": 2, "c": 3}',
            errors.ColumnNotFoundError,
            "Row 1 of the data file {path} has no 'text'. It has: '\\ud800', 'a\\nb', c.",
        ),
        (
            "text,label\na,1\n",
            errors.DataFileError,
            "The data file {path} is a CSV or TSV file: give it to the input TextFile.",
        ),
        *(
            (
                content,
                errors.DataFileError,
                (
                    "The data file {path} is one JSON value over the whole file: write each example "
                    "into a line of its own, as `jq -c '.[]'` does with a list, for the input "
                    "JsonlFile."
                ),
            )
            for content in [
                '[{"text": "a", "label": 1}]',
                '[\n  {"text": "a", "label": 1}\n]\n',
                '{\r\n  "text": "a",\r\n  "label": 1\r\n}\r\n',
            ]
        ),
        ("\n", errors.DataFileError, "The data file {path} is empty."),
        (
            '{"text": "a", "label": 1}\n[1]',
            errors.DataFileError,
            'Row 2 of the data file {path} is not an object, as in {{"text": "good", "label": 1}}.',
        ),
        (
            '{"text": "a"',
            errors.DataFileError,
            (
                "Row 1 of the data file {path} is not JSON: Expecting ',' delimiter: line 1 column 13 "
                "(char 12)."
            ),
        ),
        (
            '{"text": "a", "labels": 1}',
            errors.ColumnNotFoundError,
            "Row 1 of the data file {path} has no 'label'. It has: text, labels.",
        ),
        (
            "{}",
            errors.ColumnNotFoundError,
            "Row 1 of the data file {path} has no 'text'. It has: nothing.",
        ),
        (
            '{"text": "\\ud800", "label": 1}',
            errors.DataFileError,
            "The value '\\ud800' of 'text' in row 1 of {path} is not a text.",
        ),
    ],
)
def test_what_is_wrong(tmp_path, content, error_type, message):
    path = tmp_path / "a.jsonl"
    path.write_text(content)
    with pytest.raises(error_type) as caught:
        JsonlFile(path).check(TWO_CLASSES)
    assert str(caught.value) == message.format(path=repr(str(path)))


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"path": None}, "JsonlFile.path is None; it must be a path in quotes."),
        (
            {"features": "text"},
            "JsonlFile.features is 'text'; give it a dict, as in {'text': 'review'}.",
        ),
        ({"separator": 1}, "JsonlFile.separator is 1; it must be a text in quotes."),
    ],
)
def test_wrong_settings(setting, message):
    with pytest.raises(errors.ModelError) as caught:
        JsonlFile(**{"path": "a.jsonl", **setting})
    assert str(caught.value) == message
