"""Modules composed into one that needs nothing of them any more."""

from __future__ import annotations

import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from examples import compose
from examples.text_embeddings import module as text_module
from examples.text_embeddings.vectors import WordVectors

pytestmark = pytest.mark.one_tensorflow

tf1 = tf.compat.v1
ROOT = pathlib.Path(__file__).parent.parent.parent
FIRST = WordVectors(["good", "film"], np.array([[1, 0], [0, 1]], np.float32))
SECOND = WordVectors(["film", "good"], np.array([[3, 4, 5], [6, 7, 8]], np.float32))


def _publish(vectors, path, l2_strength=0.0):
    return text_module.publish(vectors, path, l2_strength=l2_strength)


def _dense_fn(scale, is_training=False):
    x = tf1.placeholder(tf.float32, [None, 2], name="x")
    weights = tf1.get_variable("weights", initializer=[scale, scale])
    hub.add_signature(inputs={"x": x}, outputs=x * weights * (10.0 if is_training else 1.0))


def _export_dense(path, scale, variants):
    with tf.Graph().as_default(), tf1.Session() as session:
        args = [(tags, {"scale": scale, "is_training": bool(tags)}) for tags in variants]
        module = hub.Module(hub.create_module_spec(_dense_fn, args))
        session.run(tf1.global_variables_initializer())
        module.export(str(path), session)
    return str(path)


PROGRAM = """
import sys
import hub_estimator as hub
import tensorflow as tf
with tf.Graph().as_default(), tf.compat.v1.Session() as session:
    outputs = hub.Module(sys.argv[1])(tf.constant(["good", "Film!", "unheard"]))
    session.run([tf.compat.v1.global_variables_initializer(), tf.compat.v1.tables_initializer()])
    print(session.run(outputs).tolist())
"""


def test_a_fresh_process_loads_it_after_the_originals_are_gone(tmp_path, capsys):
    parts = [_publish(FIRST, tmp_path / "a"), _publish(SECOND, tmp_path / "b")]
    argv = ["", *(f"--module={part}" for part in parts), f"--export_path={tmp_path}/both"]
    assert compose.run(argv) == 0
    assert capsys.readouterr().out == (
        f"     2 numbers from {tmp_path}/a\n"
        f"     3 numbers from {tmp_path}/b\n"
        f"     5 numbers from {tmp_path}/both\n"
    )
    for part in parts:
        shutil.rmtree(part)
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, f"{tmp_path}/both"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    expected = [[1.0, 0.0, 6.0, 7.0, 8.0], [0.0, 1.0, 3.0, 4.0, 5.0], [0.0] * 5]
    assert result.stdout.strip() == str(expected)


def test_all_its_variables_are_trained_with_their_losses(tmp_path):
    parts = [_publish(FIRST, tmp_path / "a", l2_strength=1.0), _publish(SECOND, tmp_path / "b")]
    path = compose.publish(parts, str(tmp_path / "both"))
    with tf.Graph().as_default(), tf1.Session() as session:
        module = hub.Module(path, trainable=True)
        assert set(module.variable_map) == {"part_0/embeddings", "part_1/embeddings"}
        assert len(tf1.trainable_variables()) == 2
        (loss,) = tf1.losses.get_regularization_losses()
        session.run(tf1.global_variables_initializer())
        assert session.run(loss) == 1.0


def test_it_has_the_variants_that_all_have(tmp_path):
    first = _export_dense(tmp_path / "a", 2.0, [set(), {"train"}, {"other"}])
    second = _export_dense(tmp_path / "b", 3.0, [set(), {"train"}])
    path = compose.publish([first, second], str(tmp_path / "both"))
    spec = hub.load_module_spec(path)
    assert spec.get_tags() == [set(), {"train"}]
    for tags, scale in ((None, 1), ({"train"}, 10)):
        with tf.Graph().as_default(), tf1.Session() as session:
            outputs = hub.Module(spec, tags=tags)([[1.0, 2.0]])
            session.run(tf1.global_variables_initializer())
            np.testing.assert_array_equal(
                session.run(outputs), scale * np.array([[2, 4, 3, 6]], np.float32)
            )


def test_different_inputs_are_refused(tmp_path, capsys):
    text, dense = _publish(FIRST, tmp_path / "a"), _export_dense(tmp_path / "b", 1.0, [set()])
    argv = ["", f"--module={text}", f"--module={dense}", f"--export_path={tmp_path}/both"]
    assert compose.run(argv) == 1
    assert capsys.readouterr().err == (
        f"error: The modules {text} and {dense} cannot share an input: the first takes string "
        "(None,), the second float32 (None, 2).\n"
    )
    assert not (tmp_path / "both").exists()


def test_two_inputs_cannot_be_shared(tmp_path):
    def module_fn():
        x, y = (tf1.placeholder(tf.float32, [None], name=name) for name in "xy")
        hub.add_signature(inputs={"x": x, "y": y}, outputs=x + y)

    with tf.Graph().as_default(), tf1.Session() as session:
        hub.Module(hub.create_module_spec(module_fn)).export(str(tmp_path / "two"), session)
    text = _publish(FIRST, tmp_path / "a")
    with pytest.raises(compose.CannotComposeError) as caught:
        compose.publish([text, str(tmp_path / "two")], str(tmp_path / "both"))
    assert str(caught.value) == (
        f"The modules {text} and {tmp_path}/two cannot share an input: the first takes string "
        "(None,), the second float32 (None,) and float32 (None,)."
    )


def test_a_module_that_is_there_is_refused(tmp_path, capsys):
    text = _publish(FIRST, tmp_path / "a")
    assert compose.run(["", f"--module={text}", f"--export_path={text}"]) == 1
    assert capsys.readouterr().err == (
        f"error: There is a module in {text} already. Remove that folder, or choose another path.\n"
    )
