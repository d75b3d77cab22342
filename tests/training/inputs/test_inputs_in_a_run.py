"""Inputs in a whole run, where TensorFlow reads what the check has not."""

from __future__ import annotations

import json
import shutil

import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import errors
from hub_estimator.training.inputs.augmentation import Augmentation
from hub_estimator.training.inputs.image_folder import ImageFolder
from hub_estimator.training.model.encoders import Encoder
from tests.training import image_files, runs


def image_module_fn():
    images = tf.compat.v1.placeholder(tf.float32, [None, 4, 4, 1])
    scale = tf.compat.v1.get_variable("scale", [], initializer=tf.ones_initializer())
    hub.add_signature(
        inputs={"images": images}, outputs=scale * tf.reshape(2 * images - 1, [-1, 16])
    )


def image_model(make_model):
    encoder = Encoder(hub.create_module_spec(image_module_fn), feature="image")
    return make_model(encoders=[encoder], layers=None)


def run(make_model, folder, model_dir):
    return runs.train(
        model_dir,
        image_model(make_model),
        ImageFolder(folder, batch_size=4, augment=Augmentation()),
        ImageFolder(folder, batch_size=4),
        max_steps=8,
        eval_every_steps=8,
    )


@pytest.fixture
def folder(tmp_path):
    """Dark images and bright ones."""
    return image_files.write_two_classes(tmp_path / "images")


@pytest.fixture(scope="module")
def learned(make_model, tmp_path_factory):
    """What a run on such images came to."""
    place = tmp_path_factory.mktemp("learned")
    folder = image_files.write_two_classes(place / "images")
    return run(make_model, folder, place / "model")


def test_images_are_learned(learned):
    assert learned.step == 8 and learned.metrics["accuracy"] == 1
    with open(f"{learned.model_dir}/class_names.json", encoding="utf-8") as file:
        assert json.load(file) == ["dark", "light"]


def damage(folder) -> str:
    """Cuts an image short; returns what is said of it."""
    path = folder / "light" / "3.bmp"
    path.write_bytes(path.read_bytes()[:40])
    return (
        f"The image file '{path}' cannot be read: it is damaged or cut short, or of a variant that "
        "TensorFlow does not decode."
    )


def test_a_damaged_image_stops_training_and_is_named(make_model, folder, tmp_path):
    message = damage(folder)
    with pytest.raises(errors.DataFileError) as caught:
        run(make_model, folder, tmp_path / "model")
    assert str(caught.value) == message


def test_a_damaged_image_stops_evaluation_and_prediction(make_model, learned, folder, tmp_path):
    model_dir = shutil.copytree(learned.model_dir, tmp_path / "model")
    message = damage(folder)
    model, source = image_model(make_model), ImageFolder(folder, batch_size=4)
    with pytest.raises(errors.DataFileError) as caught:
        runs.evaluate(model_dir, model, source)
    assert str(caught.value) == message
    output = tmp_path / "predictions.csv"
    with pytest.raises(errors.DataFileError) as caught:
        runs.predict(model_dir, folder, output, model, source)
    assert str(caught.value) == message and not output.exists()
