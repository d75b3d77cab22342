"""The whole model for serving: loaded where nothing of the training is left."""

from __future__ import annotations

import functools
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
from concurrent import futures

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import config, errors, estimator
from hub_estimator.compat import head_class
from hub_estimator.training import configurables
from hub_estimator.training.example_spec import ExampleSpec
from hub_estimator.training.labels.numbers import Numbers
from hub_estimator.training.labels.one_class import OneClass
from hub_estimator.training.model.canned_model import CannedModel, estimator_class
from hub_estimator.training.objective import Objective
from hub_estimator.training.serving import ServingInput
from tests.training import runs
from tests.training.image_files import encoded
from tests.training.training_data import TWO_CLASSES

WORDS = ["bad", "good", "unknown"]
serving = ServingInput(TWO_CLASSES)

# Calls a signature in a process that has TensorFlow and nothing of this package.
CALLER = """
import json, sys
import tensorflow as tf
path, signature, inputs = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
call = tf.saved_model.load(path).signatures[signature]
outputs = call(**{name: tf.constant(value) for name, value in inputs.items()})
shown = {name: value.numpy().tolist() for name, value in outputs.items() if value.dtype != tf.string}
print(json.dumps(shown))
"""


def call_elsewhere(path, inputs, signature="serving_default"):
    """The outputs of a signature for texts, from a fresh process."""
    result = subprocess.run(
        [sys.executable, "-c", CALLER, path, signature, json.dumps(inputs)],
        check=False, capture_output=True, text=True, cwd="/",
        env={**os.environ, "PYTHONPATH": ""},
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])


@pytest.fixture
def vocabulary_module(tmp_path):
    """A module with its vocabulary in a file: words `[B]` to rows of a table `[B, 4]`."""
    (tmp_path / "words.txt").write_text("bad\ngood\n")

    def module_fn():
        text = tf.compat.v1.placeholder(tf.string, [None])
        lines = tf.lookup.TextFileIndex
        initializer = tf.lookup.TextFileInitializer(
            str(tmp_path / "words.txt"), tf.string, lines.WHOLE_LINE, tf.int64, lines.LINE_NUMBER
        )
        rows = tf.lookup.StaticHashTable(initializer, 2).lookup(text)
        table = tf.compat.v1.get_variable("embeddings", [3, 4])
        hub.add_signature(inputs=text, outputs=tf.nn.embedding_lookup(table, rows))

    path = str(tmp_path / "words")
    with tf.compat.v1.Session() as session:
        module = hub.Module(hub.create_module_spec(module_fn))
        session.run(tf.compat.v1.global_variables_initializer())
        module.export(path, session)
    (tmp_path / "words.txt").unlink()
    return path


def train(model, tmp_path, examples, steps=1):
    made = estimator.Estimator(model.model_fn, str(tmp_path / "model"), params={})
    made.train(examples.training_fn(TWO_CLASSES, 1, lambda: 0), max_steps=steps)
    return made


def predictions(made, texts=WORDS):
    def batches():
        return tf.data.Dataset.from_tensors({"text": texts})

    return np.array([each["probabilities"] for each in made.predict(batches)])


def test_it_serves_where_the_module_and_the_training_are_gone(
    make_model, vocabulary_module, examples, tmp_path
):
    # Without hidden units, of which those of two words could all be zero by chance.
    model = make_model({"handle": vocabulary_module}, layers=None)
    made = train(model, tmp_path, examples)
    expected = predictions(made)
    named = ServingInput(TWO_CLASSES.with_class_names(("no", "yes")))
    path = hub.LatestExporter("model", named).export(made, str(tmp_path / "export"))
    for each in (vocabulary_module, tmp_path / "model"):
        shutil.rmtree(each)
    moved = str(tmp_path / "moved")
    shutil.move(path, moved)
    outputs = call_elsewhere(moved, {"text": WORDS})
    np.testing.assert_allclose(outputs["probabilities"], expected, rtol=1e-5)
    assert len({tuple(each) for each in outputs["probabilities"]}) == 3  # the table is at work
    assert sorted(os.listdir(moved)) == [
        "assets", "assets.extra", "checkpoint.json", "global_step", "saved_model.pb", "variables",
    ]  # fmt: skip
    assert os.listdir(f"{moved}/assets") == ["words.txt"]
    names = pathlib.Path(moved, "assets.extra", "class_names.txt").read_text()
    assert names == "no\nyes\n"


def test_names_of_classes_are_one_a_line(make_model, examples, tmp_path):
    made = train(make_model(), tmp_path, examples)
    named = ServingInput(TWO_CLASSES.with_class_names(("no\nand\u2028no", "yes")))
    path = hub.LatestExporter("model", named).export(made, str(tmp_path / "export"))
    names = pathlib.Path(path, "assets.extra", "class_names.txt").read_text(encoding="utf-8")
    assert names == "no and no\nyes\n"


