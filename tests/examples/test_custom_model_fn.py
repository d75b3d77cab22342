"""A model_fn written by hand: it fine-tunes the module, exports it, and the result is better."""

from __future__ import annotations

import os

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from examples.custom_model_fn import model, train
from examples.image_module import digits, training

tf1 = tf.compat.v1


def _part(number: int, num_classes: int, seed: int) -> digits.Digits:
    """Images that show their label by where a white square is, under noise."""
    labels = np.arange(number) % num_classes
    images = np.random.RandomState(seed).uniform(0, 0.5, [number, 8, 8, 1]).astype(np.float32)
    for image, label in zip(images, labels, strict=True):
        row, column = divmod(label, 4)
        image[2 * row : 2 * row + 2, 2 * column : 2 * column + 2] = 1
    return digits.Digits(images, labels)


PARTS = digits.Parts(_part(80, 2, 1), _part(160, 10, 2), _part(80, 10, 3))


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("published") / "module")
    training.train_and_publish(PARTS.pretrain, path, epochs=2)
    return path


@pytest.fixture(scope="module")
def tuned(published, tmp_path_factory):
    return model.train(published, PARTS, tmp_path_factory.mktemp("tuned") / "model", steps=60)


def _value(path, name):
    with tf.Graph().as_default(), tf1.Session() as session:
        module = hub.Module(path)
        session.run(tf1.global_variables_initializer())
        return session.run(module.variable_map[name])


def _export(path, height, width, compute):
    def module_fn():
        images = tf1.placeholder(tf.float32, [None, height, width, 1])
        hub.add_signature(inputs={"images": images}, outputs=compute(images))

    with tf.Graph().as_default(), tf1.Session() as session:
        hub.Module(hub.create_module_spec(module_fn)).export(str(path), session)
    return str(path)


def test_the_model_and_the_fine_tuned_modules_features_tell_digits_apart(tuned):
    assert tuned.accuracy > 0.9
    assert model.nearest_mean_accuracy(tuned.module, PARTS) > 0.9
    assert hub.load_module_spec(tuned.module).get_tags() == [set(), {"train"}]


def test_features_that_tell_nothing_find_one_class_only(tmp_path):
    path = _export(tmp_path / "nothing", 8, 8, lambda images: tf.reduce_sum(0 * images, [1, 2]))
    assert model.nearest_mean_accuracy(path, PARTS) == 0.1


@pytest.mark.parametrize("name", ["conv_1/conv/kernel", "conv_1/batch_norm/moving_mean"])
def test_weights_and_moving_averages_were_trained(published, tuned, name):
    assert np.abs(_value(published, name) - _value(tuned.module, name)).max() > 1e-3


def test_a_frozen_module_is_exported_as_it_was(published, tmp_path):
    result = model.train(published, PARTS, tmp_path / "model", fine_tune=False, steps=3)
    for name in ("conv_1/conv/kernel", "conv_1/batch_norm/moving_mean"):
        np.testing.assert_array_equal(_value(published, name), _value(result.module, name))


def test_the_command_line(published, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(digits, "load", lambda: PARTS)
    argv = ["train", f"--module={published}", f"--model_dir={tmp_path}/model", "--steps=2"]
    assert train.run(argv) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("accuracy on 80 held-out digits: 0.")
    (timestamp,) = os.listdir(tmp_path / "model" / "export" / "module")
    exported = f"{tmp_path}/model/export/module/{timestamp}/digits"
    assert [line[10:] for line in lines[2:]] == [published, exported]


def test_a_module_for_other_images(tmp_path):
    path = _export(tmp_path / "other", 4, 6, lambda images: tf.reduce_sum(images, [1, 2]))
    with pytest.raises(model.WrongModuleError) as caught:
        model.train(path, PARTS, tmp_path / "model")
    assert str(caught.value) == (
        f"The module {tmp_path}/other takes images of 4 x 6 pixels; the digits have 8 x 8."
    )
    assert not (tmp_path / "model").exists()
