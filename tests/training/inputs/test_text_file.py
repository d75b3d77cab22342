"""CSV and TSV files: features and labels of every kind."""

from __future__ import annotations

import gzip

import pytest
import tensorflow as tf

from hub_estimator import errors
from hub_estimator.training.example_spec import ExampleSpec
from hub_estimator.training.inputs.text_file import TextFile
from hub_estimator.training.labels.numbers import Numbers
from hub_estimator.training.labels.one_class import OneClass
from hub_estimator.training.labels.unknown import AnyLabels
from tests.training.inputs.input_contract import InputContract, batches
from tests.training.training_data import ANY_LABELS, TEXT, TWO_CLASSES, write_csv

TEN = [(f"ä{number}".replace("ä", "x"), number % 3) for number in range(10)]


class TestTextFile(InputContract):
    @pytest.fixture
    def source(self, tmp_path):
        return TextFile(write_csv(tmp_path / "ten.csv", TEN), batch_size=4)


def read(source, spec):
    """All examples, in one batch."""
    source.check(spec)
    features, labels = batches(source.evaluation_fn(spec)())[0]
    return {name: each.tolist() for name, each in features.items()}, labels


def test_texts_are_not_in_the_graph(tmp_path):
    source = TextFile(write_csv(tmp_path / "a.csv", [("ä1", 0)]))
    source.training_fn(ANY_LABELS, seed=3, start_step=lambda: 0)()
    assert "ä1".encode() not in tf.compat.v1.get_default_graph().as_graph_def().SerializeToString()


def test_columns_by_name(tmp_path):
    path = write_csv(tmp_path / "a.tsv", [("x\ty\t1.5",)], ("q\tp\tscore",))
    source = TextFile(path, texts={"b": "p", "a": "q"}, label="score")
    assert source.feature_names == ["a", "b"] and source.num_examples == 1
    text = tf.TensorSpec([None], tf.string)
    features, labels = read(source, ExampleSpec({"a": text, "b": text}, AnyLabels()))
    assert features == {"a": [b"x"], "b": [b"y"]}
    assert labels.tolist() == [1.5] and labels.dtype == "float32"


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_columns_by_number(tmp_path, name):
    content = b"good,1,0.5\nbad,0,2\n"
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    source = TextFile(path, texts={"text": 0}, label=1, header=False)
    features, labels = read(source, TWO_CLASSES)
    assert features == {"text": [b"good", b"bad"]} and labels.tolist() == [1, 0]


def test_a_column_number_that_is_not_there(tmp_path):
    path = write_csv(tmp_path / "a.csv", [], ("a", "b"))
    for column in (2, "text"):
        with pytest.raises(errors.ColumnNotFoundError) as caught:
            TextFile(path, texts={"text": column}, label=1, header=False).check(TWO_CLASSES)
        assert str(caught.value) == (
            f"The data file {path!r} has no column {column!r}. Without names (header=False), its "
            "columns are 0 to 1."
        )


def test_numbers(tmp_path):
    rows = [("1.5", "2", "0", "3"), ("-1", "1e3", "1", "4")]
    path = write_csv(tmp_path / "a.csv", rows, ("a", "b", "label", "w"))
    numbers = {"pair": ["a", "b"], "one": "a", "w": "w", "ids": ["w", "b"], "column": "b"}
    source = TextFile(path, numbers=numbers)
    features = {
        "pair": tf.TensorSpec([None, 2], tf.float32),
        "one": tf.TensorSpec([None], tf.float64),
        "w": tf.TensorSpec([None], tf.float32),
        "ids": tf.TensorSpec([None, None], tf.int32),
        "column": tf.TensorSpec([None, 1], tf.float32),
    }
    assert source.feature_names == sorted(numbers)
    read_features, _ = read(source, ExampleSpec(features, OneClass(2)))
    assert read_features == {
        "pair": [[1.5, 2], [-1, 1000]],
        "one": [1.5, -1],
        "w": [3, 4],
        "ids": [[3, 2], [4, 1000]],
        "column": [[2], [1000]],
    }


def test_only_columns_that_the_model_takes_are_converted(tmp_path):
    path = write_csv(tmp_path / "a.csv", [("x", "", 1)], ("text", "n", "label"))
    source = TextFile(path, texts={"text": "text"}, numbers={"n": "n"})
    source.check(TWO_CLASSES)


def test_prediction_reads_another_file_without_labels(tmp_path):
    source = TextFile(write_csv(tmp_path / "a.csv", TEN), batch_size=4)
    other = write_csv(tmp_path / "b.csv", [("c",), ("b",), ("a",)], ("text",))
    read = batches(source.prediction_fn(TWO_CLASSES, other)())
    assert [each["text"].tolist() for each in read] == [[b"c", b"b", b"a"]]


