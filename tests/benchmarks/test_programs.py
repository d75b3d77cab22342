"""The programs of the benchmarks, on a tiny module."""

from __future__ import annotations

import shutil

import pytest
import tensorflow as tf

import hub_estimator as hub
from benchmarks.networks import transformer
from benchmarks.programs import (
    checkpoint,
    evaluations,
    export,
    first_step,
    instantiate,
    latest_export,
    predict,
    predict_file,
    train_images,
    train_last_layers,
    train_text,
)
from tests import modules, text_data
from tests.modules import tf1
from tests.training.feature_cache import divided_modules


@pytest.fixture
def path(tmp_path):
    return modules.export(hub, modules.define(hub, "dense", ""), str(tmp_path / "module"))


def test_instantiate(path):
    found = instantiate.measure(hub, path, set(), "default")
    assert set(found) == {"module", "call", "initialize", "second", "total", "operations"}
    assert found["operations"] > 0 and found["total"] > found["module"]


def test_exports(path, tmp_path):
    assert export.measure(hub, path, str(tmp_path))["export"] > 0
    assert latest_export.measure(hub, path, str(tmp_path))["export"] > 0


def test_checkpoints(path, tmp_path):
    found, without = (
        checkpoint.measure(hub, path, str(tmp_path), without_frozen)
        for without_frozen in (False, True)
    )
    assert found["megabytes"] > without["megabytes"] > 0
    assert found["save"] > 0 and without["save"] > 0


@pytest.fixture
def text_path(tmp_path):
    def module_fn():
        x = tf1.placeholder(tf.string, [None])
        table = tf1.get_variable("table", [8, 2])
        rows = tf.nn.embedding_lookup(table, tf.strings.to_hash_bucket_fast(x, 8))
        hub.add_signature(inputs={"text": x}, outputs=rows)

    return modules.export(hub, hub.create_module_spec(module_fn), str(tmp_path / "module"))


def test_predict(text_path):
    rows = predict.texts(50)
    assert len(set(rows)) == 50
    assert predict.measure(hub, text_path, rows, 32)["rows_per_second"] > 0


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_predict_file(text_path, form):
    found = predict_file.measure(hub, text_path, predict.texts(50), form)
    assert set(found) == {"seconds", "processors", "rows_per_second"} and min(found.values()) > 0


@pytest.mark.parametrize("fine_tune", [True, False])
def test_train_text(text_path, tmp_path, fine_tune):
    for name in ("train.csv", "test.csv"):
        (tmp_path / name).write_text("text,label\ngood,1\nbad,0\n")
    folder = str(tmp_path)
    found = train_text.measure("hub_estimator", text_path, folder, 102, fine_tune, folder)
    assert set(found) == ({"seconds", "steps_per_second"} if fine_tune else {"seconds"})
    assert min(found.values()) > 0


def test_train_images(tmp_path):
    def module_fn():
        images = tf1.placeholder(tf.float32, [None, 2, 2, 3])
        hub.add_signature(inputs={"images": images}, outputs=tf.reduce_mean(images, [1, 2]))

    path = modules.export(hub, hub.create_module_spec(module_fn), str(tmp_path / "module"))
    assert train_images.measure(hub, path, count=10)["seconds"] > 0


def test_evaluations(tmp_path):
    text_data.write_both(tmp_path)
    for name in ("train.csv", "test.csv"):
        shutil.copy(tmp_path / "data.csv", tmp_path / name)
    found = evaluations.measure(str(tmp_path / "module"), str(tmp_path), evaluations=2, steps=1)
    assert set(found) == {"evaluation"}


def test_first_step(tmp_path):
    text_data.write_both(tmp_path)
    for name in ("train.csv", "test.csv"):
        shutil.copy(tmp_path / "data.csv", tmp_path / name)
    found = first_step.measure(str(tmp_path / "module"), str(tmp_path), steps=2)
    assert set(found) == {"import", "first_step", "ratio"} and min(found.values()) > 0


def test_train_last_layers(tmp_path):
    spec = hub.create_module_spec(divided_modules.layers_fn, divided_modules.TRAIN)
    path = modules.export(hub, spec, str(tmp_path / "module"))
    found = train_last_layers.measure(path, "layer_3", texts=16, epochs=42)
    times = {"with", "without", "with_processors", "without_processors"}
    assert set(found) == {*times, "ratio", "steps"} and min(found.values()) > 0


def test_the_transformer(monkeypatch):
    for name, value in {"LAYERS": 1, "WIDTH": 4, "HEADS": 2, "INNER": 8, "WORDS": 10}.items():
        monkeypatch.setattr(transformer, name, value)
    variants = [(set(), {}), ({"train"}, {"is_training": True})]
    spec = hub.create_module_spec(transformer.module_fn(hub), variants)
    for tags in (set(), {"train"}):
        shapes = {
            name: spec.get_output_info_dict(name, tags=tags).popitem()[1].get_shape().as_list()
            for name in spec.get_signature_names(tags=tags)
        }
        assert shapes == {
            "default": [None, 4],
            "tokens": [None, 64, 4],
            "masked_words": [None, 64, 10],
        }