def called(path, signature="serving_default", **inputs):
    """The outputs of a signature, called as TensorFlow 2 programs do."""

    def call():
        outputs = tf.saved_model.load(path).signatures[signature](
            **{k: tf.constant(v) for k, v in inputs.items()}
        )
        return {name: value.numpy() for name, value in outputs.items()}

    with futures.ThreadPoolExecutor(1) as pool:  # its thread executes eagerly
        return pool.submit(call).result()


def test_tf_examples(make_model, examples, tmp_path):
    made = train(make_model(), tmp_path, examples)
    exporter = hub.LatestExporter("model", serving, receives="examples")
    path = exporter.export(made, str(tmp_path / "export"))
    serialized = [text_example(word) for word in WORDS]
    expected = predictions(made)
    outputs = called(path, "predict", examples=serialized)
    np.testing.assert_allclose(outputs["probabilities"], expected, rtol=1e-5)
    # TensorFlow Serving's classification API.
    scores = called(path, inputs=serialized)["scores"]
    np.testing.assert_allclose(scores, expected, rtol=1e-5)


def text_example(text):
    feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[text.encode()]))
    features = tf.train.Features(feature={"text": feature})
    return tf.train.Example(features=features).SerializeToString()


IMAGES = ExampleSpec({"image": tf.TensorSpec([None, 2, 3, 3], tf.float32)}, Numbers(1))


def image_model_fn(features, labels, mode):
    means = tf.reduce_mean(features["image"], axis=[1, 2])
    weight = tf.compat.v1.get_variable("weight", [3])
    predictions = {"mean": means, "weighted": means * weight}
    loss = tf.reduce_sum(weight)
    step = tf.compat.v1.train.get_or_create_global_step()
    train_op = tf.compat.v1.train.GradientDescentOptimizer(0.1).minimize(loss, step)
    return estimator.EstimatorSpec(mode, predictions=predictions, loss=loss, train_op=train_op)


def image_batches():
    return tf.data.Dataset.from_tensors(({"image": np.zeros([1, 2, 3, 3], np.float32)}, [0.0]))


def test_images_as_files(tmp_path):
    made = estimator.Estimator(image_model_fn, str(tmp_path / "model"))
    made.train(image_batches, max_steps=1)
    exporter = hub.LatestExporter("model", ServingInput(IMAGES), receives="files")
    path = exporter.export(made, str(tmp_path / "export"))
    colours = [np.full([4, 6, 3], colour, np.uint8) for colour in ([255, 0, 51], [0, 0, 255])]
    files = [encoded("PNG", colours[0]), encoded("BMP", colours[1])]
    means = called(path, image=files)["mean"]
    np.testing.assert_allclose(means, [[1.0, 0.0, 0.2], [0.0, 0.0, 1.0]], atol=1e-6)


def test_the_best_model(make_model, examples, tmp_path):
    made = train(make_model(), tmp_path, examples)
    first, expected = made.latest_checkpoint(), predictions(made)
    made.train(examples.training_fn(TWO_CLASSES, 1, lambda: 1), max_steps=3)
    exporter = hub.BestExporter("model", serving, Objective("loss"), stable_path=True)
    folder = str(tmp_path / "export")
    assert exporter.export(made, folder, first, {"loss": 0.5}, False)
    assert exporter.export(made, folder, made.latest_checkpoint(), {"loss": 0.6}, True) is None
    outputs = called(f"{folder}/best", text=WORDS)
    np.testing.assert_allclose(outputs["probabilities"], expected, rtol=1e-5)


def test_averaged_weights(make_model, examples, tmp_path):
    model = make_model({"trainable": True}, {"average_decay": 0.9})
    made = train(model, tmp_path, examples, steps=3)
    path = hub.LatestExporter("model", serving).export(made, str(tmp_path / "export"))
    outputs = called(path, text=WORDS)
    np.testing.assert_allclose(outputs["probabilities"], predictions(made), rtol=1e-5)


def test_several_heads(make_model, examples, tmp_path):
    heads = [head_class("BinaryClassHead")(name=name) for name in ("first", "second")]
    labels = {
        name: OneClass(2, names) for name, names in [("first", ("no", "yes")), ("second", None)]
    }
    model = make_model(head=head_class("MultiHead")(heads))
    made = estimator.Estimator(model.model_fn, str(tmp_path / "model"), params={})

    def batches():
        return tf.data.Dataset.from_tensors(({"text": ["a"]}, {"first": [[0]], "second": [[1]]}))

    made.train(batches, max_steps=1)
    named = ServingInput(ExampleSpec(TWO_CLASSES.features, labels))
    path = hub.LatestExporter("model", named).export(made, str(tmp_path / "export"))
    assert os.listdir(f"{path}/assets.extra") == ["class_names.first.txt"]
    outputs = called(path, text=WORDS)
    assert outputs["first/probabilities"].shape == outputs["second/probabilities"].shape == (3, 2)


