"""Errors of a step, and what they say of the data."""

from __future__ import annotations

import pytest
import tensorflow as tf

from hub_estimator import errors
from hub_estimator.training import step_checks
from hub_estimator.training.inputs import failures
from tests.training.inputs.input_contract import batches


def numbers(texts, broken_once=None):
    """Texts of numbers as batches of two numbers, through `map_batches`."""

    def convert(texts):
        return tf.strings.to_number(texts), texts

    def message(text):
        return tf.strings.join(["The text '", text, "' [ä]\nis no number."])

    return failures.map_batches(
        tf.data.Dataset.from_tensor_slices((tf.constant(texts),)).batch(2), convert, message
    )


def test_batches_in_their_order():
    read = batches(numbers([str(each) for each in range(99)]))
    assert [each for values, _ in read for each in values] == list(range(99))
    assert [len(values) for values, _ in read] == [2] * 49 + [1]


def test_the_example_that_fails_is_named():
    with pytest.raises(errors.DataFileError) as caught, failures.clear_errors():
        batches(numbers(["1", "2", "3", "'\\n\"é", "x", "5"]))
    assert str(caught.value) == "The text ''\\n\"é' [ä]\nis no number."
    assert isinstance(caught.value.__cause__, tf.errors.InvalidArgumentError)


def test_a_batch_that_fails_but_whose_examples_do_not():
    def convert(texts):
        # Stands for what passes: a batch of two is refused, each alone is not.
        with tf.control_dependencies([tf.debugging.assert_less(tf.size(texts), 2)]):
            return tf.identity(texts)

    dataset = tf.data.Dataset.from_tensor_slices((tf.constant(["a", "b", "c"]),)).batch(2)
    read = batches(failures.map_batches(dataset, convert, lambda text: text))
    assert [each.tolist() for each in read] == [[b"a", b"b"], [b"c"]]


def test_labels():
    with tf.compat.v1.Session() as session:
        operation = step_checks.fail_unless(
            False, errors.LabelError, lambda: tf.constant("The label is wrong.")
        )
        pinned = pytest.raises(errors.LabelError, match=r"^The label is wrong\.$")
        with pinned, failures.clear_errors():
            session.run(operation)


def test_other_errors_stay_what_they_are():
    with tf.compat.v1.Session() as session:
        number = tf.strings.to_number("x")
        with pytest.raises(tf.errors.InvalidArgumentError), failures.clear_errors():
            session.run(number)
    with pytest.raises(KeyError), failures.clear_errors():
        raise KeyError


def test_a_damaged_checkpoint_is_no_file_of_records(tmp_path):
    with tf.compat.v1.Session() as session:
        tf.compat.v1.get_variable("values", [1000])
        saver = tf.compat.v1.train.Saver()
        session.run(tf.compat.v1.global_variables_initializer())
        prefix = saver.save(session, str(tmp_path / "model.ckpt"))
        path = tmp_path / "model.ckpt.data-00000-of-00001"
        content = bytearray(path.read_bytes())
        content[2000] ^= 1
        path.write_bytes(content)
        with pytest.raises(errors.DataFileError) as caught, failures.clear_errors():
            saver.restore(session, prefix)
    message = str(caught.value)
    assert message.startswith("A checkpoint is damaged or cut short: TensorBundle at ")
    assert "Checksum does not match" in message and message.endswith(".")
