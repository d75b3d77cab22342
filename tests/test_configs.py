"""Every packaged configuration: trained, evaluated and exported, on small modules and files."""

from __future__ import annotations

import csv
import pathlib
import re

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import train

tf1 = tf.compat.v1
CONFIGS = pathlib.Path(__file__).parent.parent / "configs"

# What others include.
PARTS = {"base", "model", "table"}
# What is given after another one.
ADDITIONS = {"fine_tuning", "serving"}
# What tests/sweep/ runs: it is for another command.
SWEEPS = {"sweep"}
# For each of the others: its module, its data, how the module is exported, and further settings.
RUNS = {
    "canned_dnn": ("text", "texts.csv", "text", {}),
    "image_classification": ("image", "images", "image", {"NUM_CLASSES": 3}),
    "multi_class": ("text", "texts.csv", "text", {"TEXT": "text", "LABEL": "verdict"}),
    "multi_label": ("text", "texts.csv", "text", {}),
    "regression": ("numbers", "numbers.csv", "numbers", {"COLUMNS": ["a", "b"], "LABEL": "a"}),
    "smoke": ("text", "texts.csv", "text", {}),
    "text_and_numbers": ("text", "texts.csv", "text", {"COLUMNS": ["a", "b"]}),
    "text_classification": ("text", "texts.csv", "text", {}),
    "text_pairs": ("text", "texts.csv", "text", {}),
}
# Those that additions are tried on: smoke.gin is text_classification.gin with fewer steps.
ADDED_TO = sorted(set(RUNS) - {"smoke"})
STEPS = 4


def text_fn():
    """Texts `[B]` to their hash's row of a table, `[B, 4]`."""
    text = tf1.placeholder(tf.string, [None])
    table = tf1.get_variable("weights", [8, 4])
    rows = tf.nn.embedding_lookup(table, tf.strings.to_hash_bucket_fast(text, 8))
    hub.add_signature(inputs={"text": text}, outputs=rows)


def numbers_fn():
    """Numbers `[B, 2]` times a weight each."""
    numbers = tf1.placeholder(tf.float32, [None, 2])
    hub.add_signature(inputs=numbers, outputs=numbers * tf1.get_variable("weights", [2]))


def image_fn(is_training=False):
    """Images `[B, 4, 4, 1]` to `[B, 4]`; the train variant has an update operation."""
    images = tf1.placeholder(tf.float32, [None, 4, 4, 1])
    table = tf1.get_variable("weights", [16, 4])
    steps = tf1.get_variable("steps", [], trainable=False, initializer=tf1.zeros_initializer())
    if is_training:
        tf1.add_to_collection(tf1.GraphKeys.UPDATE_OPS, tf1.assign_add(steps, 1.0).op)
    hub.add_signature(inputs=images, outputs=tf.reshape(images, [-1, 16]) @ table)


def publish(folder, name, module_fn, *more_variants):
    with tf.Graph().as_default(), tf1.Session() as session:
        module = hub.Module(hub.create_module_spec(module_fn, [(set(), {}), *more_variants]))
        session.run(tf1.global_variables_initializer())
        module.export(folder / name, session)


def write_images(folder):
    with tf.Graph().as_default(), tf1.Session() as session:
        for number in range(9):
            image = np.full([4, 4, 1], 100 * (number % 3), np.uint8)
            path = folder / str(number % 3) / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(session.run(tf.io.encode_png(image)))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder of modules and data: every column that a configuration reads, two classes."""
    folder = tmp_path_factory.mktemp("files")
    publish(folder, "text", text_fn)
    publish(folder, "numbers", numbers_fn)
    publish(folder, "image", image_fn, ({"train"}, {"is_training": True}))
    write_images(folder / "images")
    texts = {
        "text": ["good", "bad"],
        "first": ["one", "two"],
        "second": ["one", "three"],
        "classes": ["positive|imdb", "negative|rotten_tomatoes"],
        "a": [1, 0],
        "b": [0.5, -2],
        "label": [1, 0],
        "verdict": ["for", "against", "neither"],
    }
    for name, columns in (("texts.csv", list(texts)), ("numbers.csv", ["a", "b"])):
        with open(folder / name, "w", newline="") as file:
            rows = [
                [texts[column][number % len(texts[column])] for column in columns]
                for number in range(16)
            ]
            csv.writer(file).writerows([columns, *rows])
    return folder


@pytest.fixture
def run(files, tmp_path, capsys):
    """Trains a configuration for some steps; returns the new values of the module's weights."""

    def trained(name, *additions, **settings):
        module, data, exported, more = RUNS[name]
        settings = {
            "MODULE": str(files / module),
            "TRAIN_DATA": str(files / data),
            "EVAL_DATA": str(files / data),
            "MAX_STEPS": STEPS,
            "Experiment.eval_every_steps": STEPS,
            **({"NUMBERS_MODULE": str(files / "numbers")} if name == "text_and_numbers" else {}),
            **more,
            **settings,
        }
        arguments = [f"--gin_file={file}.gin" for file in (name, *additions)]
        arguments += [f"--gin_bindings={setting}={value!r}" for setting, value in settings.items()]
        status = train.run(["train", *arguments, f"--model_dir={tmp_path / 'model'}"])
        captured = capsys.readouterr()
        assert status == 0, captured.err
        assert f"Evaluation at step {STEPS}:" in captured.out
        for exporter in ("module", "best_module"):
            (path,) = (tmp_path / "model" / "export" / exporter).glob(f"*/{exported}")
        return weights(path)

    return trained


def weights(module):
    return tf.train.load_variable(f"{module}/variables/variables", "weights")


def test_all_are_trained_here():
    found = {path.stem for path in CONFIGS.glob("*.gin")}
    assert found == PARTS | ADDITIONS | SWEEPS | set(RUNS)


@pytest.mark.parametrize("name", sorted(RUNS))
def test_frozen_it_exports_the_module_as_it_was(name, run, files):
    np.testing.assert_array_equal(run(name, FINE_TUNE=False), weights(files / RUNS[name][0]))


@pytest.mark.parametrize("name", ADDED_TO)
def test_fine_tuned_it_exports_the_new_module_and_the_model_for_serving(name, run, files, tmp_path):
    new = run(name, "serving", FINE_TUNE=True, **{"Experiment.report": None})
    assert not np.array_equal(new, weights(files / RUNS[name][0]))
    assert (tmp_path / "model" / "export" / "servable" / "best" / "saved_model.pb").exists()


@pytest.mark.parametrize("name", sorted(set(ADDED_TO) - {"canned_dnn"}))
def test_fine_tuning_moves_the_module_from_a_step_on(name, run, files):
    before = weights(files / RUNS[name][0])
    later = {"Encoder.train_from_step": STEPS, "Experiment.report": None}
    np.testing.assert_allclose(run(name, "fine_tuning", **later), before, rtol=1e-6)


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.gin")), ids=lambda path: path.stem)
def test_every_number_has_its_unit_or_its_source_beside_it(path):
    numbers = re.findall(r"^[\w./]+ = \[?-?[0-9.].*$", path.read_text(), re.MULTILINE)
    assert [line for line in numbers if not re.search(r" # .", line)] == []
