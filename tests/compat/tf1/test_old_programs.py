"""Programs of 2018, unchanged, by `python -m hub_estimator.run`."""

from __future__ import annotations

import re
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from tests.compat.programs import ROOT, environment
from tests.compat.tf1 import old_programs

tf1 = tf.compat.v1

WORDS = ["good", "bad", "film", "very", "so"]


def run_program(text, folder, *words, **changes):
    """Runs a program's file; returns what it wrote, as one text."""
    (folder / "program.py").write_text(text)
    result = subprocess.run(
        [sys.executable, "-m", "hub_estimator.run", "program.py", *words], cwd=folder, text=True,
        env=environment(**changes), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300,
        check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout
    return result.stdout


def export(module_fn, path):
    with tf.Graph().as_default(), tf1.Session() as session:
        module = hub.Module(hub.create_module_spec(module_fn))
        session.run([tf1.global_variables_initializer(), tf1.tables_initializer()])
        module.export(str(path), session)
    return str(path)


@pytest.fixture(scope="module")
def text_module(tmp_path_factory):
    def module_fn():
        texts = tf1.placeholder(tf.string, [None])
        table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(
                WORDS, tf.range(len(WORDS), dtype=tf.int64), tf.string, tf.int64
            ),
            len(WORDS),
        )
        words = tf.strings.split(texts)
        values = np.eye(len(WORDS) + 1, 6, dtype=np.float32)
        vectors = tf1.get_variable("vectors", initializer=values)
        rows = tf.ragged.map_flat_values(
            lambda words: tf.gather(vectors, table.lookup(words)), words
        )
        hub.add_signature(inputs=texts, outputs=tf.ensure_shape(tf.reduce_mean(rows, 1), [None, 6]))

    return export(module_fn, tmp_path_factory.mktemp("text") / "m")


@pytest.fixture(scope="module")
def image_module(tmp_path_factory):
    def module_fn():
        images = tf1.placeholder(tf.float32, [None, 8, 6, 3])
        weights = tf1.get_variable("weights", initializer=np.eye(3, 4, dtype=np.float32))
        hub.add_signature(
            inputs={"images": images}, outputs=tf.reduce_mean(images, [1, 2]) @ weights
        )

    return export(module_fn, tmp_path_factory.mktemp("image") / "m")


USES = """
import numpy as np
hub.Module, tf.placeholder, tf.layers.dense, tf.app.run, tf.estimator.inputs.numpy_input_fn
tf.logging.set_verbosity(tf.logging.ERROR)
column = tf.feature_column.numeric_column("x")
model = tf.estimator.DNNClassifier([4], [column], model_dir="model")
x, y = {"x": np.float32([-1, 1])}, np.array([0, 1])
model.train(tf.estimator.inputs.numpy_input_fn(x, y, shuffle=True, num_epochs=None), steps=3)
print("step", model.evaluate(tf.estimator.inputs.numpy_input_fn(x, y, shuffle=False))["global_step"])
"""


def test_the_lines_that_a_program_is_changed_to(tmp_path):
    [changed] = re.findall("```diff\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert changed in (ROOT / "docs" / "compat.md").read_text()
    lines = [line[1:] for line in changed.splitlines() if line.startswith("+")]
    (tmp_path / "program.py").write_text("\n".join(lines) + USES)
    result = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, env=environment(), text=True,
        capture_output=True, timeout=300, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert result.stdout == "step 3\n"


def test_a_premade_estimator_fed_by_pandas(text_module, tmp_path):
    output = run_program(old_programs.PREMADE, tmp_path, text_module)
    assert "Training set accuracy: 1.0" in output
    assert "of 4 right 4" in output
    assert "deprecated" not in output.lower()


def test_a_model_fn_that_is_trained_exported_and_served(text_module, tmp_path):
    output = run_program(
        old_programs.MODEL_FN, tmp_path, f"--module={text_module}", f"--model_dir={tmp_path}/out"
    )
    assert "accuracy 1.0\nmodules 2 tensor True\n" in output
    lines = [line for line in output.splitlines() if "Loss for final step" in line]
    assert len(lines) == 1 and lines[0].startswith("INFO:tensorflow:")  # not by absl's handler too
    # What the program itself calls that is deprecated is reported, in its own lines.
    assert all("program.py:" in line for line in output.splitlines() if "is deprecated" in line)
    [tuned] = sorted((tmp_path / "out" / "export" / "tf_hub").glob("*/tuned"))[-1:]
    assert hub.load_module_spec(str(tuned)).get_input_info_dict()["default"].dtype == tf.string
    [saved] = (tmp_path / "out" / "saved").iterdir()
    served = tf.saved_model.load(str(saved)).signatures["serving_default"]
    assert served.structured_outputs.keys() == {"classes", "probabilities"}


def test_bottlenecks_of_images_in_a_session(image_module, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 100, [2, 4, 10, 9, 3]).astype(np.uint8)
    for label, images in enumerate(pixels):
        folder = tmp_path / "images" / f"class{label}"
        folder.mkdir(parents=True)
        for number, image in enumerate(images):
            image[..., label] = 255
            data = tf.io.encode_png(image)
            with tf1.Session() as session:
                (folder / f"{number}.png").write_bytes(session.run(data))
    output = run_program(
        old_programs.RETRAIN, tmp_path, f"--image_dir={tmp_path}/images",
        f"--tfhub_module={image_module}", f"--summaries_dir={tmp_path}/logs",
        f"--saved_model_dir={tmp_path}/saved",
    )  # fmt: skip
    assert "INFO:tensorflow:Final test accuracy = 100.0% (N=8)\n" in output
    assert (tmp_path / "saved" / "saved_model.pb").is_file()
    assert (tmp_path / "logs" / "checkpoint").is_file()
