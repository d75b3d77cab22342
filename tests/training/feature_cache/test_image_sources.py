"""Images: outputs are those of the decoded files, and follow from what is in these."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import errors
from hub_estimator.compat import head_class
from hub_estimator.training.example_spec import ExampleSpec
from hub_estimator.training.feature_cache import ComputedInput, Sources
from hub_estimator.training.inputs.augmentation import Augmentation
from hub_estimator.training.inputs.image_folder import ImageFolder
from hub_estimator.training.labels.one_class import OneClass
from tests.training.image_files import encoded

IMAGES = ExampleSpec({"image": tf.TensorSpec([None, 2, 2, 3], tf.float32)}, OneClass(2))


def mean_fn():
    image = tf.compat.v1.placeholder(tf.float32, [None, 2, 2, 3], name="image")
    hub.add_signature(inputs={"image": image}, outputs=tf.reduce_mean(image, [1, 2]))


def write(folder, number, value):
    folder = folder / ("dark" if value < 100 else "light")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{number}.png").write_bytes(encoded("PNG", np.full([3, 3, 3], value)))


@pytest.fixture
def folder(tmp_path):
    for number in range(6):
        write(tmp_path / "images", number, 40 * number)
    return tmp_path / "images"


@pytest.fixture
def training(make_model, cache, folder):
    def make(**settings):
        spec = hub.create_module_spec(mean_fn)
        head = head_class("BinaryClassHead")()
        model = make_model({"handle": spec, "feature": "image"}, head=head)
        given = ImageFolder(folder, batch_size=4, **settings)
        return Sources(cache, model, model.example_spec(), None).training(given, steps=6)

    return make


def batches(source, steps=3):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        dataset = source.input.training_fn(source.spec, 1, lambda: 2)()
        batch = tf.compat.v1.data.make_one_shot_iterator(dataset).get_next()
        return [session.run(batch) for _ in range(steps)]


def test_outputs_of_images(training, folder, computed):
    source = training()
    assert not source.spec.features
    assert computed() == ["computed outputs of encoder 'module': 6 of 6"]
    plain = ComputedInput(ImageFolder(folder, batch_size=4), IMAGES)
    for (given, labels), (made, same) in zip(batches(plain), batches(source), strict=True):
        assert np.array_equal(labels, same)
        assert np.allclose(given["image"].mean((1, 2)), made["encoder_0/output_0"], atol=1e-6)


def test_a_changed_image(training, folder, computed):
    training()
    write(folder, 2, 81)
    training()
    assert len(computed()) == 2
    training()
    assert not computed()


def test_augmented_images_run_in_each_step(training, computed):
    assert set(training(augment=Augmentation()).spec.features) == {"image"}
    assert not computed()


def test_a_damaged_image(training, folder):
    path = folder / "dark" / "1.png"
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(errors.DataFileError) as caught:
        training()
    assert str(caught.value) == (
        f"The image file '{path}' cannot be read: it is damaged or cut short, or of a variant that "
        "TensorFlow does not decode."
    )
