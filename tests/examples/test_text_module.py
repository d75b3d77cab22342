"""The published text embedding module, loaded again."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from examples import publishing
from examples.text_embeddings import export, from_texts, module
from examples.text_embeddings.vectors import WordVectors

tf1 = tf.compat.v1
ROOT = pathlib.Path(__file__).parent.parent.parent
WORDS = WordVectors(
    ["good", "film", "not", "not good"],
    np.array([[1, 0], [0, 1], [2, 2], [-8, 0]], np.float32),
)


def _embed(path, texts):
    with tf.Graph().as_default():
        embed = hub.Module(str(path))
        outputs = embed(tf.constant(texts, tf.string, [len(texts)]))
        assert outputs.shape.as_list() in ([len(texts), 2], [None, 2])
        with tf1.Session() as session:
            session.run([tf1.global_variables_initializer(), tf1.tables_initializer()])
            return session.run(outputs)


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    return module.publish(WORDS, tmp_path_factory.mktemp("published") / "module", l2_strength=0.5)


def test_sums_are_divided_by_the_root_of_the_number(published):
    found = _embed(published, ["good", "Good FILM!", "a good film", "film<br />film"])
    root = np.sqrt
    expected = [[1, 0], [1 / root(2), 1 / root(2)], [1 / root(3), 1 / root(3)], [0, 2 / root(2)]]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_phrases_count_beside_their_words(published):
    found = _embed(published, ["not good", "good not", "not so good"])
    expected = [[-5, 2], [3, 2], [3, 2]] / np.sqrt([[3], [2], [3]])
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_texts_without_words_give_zeros(published):
    np.testing.assert_array_equal(_embed(published, ["", "...", "unheard"]), np.zeros([3, 2]))
    assert _embed(published, []).shape == (0, 2)


def test_words_alone_need_no_phrases(tmp_path):
    words = WordVectors(WORDS.words[:3], WORDS.vectors[:3])
    path = module.publish(words, tmp_path / "module", num_oov_buckets=2)
    np.testing.assert_allclose(_embed(path, ["not good"]), [[3 / 2**0.5, 2 / 2**0.5]], rtol=1e-6)
    with tf.Graph().as_default():
        variable = hub.Module(path).variable_map["embeddings"]
        assert variable.shape.as_list() == [5, 2]


def test_the_vocabulary_is_an_asset(published):
    names = os.listdir(os.path.join(published, "assets"))
    assert names == ["vocabulary.txt"]
    with open(os.path.join(published, "assets", names[0])) as file:
        assert file.read().split("\n") == [*WORDS.words, ""]


def test_the_vectors_are_not_in_the_graph(tmp_path):
    many = WordVectors([f"w{i}" for i in range(3000)], np.ones([3000, 100], np.float32))
    path = module.publish(many, tmp_path / "module")
    assert os.path.getsize(os.path.join(path, "saved_model.pb")) < 100_000


def test_fine_tuning_is_regularized(published):
    with tf.Graph().as_default():
        hub.Module(published, trainable=True)
        (loss,) = tf1.losses.get_regularization_losses()
        with tf1.Session() as session:
            session.run(tf1.global_variables_initializer())
            assert session.run(loss) == pytest.approx(0.5 * 0.5 * (1 + 1 + 8 + 64))


def test_fine_tuning_changes_the_words_met(published):
    with tf.Graph().as_default():
        embed = hub.Module(published, trainable=True)
        loss = tf.reduce_sum(embed(tf.constant(["good", "unheard"])))
        train = tf1.train.GradientDescentOptimizer(1.0).minimize(loss)
        with tf1.Session() as session:
            session.run([tf1.global_variables_initializer(), tf1.tables_initializer()])
            session.run(train)
            values = session.run(embed.variable_map["embeddings"])
    np.testing.assert_allclose(values, [[0, -1], [0, 1], [2, 2], [-8, 0], [-1, -1]])


def test_the_command_line_publishes_a_file_of_vectors(tmp_path):
    (tmp_path / "vectors.txt").write_text("good 1 0\nfilm 0 1\nrare 5 5\n")
    path = tmp_path / "module"
    assert (
        export.run(
            [
                "export",
                f"--vectors={tmp_path}/vectors.txt",
                f"--export_path={path}",
                "--max_words=2",
            ]
        )
        == 0
    )
    np.testing.assert_allclose(_embed(path, ["good", "rare"]), [[1, 0], [0, 0]])


def test_the_command_line_publishes_texts(tmp_path):
    rows = "".join(f"a {word} film,1\n" * 5 for word in ("good", "great", "bad"))
    (tmp_path / "train.csv").write_text("text,label\n" + rows)
    path = tmp_path / "module"
    assert (
        export.run(
            ["export", f"--texts={tmp_path}/train.csv", f"--export_path={path}", "--width=2"]
        )
        == 0
    )
    found = _embed(path, ["good", "great", "bad film"])
    assert np.isfinite(found).all() and np.abs(found).max() > 1e-3


def test_a_module_that_is_there_is_refused_before_any_work(
    tmp_path, monkeypatch, published, capsys
):
    monkeypatch.setattr(from_texts, "make_vectors", None)
    argv = ["export", f"--texts={tmp_path}/none.csv", f"--export_path={published}"]
    assert export.run(argv) == 1
    assert capsys.readouterr().err == (
        f"error: There is a module in {published} already. "
        "Remove that folder, or choose another path.\n"
    )
    with pytest.raises(publishing.ModuleExistsError):
        module.publish(WORDS, published)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--vectors=a", "--texts=b", "--export_path=c"], "Exactly one of (vectors, texts) must"),
        (["--export_path=c"], "Exactly one of (vectors, texts) must"),
        (["--texts=b"], "Flag --export_path must have a value other than None"),
        (["--texts=b", "--export_path=c", "--width=0"], "--width=0"),
        (["--texts=b", "--export_path=c", "--colour=1"], "Unknown command line flag 'colour'"),
        (["--texts=b", "--export_path=c", "more"], "Unexpected arguments: more."),
    ],
)
def test_wrong_flags(argv, message, capsys):
    assert export.run(["export", *argv]) == 2
    assert message in capsys.readouterr().err


def test_help_needs_no_tensorflow():
    program = (
        "import sys; from examples.text_embeddings import export; export.run(['', '--help']); "
        "assert 'tensorflow' not in sys.modules"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "--export_path" in result.stdout
