"""Which of TF Hub's common interfaces a module has, and what it lacks for the others."""

from __future__ import annotations

import pytest
import tensorflow as tf

import hub_estimator as hub
from tests import modules
from tests.format.description import saved_models
from tests.format.description.saved_models import golden
from tests.format.editing import export
from tests.modules import tf1

TEXT, TOKENS = "text", "text from token ids"
FEATURES, CLASSES = "image feature vector", "image classification"


def missing(path):
    return {one.name: one.missing for one in hub.describe(path).common_signatures}


def of_module(folder, inputs, outputs, name="default"):
    """What a module lacks whose signature has inputs and outputs of these types and shapes."""

    def module_fn():
        made = {key: tf1.placeholder(*value, name=key) for key, value in inputs.items()}
        given = {key: tf1.placeholder(*value, name=f"{key}_") for key, value in outputs.items()}
        hub.add_signature(name, inputs=made, outputs=given)

    return missing(export(module_fn, folder / "module"))


TEXTS = {"x": (tf.string, [None])}
VECTORS = {"default": (tf.float32, [None, 8])}
IMAGES = {"images": (tf.float32, [None, 9, 7, 3])}


def test_text():
    assert missing(golden("file_table")) == {
        TEXT: (),
        TOKENS: ("it has no signature 'tokens'",),
        FEATURES: ("it has no signature 'image_feature_vector'",),
        CLASSES: ("it has no signature 'image_classification'",),
    }


@pytest.mark.parametrize(
    ("inputs", "outputs", "lacks"),
    [
        (TEXTS, {**VECTORS, "more": (tf.int64, [])}, ()),
        (
            {"x": (tf.string, [None, None])}, VECTORS,
            ("its input 'x' is string [?, ?], not string [batch]",),
        ),
        ({"x": (tf.string, [4])}, VECTORS, ("its input 'x' is string [4], not string [batch]",)),
        ({"x": (tf.string, None)}, VECTORS, ("its input 'x' is string [...], not string [batch]",)),
        ({}, VECTORS, ("it has no input",)),
        ({**TEXTS, "y": (tf.string, [])}, VECTORS, ("'default' takes 2 inputs, not 1",)),
        (TEXTS, {"vectors": (tf.float32, [None, 8])}, ("it has no output 'default'",)),
        (
            TEXTS, {"default": (tf.float32, [None, None])},
            ("its output 'default' is float32 [?, ?], not float32 [batch, a known width]",),
        ),
        (
            {"x": (tf.int32, [None])}, {"default": (tf.float64, [None, 8])},
            (
                "its input 'x' is int32 [?], not string [batch]",
                "its output 'default' is float64 [?, 8], not float32 [batch, a known width]",
            ),
        ),
    ],
)  # fmt: skip
def test_what_is_missing_for_text(tmp_path, inputs, outputs, lacks):
    assert of_module(tmp_path, inputs, outputs)[TEXT] == lacks


def test_token_ids(tmp_path):
    inputs = {name: (tf.int32, [None, None]) for name in ("input_ids", "input_mask", "segment_ids")}
    outputs = {
        "pooled_output": (tf.float32, [None, 16]),
        "sequence_output": (tf.float32, [None, None, 16]),
    }
    assert of_module(tmp_path / "1", inputs, outputs, "tokens")[TOKENS] == ()
    del inputs["segment_ids"], inputs["input_mask"], outputs["sequence_output"]
    assert of_module(tmp_path / "2", inputs, outputs, "tokens")[TOKENS] == (
        "it has no inputs 'input_mask', 'segment_ids'",
        "it has no output 'sequence_output'",
    )


@pytest.mark.parametrize(
    ("name", "task"), [("image_feature_vector", FEATURES), ("image_classification", CLASSES)]
)
def test_images(tmp_path, name, task):
    found = of_module(tmp_path / "1", IMAGES, VECTORS, name)
    assert [known for known, lacks in found.items() if not lacks] == [task]
    path = saved_models.export_images(tmp_path / "attached", (7, 9), None, name)
    assert missing(path)[task] == ()
    path = saved_models.export_images(tmp_path / "unknown", None, None, name)
    assert missing(path)[task] == (
        "its input 'images' is float32 [?, ?, ?, 3], not float32 [batch, height, width, 3]",
    )


def test_other_images(tmp_path):
    grey = {"images": (tf.float32, [None, 9, 7, 1])}
    classes = {"default": (tf.float32, [None, None])}
    assert of_module(tmp_path / "1", grey, classes, "image_classification")[CLASSES] == (
        "its input 'images' is float32 [?, 9, 7, 1], not float32 [batch, height, width, 3]",
        "its output 'default' is float32 [?, ?], not float32 [batch, a known number of classes]",
    )
    named = {"image": IMAGES["images"]}
    assert of_module(tmp_path / "2", named, VECTORS, "image_feature_vector")[FEATURES] == (
        "it has no input 'images'",
    )


def test_names_from_outside_are_quoted(tmp_path):
    def module_fn():
        x = tf1.placeholder(tf.int32, [None])
        hub.add_signature(inputs={"a\x1b[2J": x}, outputs=x)

    lacks = missing(export(module_fn, tmp_path / "module"))[TEXT]
    assert lacks[0] == "its input 'a\\x1b[2J' is int32 [?], not string [batch]"


def of_function(folder, function, *specs):
    """What a TF2 SavedModel lacks that is called with these."""

    def save():
        made = tf.Module()
        made.__call__ = tf.function(function, input_signature=specs)
        tf.saved_model.save(made, str(folder))

    modules.in_thread(save)
    return missing(folder)


def test_a_tf2_saved_model_of_text(tmp_path):
    assert missing(saved_models.save_words(tmp_path)) == {
        TEXT: (),
        TOKENS: (
            "it has no inputs 'input_word_ids', 'input_mask', 'input_type_ids'",
            "it has no outputs 'pooled_output', 'sequence_output'",
        ),
        FEATURES: ("its input 'inputs' is string [?], not float32 [batch, height, width, 3]",),
        CLASSES: ("its input 'inputs' is string [?], not float32 [batch, height, width, 3]",),
    }


def test_a_tf2_saved_model_of_token_ids(tmp_path):
    ids = tf.TensorSpec([None, None], tf.int32)

    def call(inputs):
        mask = tf.cast(inputs["input_mask"], tf.float32)
        sequence = tf.tile(mask[:, :, None], [1, 1, 6])
        pooled = tf.reduce_sum(sequence, 1)
        return {"default": pooled, "pooled_output": pooled, "sequence_output": sequence}

    spec = {name: ids for name in ("input_word_ids", "input_mask", "input_type_ids")}
    found = of_function(tmp_path, call, spec)
    assert found[TOKENS] == ()
    assert found[TEXT] == ("'__call__' takes 3 inputs, not 1",)


def test_a_tf2_saved_model_of_images_has_both_interfaces(tmp_path):
    spec = tf.TensorSpec([None, None, None, 3], tf.float32)
    found = of_function(tmp_path, lambda images: tf.reduce_mean(images, [1, 2]), spec)
    assert (found[FEATURES], found[CLASSES]) == ((), ())


def test_a_saved_model_without_call(tmp_path):
    modules.in_thread(lambda: tf.saved_model.save(tf.Module(), str(tmp_path)))
    assert set(missing(tmp_path).values()) == {("it has no function '__call__'",)}
