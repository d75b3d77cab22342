"""Word vectors from the token embeddings of an encoder."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

pytest.importorskip("safetensors")

import hub_estimator as hub
from examples.sentence_encoder import pretrained, word_vectors
from tests.examples.tiny_encoder import TOKENS, tensors, write


def _embed(path, texts):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        outputs = hub.Module(str(path))(tf.constant(texts))
        session.run(
            [tf.compat.v1.global_variables_initializer(), tf.compat.v1.tables_initializer()]
        )
        return session.run(outputs)


def test_whole_words_without_their_mean(tmp_path):
    argv = ["", f"--export_path={tmp_path}/module", f"--weights={write(tmp_path / 'tiny')}"]
    assert word_vectors.run(argv) == 0
    good, film = tensors()["embeddings.word_embeddings.weight"][5:7]
    found = _embed(tmp_path / "module", ["good", "Film", "s !"])
    half = (good - film) / 2
    np.testing.assert_allclose(found, [half, -half, np.zeros(4)], atol=1e-6)


def test_random_vectors_of_the_same_words_and_size(tmp_path):
    many = [
        *TOKENS[:4],
        *(chr(ord("a") + i) + chr(ord("a") + j) for i in range(26) for j in range(26)),
    ]
    table = np.random.RandomState(1).normal(scale=3, size=[len(many), 4]).astype(np.float32)
    encoder = pretrained.read(
        write(
            tmp_path / "tiny",
            tokens=many,
            config={"vocab_size": len(many)},
            tensors={"embeddings.word_embeddings.weight": table},
        )
    )
    real = word_vectors.token_vectors(encoder)
    assert real.words == many[4:]
    np.testing.assert_allclose(real.vectors.mean(axis=0), np.zeros(4), atol=1e-5)
    random = word_vectors.random_vectors(real)
    assert random.words == real.words and random.vectors.dtype == np.float32
    np.testing.assert_array_equal(random.vectors, word_vectors.random_vectors(real).vectors)
    assert random.vectors.std() == pytest.approx(3, rel=0.1)
    assert abs(np.corrcoef(random.vectors.ravel(), real.vectors.ravel())[0, 1]) < 0.1


def test_the_command_line_publishes_random_vectors(tmp_path):
    argv = ["", f"--export_path={tmp_path}/module", f"--weights={write(tmp_path / 'tiny')}"]
    assert word_vectors.run([*argv, "--random"]) == 0
    found = _embed(tmp_path / "module", ["good", "film"])
    assert np.abs(found[0] + found[1]).max() > 1e-3, "the mean of two real ones is taken out"


def test_a_vocabulary_without_words(tmp_path, capsys):
    weights = write(tmp_path / "tiny", tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"1234"])
    argv = ["", f"--export_path={tmp_path}/module", f"--weights={weights}"]
    assert word_vectors.run(argv) == 1
    assert capsys.readouterr().err == (
        f"error: The vocabulary {weights}/vocab.txt has no whole words of letters.\n"
    )
