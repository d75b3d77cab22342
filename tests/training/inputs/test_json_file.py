"""Files of JSON lines."""

from __future__ import annotations

import gzip
import json

import pytest
import tensorflow as tf
from input_contract import InputContract, batches
from training_data import TEXT, TWO_CLASSES

from hub_estimator import errors
from hub_estimator.training.example_spec import ExampleSpec, LabelSpec
from hub_estimator.training.inputs.json_file import JsonlFile


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
    spec = ExampleSpec(features, LabelSpec("classes", 3, ("x", "y", "z")))
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
    ((_, labels),) = batches(source.evaluation_fn(ExampleSpec(TEXT, LabelSpec("number", 2)))())
    assert labels.tolist() == [[0.5, 2]]


def test_blank_lines_are_counted(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('\n{"text": "a", "label": 1}\n\n{"text": null, "label": 0}\n\n')
    with pytest.raises(errors.DataFileError) as caught:
        JsonlFile(path).check(TWO_CLASSES)
    assert str(caught.value) == f"The value of 'text' in row 4 of {str(path)!r} is missing."


@pytest.mark.parametrize(
    ("content", "error_type", "message"),
    [
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