def test_labels_by_name(tmp_path):
    path = write_csv(tmp_path / "a.csv", [("x", "good"), ("y", "bad")])
    source = TextFile(path, class_names=["bad", "good"])
    assert source.class_names == ("bad", "good")
    _, labels = read(source, TWO_CLASSES.with_class_names(source.class_names))
    assert labels.tolist() == [1, 0]
    by_name = ExampleSpec(TEXT, OneClass(2, ("bad", "good"), by_name=True))
    assert read(source, by_name)[1].tolist() == [b"good", b"bad"]


def test_labels_of_a_multi_head(tmp_path):
    rows = [("x", 1, 0.5, 2), ("y", 0, 1.5, 3)]
    path = write_csv(tmp_path / "a.csv", rows, ("text", "kind", "u", "v"))
    heads = {"kind": OneClass(2), "size": Numbers(2)}
    source = TextFile(path, label={"kind": "kind", "size": ["u", "v"]})
    _, labels = read(source, ExampleSpec(TEXT, heads))
    assert labels["kind"].tolist() == [1, 0] and labels["size"].tolist() == [[0.5, 2], [1.5, 3]]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"batch_size": 0}, "TextFile.batch_size is 0; it must be at least 1."),
        ({"batch_size": "a"}, "TextFile.batch_size is 'a'; it must be a whole number."),
        (
            {"label": []},
            "TextFile.label is []; it must be a column in quotes, or a list of columns.",
        ),
        (
            {"label": {"a": True}},
            "TextFile.label['a'] is True; it must be a column in quotes, or a list of columns.",
        ),
        (
            {"path": 3},
            (
                "TextFile.path is 3; it must be a path in quotes or, to evaluate on a part of the "
                "training data, the fraction to hold out: more than 0 and less than 1, such as 0.1."
            ),
        ),
        ({"path": ""}, "TextFile.path is ''; it must be a path in quotes."),
        ({"texts": "a"}, "TextFile.texts is 'a'; give it a dict, as in {'text': 'review'}."),
        (
            {"numbers": ["a"]},
            "TextFile.numbers is ['a']; give it a dict, as in {'text': 'review'}.",
        ),
        (
            {"numbers": {"a": None}},
            "TextFile.numbers['a'] is None; it must be a column in quotes, or a list of columns.",
        ),
        ({"delimiter": ";;"}, "TextFile.delimiter is ';;'; it must be one letter."),
        *(
            (
                {"delimiter": letter},
                f"TextFile.delimiter is {letter!r}, which ends fields or lines in another way.",
            )
            for letter in '"\n\r'
        ),
        (
            {"texts": {"text": {"a": "b"}}},
            (
                "TextFile.texts['text'] is {'a': 'b'}; it must be a column in quotes, or a list of "
                "columns."
            ),
        ),
        ({"separator": ""}, "TextFile.separator is ''; it must be a text in quotes."),
        (
            {"class_names": "ab"},
            "TextFile.class_names is 'ab'; give it a list, as in ['bad', 'good'].",
        ),
    ],
)
def test_wrong_settings(setting, message):
    with pytest.raises(errors.ModelError) as caught:
        TextFile(**{"path": "a.csv", **setting})
    assert str(caught.value) == message


def test_more_names_than_classes(tmp_path):
    source = TextFile(write_csv(tmp_path / "a.csv", [("a", "x")]), class_names=["x", "y", "z"])
    with pytest.raises(errors.LabelError) as caught:
        source.check(TWO_CLASSES.with_class_names(source.class_names))
    assert str(caught.value) == (
        "There are names of 3 classes (x, y, z), but the model's head has 2."
    )


@pytest.mark.parametrize("spec", [ANY_LABELS, TWO_CLASSES])
def test_the_check_reads_the_file(tmp_path, spec):
    source = TextFile(write_csv(tmp_path / "a.csv", [("a", "pos")]))
    with pytest.raises(
        errors.LabelError, match=r"^The label 'pos' in row 2 of .* is not a number\."
    ):
        source.check(spec)


def test_labels_are_checked_against_the_heads_classes(tmp_path):
    source = TextFile(write_csv(tmp_path / "a.csv", [("a", 2)]))
    source.check(ANY_LABELS)
    source.check(ExampleSpec(TEXT, OneClass(3)))
    with pytest.raises(errors.LabelError):
        source.check(TWO_CLASSES)
