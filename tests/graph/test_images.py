"""Modules that take images: what they tell of them."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import errors


def image_module(shape, info=None, name="images"):
    def module_fn():
        images = tf.compat.v1.placeholder(tf.float32, shape)
        hub.add_signature(inputs={name: images}, outputs=tf.reduce_mean(images))
        if info is not None:
            hub.attach_image_module_info(info)

    return hub.create_module_spec(module_fn)


def info(height, width):
    message = hub.ImageModuleInfo()
    message.default_image_size.height = height
    message.default_image_size.width = width
    return message


def test_the_attached_message_tells_the_size():
    spec = image_module([None, None, None, 3], info(224, 192))
    assert hub.get_expected_image_size(spec) == [224, 192]
    assert hub.get_expected_image_size(hub.Module(spec)) == [224, 192]
    assert hub.get_num_image_channels(hub.Module(spec)) == 3


def test_the_shape_tells_the_size():
    spec = image_module([None, 12, 16, 1], name="pictures")
    assert hub.get_expected_image_size(spec, "default", "pictures") == [12, 16]
    assert hub.get_num_image_channels(spec, input_name="pictures") == 1


def test_the_message_is_kept_by_an_export(tmp_path):
    module = hub.Module(image_module([None, None, None, 3], info(5, 7)))
    with tf.compat.v1.Session() as session:
        module.export(tmp_path / "m", session)
    spec = hub.load_module_spec(tmp_path / "m")
    assert hub.get_expected_image_size(spec) == [5, 7]
    message = spec.get_attached_message("image_module_info", hub.ImageModuleInfo)
    assert message.default_image_size.width == 7


@pytest.mark.parametrize("size", [(0, 0), (0, 9)])
def test_an_incomplete_message_leaves_it_to_the_shape(size):
    assert hub.get_expected_image_size(image_module([None, 3, 4, 3], info(*size))) == [3, 4]


@pytest.mark.parametrize(
    "shape, text",
    [
        ([None, None, 4, 3], "(None, None, 4, 3)"),
        ([None, 4], "(None, 4)"),
        (None, "<unknown>"),
    ],
)
def test_no_size(shape, text):
    with pytest.raises(errors.ImageInputError) as caught:
        hub.get_expected_image_size(image_module(shape))
    assert str(caught.value) == (
        f"The images that the module takes have the shape {text}; known height and width are "
        "needed: [batch, height, width, channels]. The publisher may also attach them with "
        "hub.attach_image_module_info."
    )


@pytest.mark.parametrize("shape, text", [([None, 3, 4, None], "(None, 3, 4, None)"), ([3], "(3,)")])
def test_no_channels(shape, text):
    with pytest.raises(ValueError) as caught:
        hub.get_num_image_channels(image_module(shape))
    assert str(caught.value) == (
        f"The images that the module takes have the shape {text}; a known number of channels is "
        "needed: [batch, height, width, channels]."
    )


def test_no_input_of_that_name():
    spec = image_module([None, 3, 4, 3], name="pictures")
    with pytest.raises(errors.ImageInputError) as caught:
        hub.get_expected_image_size(spec)
    assert str(caught.value) == (
        "The signature 'default' of the module has no input 'images'. It has: 'pictures'. "
        "Pass input_name=..."
    )
    with pytest.raises(errors.SignatureNotFoundError):
        hub.get_num_image_channels(spec, "other")


@pytest.mark.peer
def test_the_peer_reads_ours_and_we_read_the_peers(tmp_path):
    import tensorflow_hub

    def module_fn(library):
        images = tf.compat.v1.placeholder(tf.float32, [None, None, None, 3])
        library.add_signature(inputs={"images": images}, outputs=tf.reduce_mean(images))
        message = library.ImageModuleInfo()
        message.default_image_size.height, message.default_image_size.width = 9, 11
        library.attach_image_module_info(message)

    for library in (hub, tensorflow_hub):
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            module = library.Module(library.create_module_spec(lambda lib=library: module_fn(lib)))
            session.run(tf.compat.v1.global_variables_initializer())
            module.export(str(tmp_path / library.__name__), session)
    for reader, writer in ((hub, tensorflow_hub), (tensorflow_hub, hub)):
        spec = reader.load_module_spec(str(tmp_path / writer.__name__))
        assert np.array_equal(reader.get_expected_image_size(spec), [9, 11])