def test_a_canned_model_of_a_run(text_module, tmp_path):
    column = hub.text_embedding_column("text", text_module)
    head = head_class("BinaryClassHead")(weight_column="weight")
    model = CannedModel(estimator_class("LinearEstimator"), head, [column])
    made = estimator.Estimator(model.model_fn, str(tmp_path / "model"), params={})

    def batches():
        features = {"text": ["a"], "weight": [[2.0]]}
        return tf.data.Dataset.from_tensors((features, [[1]]))

    made.train(batches, max_steps=1)
    exporter = hub.LatestExporter("model", ServingInput(model.example_spec()))
    path = exporter.export(made, str(tmp_path / "export"))
    np.testing.assert_allclose(
        called(path, text=WORDS)["probabilities"], predictions(made), rtol=1e-5
    )


def canned(tmp_path):
    column = tf.feature_column.numeric_column("x")
    made = estimator.LinearClassifier([column], str(tmp_path / "model"))
    made.train(lambda: tf.data.Dataset.from_tensors(({"x": [[1.0]]}, [[1]])), max_steps=1)
    return made, tf.feature_column.make_parse_example_spec([column])


def test_a_canned_estimator_with_a_serving_input_of_ones_own(tmp_path):
    made, parsing = canned(tmp_path)
    serving_input_fn = estimator.export.build_parsing_serving_input_receiver_fn(parsing)
    path = hub.LatestExporter("model", serving_input_fn).export(made, str(tmp_path / "export"))
    with tf.compat.v1.Session() as session:
        meta_graph = tf.compat.v1.saved_model.load(session, ["serve"], path)
    signatures = sorted(meta_graph.signature_def)
    assert signatures == ["classification", "predict", "regression", "serving_default"]


def test_tpu_estimator(make_model, examples, tmp_path):
    made = estimator.tpu.TPUEstimator(
        make_model().model_fn,
        str(tmp_path / "model"),
        estimator.tpu.RunConfig(),
        params={},
        use_tpu=False,
        train_batch_size=8,
    )
    input_fn = examples.training_fn(TWO_CLASSES, 1, lambda: 0)
    made.train(lambda params: input_fn(), max_steps=1)
    path = hub.LatestExporter("m", serving).export(made, str(tmp_path / "export"))
    outputs = called(path, text=WORDS)
    assert np.shape(outputs["probabilities"]) == (3, 2)


def test_a_failed_export_leaves_nothing(make_model, examples, tmp_path, small_files):
    made = train(make_model(), tmp_path, examples)
    folder = tmp_path / "export"
    with pytest.raises(errors.ExportError) as caught, small_files(1000):
        hub.LatestExporter("m", serving).export(made, str(folder))
    assert re.match(
        rf"The export '{re.escape(str(folder))}/\d{{10}}' cannot be written: .*[Ff]ile too large",
        str(caught.value),
    )
    assert os.listdir(folder) == []


def test_in_the_loop(make_model, examples, tmp_path):
    runs.train(
        tmp_path, make_model(), examples, examples, max_steps=4, eval_every_steps=2,
        exporters=[
            functools.partial(hub.LatestExporter, "served", every="end"),
            functools.partial(hub.BestModuleExporter, "best", objective=Objective("loss")),
        ],
    )  # fmt: skip
    (served,) = (tmp_path / "export" / "served").iterdir()
    assert (served / "global_step").read_text() == "4\n"
    metrics = json.loads((served / "metrics.json").read_text())
    assert metrics["global_step"] == 4 and 0 <= metrics["accuracy"] <= 1
    assert (tmp_path / "export" / "best" / "best.json").is_file()


def test_a_metric_that_is_not_there_is_found_before_training(make_model, examples, tmp_path):
    exporter = functools.partial(hub.BestExporter, "best", objective=Objective("acuracy", True))
    with pytest.raises(errors.MetricNotFoundError) as caught:
        runs.train(tmp_path / "model", make_model(), examples, examples, 4, 2, exporters=[exporter])
    assert str(caught.value) == (
        "BestExporter looks for the metric 'acuracy', which evaluations do not give. They give: "
        "accuracy, accuracy_baseline, auc, auc_precision_recall, average_loss, label/mean, loss, "
        "precision, prediction/mean, recall."
    )
    assert not (tmp_path / "model").exists()


def test_settings_that_a_configuration_must_give():
    configurables.register()
    with (
        config.gin_session([], ["BestModuleExporter.every = 'end'"]) as session,
        pytest.raises(errors.MissingSettingError) as caught,
    ):
        session.call("BestModuleExporter", serving_input_fn=serving)
    assert str(caught.value) == (
        "The configuration needs BestModuleExporter.name. Give it in a gin file or by --gin_bindings."
    )


def test_a_form_that_is_none():
    with pytest.raises(errors.ModelError) as caught:
        hub.LatestExporter("m", serving, receives="jpeg")
    assert str(caught.value) == (
        "LatestExporter.receives is 'jpeg'; it must be one of 'features', 'files', 'examples'."
    )


def test_a_form_for_a_serving_input_of_ones_own():
    with pytest.raises(errors.ModelError) as caught:
        hub.BestExporter("m", lambda: None, Objective("loss"), receives="examples")
    assert str(caught.value) == (
        "BestExporter.receives is 'examples', but its serving_input_fn is a function of your own, "
        "which says itself what a request gives. Leave receives out."
    )
