"""Inputs: what each step sees."""

from __future__ import annotations

import pytest
import tensorflow as tf
from training_data import ANY_LABELS, TEXT, TWO_CLASSES, write_csv

from hub_estimator import errors
from hub_estimator.training.example_spec import ExampleSpec, LabelSpec
from hub_estimator.training.inputs.text_file import TextFile


def batches(dataset, number):
    """The first `number` elements of a dataset, read in a session as an Estimator reads them."""
    iterator = tf.compat.v1.data.make_initializable_iterator(dataset)
    element = iterator.get_next()
    with tf.compat.v1.Session() as session:
        session.run(iterator.initializer)
        read = []
        for _ in range(number):
            try:
                read.append(session.run(element))
            except tf.errors.OutOfRangeError:
                break
    return [(features["text"].tolist(), labels.tolist()) for features, labels in read]


@pytest.fixture
def ten(tmp_path):
    rows = [(f"ä{number}", number % 3) for number in range(10)]
    return TextFile(write_csv(tmp_path / "ten.csv", rows), batch_size=4)


def text(number):
    return f"ä{number}".encode()


def test_evaluation_sees_each_example_once_in_order(ten):
    read = batches(ten.evaluation_fn(ANY_LABELS)(), 9)
    assert [len(texts) for texts, _ in read] == [4, 4, 2]
    assert [each for texts, _ in read for each in texts] == [text(number) for number in range(10)]
    assert read[0][1] == [0, 1, 2, 0]


def test_an_epoch_sees_each_example_once(ten):
    read = batches(ten.training_fn(ANY_LABELS, seed=3, start_step=lambda: 0)(), 5)
    seen = [each for texts, _ in read for each in texts]
    assert sorted(seen[:10]) == sorted(seen[10:]) == [text(number) for number in range(10)]
    assert seen[:10] != seen[10:]
    for texts, labels in read:
        assert [int(each[2:]) % 3 for each in texts] == labels


def test_the_order_depends_on_seed_and_step_alone(ten):
    first = batches(ten.training_fn(ANY_LABELS, seed=3, start_step=lambda: 0)(), 6)
    assert batches(ten.training_fn(ANY_LABELS, seed=3, start_step=lambda: 4)(), 2) == first[4:]
    assert batches(ten.training_fn(ANY_LABELS, seed=4, start_step=lambda: 0)(), 6) != first


def test_texts_are_not_in_the_graph(ten):
    ten.training_fn(ANY_LABELS, seed=3, start_step=lambda: 0)()
    assert "ä1".encode() not in tf.compat.v1.get_default_graph().as_graph_def().SerializeToString()


def test_columns_by_name(tmp_path):
    path = write_csv(tmp_path / "a.tsv", [("x\ty\t1.5",)], ("q\tp\tscore",))
    source = TextFile(path, texts={"b": "p", "a": "q"}, label="score")
    assert source.feature_names == ["a", "b"] and source.num_examples == 1
    features, labels = source.evaluation_fn(ANY_LABELS)().element_spec
    assert features["a"].dtype == tf.string and labels.dtype == tf.float32


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"batch_size": 0}, "TextFile.batch_size is 0; it must be at least 1."),
        ({"batch_size": "a"}, "TextFile.batch_size is 'a'; it must be a whole number."),
        ({"label": ["a"]}, "TextFile.label is ['a']; it must be a text in quotes."),
        ({"path": 3}, "TextFile.path is 3; it must be a path in quotes."),
        ({"path": ""}, "TextFile.path is ''; it must be a path in quotes."),
        ({"texts": "a"}, "TextFile.texts is 'a'; give it a dict, as in {'text': 'review'}."),
        ({"delimiter": ";;"}, "TextFile.delimiter is ';;'; it must be one letter."),
    ],
)
def test_wrong_settings(setting, message):
    with pytest.raises(errors.ModelError) as caught:
        TextFile(**{"path": "a.csv", **setting})
    assert str(caught.value) == message


@pytest.mark.parametrize("spec", [ANY_LABELS, TWO_CLASSES])
def test_the_check_reads_the_file(tmp_path, spec):
    source = TextFile(write_csv(tmp_path / "a.csv", [("a", "pos")]))
    with pytest.raises(
        errors.LabelError, match=r"^The label 'pos' in row 2 of .* is not a number\.$"
    ):
        source.check(spec)


def test_labels_are_checked_against_the_heads_classes(tmp_path):
    source = TextFile(write_csv(tmp_path / "a.csv", [("a", 2)]))
    source.check(ANY_LABELS)
    source.check(ExampleSpec(TEXT, LabelSpec("class", 3)))
    with pytest.raises(errors.LabelError):
        source.check(TWO_CLASSES)
