"""The image module: its variants, its features, and an honest cut of the digits."""

from __future__ import annotations

import importlib.util
import os

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from examples import publishing
from examples.image_module import digits, export, prepare, training
from examples.image_module import module as image_module

tf1 = tf.compat.v1
needs_digits = pytest.mark.skipif(
    importlib.util.find_spec("sklearn") is None, reason="scikit-learn is not installed"
)


def _stripes(number: int) -> digits.Digits:
    """Images that show their label by the row that is white."""
    labels = np.arange(number) % digits.SIZE
    images = np.zeros([number, digits.SIZE, digits.SIZE, 1], np.float32)
    images[np.arange(number), labels] = 1
    return digits.Digits(images, labels)


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A module that learned stripes, and the accuracy it came to."""
    path = str(tmp_path_factory.mktemp("published") / "module")
    return path, training.train_and_publish(_stripes(160), path, epochs=25)


def _call(path, images, tags=None, signature=None):
    with tf.Graph().as_default(), tf1.Session() as session:
        outputs = hub.Module(path, tags=tags)(images, signature=signature, as_dict=True)
        session.run(tf1.global_variables_initializer())
        return session.run(outputs), session.run(outputs["default"])


def test_it_learns(published):
    assert published[1] == (1.0, 16)


def test_features_and_what_comes_before_them(published):
    images = _stripes(3).images
    found, _ = _call(published[0], images, signature="image_feature_vector")
    assert {name: value.shape for name, value in found.items()} == {
        "default": (3, 64),
        "conv_1": (3, 8, 8, 16),
        "conv_2": (3, 8, 8, 32),
        "conv_3": (3, 4, 4, 64),
    }
    np.testing.assert_array_equal(found["default"], _call(published[0], images)[1])
    assert np.abs(found["default"][0] - found["default"][1]).max() > 0.1


def test_only_the_train_variant_drops_and_uses_the_batch(published):
    images = _stripes(4).images
    first, again = _call(published[0], images)
    np.testing.assert_array_equal(first["default"], again)
    first, again = _call(published[0], images, tags={"train"})
    assert np.abs(first["default"] - again).max() > 0.1
    alone, _ = _call(published[0], images[:1], tags={"train"})
    assert np.abs(alone["conv_1"][0] - first["conv_1"][0]).max() > 0.01


def test_training_on_it_updates_averages_and_adds_its_losses(published):
    with tf.Graph().as_default():
        module = hub.Module(published[0], trainable=True, tags={"train"})
        assert not tf1.get_collection(tf1.GraphKeys.UPDATE_OPS)
        module(_stripes(4).images)
        assert len(tf1.get_collection(tf1.GraphKeys.UPDATE_OPS)) == 6
        assert len(tf1.losses.get_regularization_losses()) == 4


def test_the_moving_averages_were_learned(published):
    with tf.Graph().as_default(), tf1.Session() as session:
        variables = hub.Module(published[0]).variable_map
        session.run(tf1.global_variables_initializer())
        mean = session.run(variables["conv_1/batch_norm/moving_mean"])
    assert np.abs(mean).max() > 1e-3


def test_what_it_says_about_images(published):
    spec = hub.load_module_spec(published[0])
    assert spec.get_signature_names() == ["default", "image_feature_vector"]
    assert spec.get_tags() == [set(), {"train"}]
    assert hub.get_expected_image_size(spec) == [8, 8]
    assert hub.get_num_image_channels(spec) == 1
    assert not [name for name in hub.Module(spec).variable_map if "logits" in name]


def test_a_module_that_is_there_is_refused_before_any_work(published):
    with pytest.raises(publishing.ModuleExistsError):
        training.train_and_publish(_stripes(8), published[0])


@needs_digits
def test_no_image_is_in_two_parts():
    parts = digits.load()
    assert [len(part.labels) for part in parts] == [453, 449, 449]
    seen = [{image.tobytes() for image in part.images} for part in parts]
    assert len(set.union(*seen)) == 453 + 449 + 449
    for part in parts:
        assert part.images.shape[1:] == (8, 8, 1) and part.images.dtype == np.float32
        assert part.images.min() == 0 and part.images.max() == 1
    assert [len(set(part.labels)) for part in parts] == [5, 10, 10]
    assert [np.bincount(part.labels).min() for part in parts] == [89, 43, 41]


@needs_digits
def test_the_folders_hold_what_the_module_does_not_learn_from(tmp_path, capsys):
    folder = tmp_path / "digits"
    assert prepare.run(["prepare", f"--folder={folder}"]) == 0
    assert capsys.readouterr().out == f"{folder}\n"
    assert sorted(os.listdir(folder)) == ["test", "train"]
    parts = digits.load()
    for name in ("train", "test"):
        part = getattr(parts, name)
        assert sorted(os.listdir(folder / name)) == list("0123456789")
        paths = sorted((folder / name).glob("*/*.png"), key=lambda path: path.name)
        assert [int(path.parent.name) for path in paths] == part.labels.tolist()
        with tf1.Session() as session:
            first = session.run(tf.io.decode_png(paths[7].read_bytes()))
        np.testing.assert_array_equal(first.astype(np.float32) / 255, part.images[7])


@needs_digits
def test_folders_that_are_there_are_left_alone(tmp_path, monkeypatch):
    for name in ("train", "test"):
        (tmp_path / name).mkdir()
    digits.write_folders(tmp_path)
    assert not list(tmp_path.glob("*/*"))


@needs_digits
def test_a_failed_write_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(digits, "_as_png", lambda part: [b"png"])
    with pytest.raises(ValueError, match="zip"):
        digits.write_folders(tmp_path / "digits")
    assert not list(tmp_path.iterdir())


@needs_digits
def test_the_command_line_learns_real_digits(tmp_path, capsys):
    argv = ["export", f"--export_path={tmp_path}/module", "--epochs=2"]
    assert export.run(argv) == 0
    path, accuracy = capsys.readouterr().out.splitlines()
    assert path == f"{tmp_path}/module"
    assert accuracy.startswith("accuracy on 45 images that it did not learn from: ")
    assert float(accuracy.split()[-1]) > 0.5
    assert hub.Module(path).variables


def test_images_need_scikit_learn(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert prepare.run(["prepare", f"--folder={tmp_path}/digits"]) == 1
    assert capsys.readouterr().err == (
        "error: The digits come with the package scikit-learn, which is not installed. "
        "Install it: pip install scikit-learn.\n"
    )


def test_the_variants_are_named_as_exported():
    assert image_module.make_spec().get_tags() == [set(), {image_module.TRAIN}]
