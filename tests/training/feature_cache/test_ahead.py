"""Of data that is read anew in each epoch modules are computed ahead of the steps; nothing else changes."""

from __future__ import annotations

import functools
import inspect
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator.compat import head_class
from hub_estimator.training.feature_cache import FeatureCache, Sources
from hub_estimator.training.inputs.arrays import Arrays
from hub_estimator.training.inputs.records import Records
from hub_estimator.training.model.encoders import Encoder
from hub_estimator.training.model.model_fn import Model
from hub_estimator.training.optimization.optimization import Optimization
from tests.training import runs
from tests.training.conftest import export
from tests.training.feature_cache import divided_modules
from tests.training.feature_cache.test_invisible import Operations
from tests.training.feature_cache.test_trained_encoders import IDS, LABELS, TEXTS, values
from tests.training.record_data import example

ROOT = str(pathlib.Path(__file__).parent.parent.parent.parent)
STEPS = 60
TRAINED = "What encoder 'module' is trained from is computed ahead of each step."
WHOLE = "Encoder 'module' runs as a whole in each step"
FROZEN = "Outputs of encoder 'module' are computed ahead of each step."


class Stream:
    """An input that is not known to be in memory."""

    num_examples = class_names = None
    always_kept = ()

    def __init__(self, given):
        self._given = given
        self.feature_names, self.check = given.feature_names, given.check
        self.training_fn, self.evaluation_fn = given.training_fn, given.evaluation_fn


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    path = tmp_path_factory.mktemp("records") / "texts.tfrecord"
    with tf.io.TFRecordWriter(str(path)) as writer:
        for text, label in zip(TEXTS, LABELS, strict=True):
            writer.write(example(text=[text.encode()], label=[label]))
    return Records(str(path), "label", batch_size=8, shuffle_buffer=16)


@pytest.fixture(autouse=True)
def cores(monkeypatch):
    monkeypatch.delenv("TF_NUM_INTEROP_THREADS", raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1})


@pytest.fixture
def logged(caplog):
    caplog.set_level("INFO", "hub_estimator")
    return lambda: [each for each in caplog.messages if "ncoder '" in each]


def model_of(*encoders, **head):
    return Model(
        encoders=encoders,
        head=head_class("RegressionHead")(**head),
        optimization=Optimization(tf.compat.v1.train.AdagradOptimizer, 0.1),
    )


def ids():
    return Stream(Arrays({"ids": IDS}, LABELS, batch_size=8))


@pytest.mark.parametrize(
    ("feature", "trainable", "works", "says"),
    [
        ("text", True, "StringSplit", TRAINED),
        ("text", False, "StringSplit", FROZEN),
        ("ids", "layer_3", "/Einsum", TRAINED),
    ],
)
def test_a_run(modules, records, logged, tmp_path, feature, trainable, works, says):
    encoder = Encoder(
        modules[feature], feature, trainable=trainable, tags=[], export_name="tuned", dropout=0.3
    )
    examples = records if feature == "text" else ids()
    found, counts = [], []
    exporters = [functools.partial(hub.LatestModuleExporter, "modules")]
    for name, cache in [("plain", False), ("ahead", FeatureCache(tmp_path / "features"))]:
        result = runs.train(
            tmp_path / name, model_of(encoder), examples, examples, STEPS, STEPS // 2,
            feature_cache=cache, hooks=[Operations], exporters=exporters,
        )  # fmt: skip
        counts.append(len([each for each in Operations.found if works in each]))
        (module,) = result.modules
        exported = values(os.path.join(module, "variables", "variables"))
        found.append((values(result.checkpoint), result.metrics, exported))
    assert logged() == [says]  # evaluation has the same
    assert not (tmp_path / "features").exists()
    assert 0 <= counts[1] < counts[0] and (counts[1] == 0) == (feature == "text")
    for plain, ahead in zip(*found, strict=True):
        assert set(plain) == set(ahead)
        for name, value in plain.items():
            assert np.allclose(value, ahead[name], rtol=1e-5, atol=1e-6), name


@pytest.fixture
def source(modules, tmp_path):
    """Returns the source of a training; keyword arguments are those of the encoder."""

    def make(given=None, steps=STEPS, cache=True, head=None, **changes):
        encoder = Encoder(**{"handle": modules["text"], "trainable": True, **changes})
        model = model_of(encoder, **(head or {}))
        store = FeatureCache(tmp_path / "features") if cache else None
        sources = Sources(store, model, model.example_spec(), None)
        return sources.training(given or Stream(texts()), steps)

    return make


def texts(**further):
    return Arrays({"text": TEXTS, **further}, LABELS, batch_size=8)


def batch(source):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        dataset = source.training_fn(3, lambda: 0)()
        return session.run(tf.compat.v1.data.make_one_shot_iterator(dataset).get_next())


def test_batches_have_what_nobody_else_takes_in_another_form(source):
    features, labels = batch(source())
    assert features and all(name.startswith("encoder_0/inside/") for name in features)
    assert len(labels) == 8
    weighted = source(Stream(texts(weight=[1.0] * 40)), head={"weight_column": "weight"})
    assert "weight" in batch(weighted)[0] and "text" not in batch(weighted)[0]


@pytest.mark.parametrize(
    "changes",
    [{"steps": 49}, {"cache": False}, {"given": texts()}, {"steps": 49, "trainable": False}],
)
def test_where_nothing_is_computed_ahead(source, changes):
    assert source(**changes).ahead is None


def test_the_only_core_has_the_steps(source, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0})
    assert source().ahead is None


def test_a_trial_that_has_a_share_of_the_cores(source, monkeypatch):
    monkeypatch.setenv("TF_NUM_INTEROP_THREADS", "1")
    assert source().ahead is None


def test_values_that_chance_chooses_are_those_of_the_model(source):
    """A module that is not on disk has other ones in each graph; ids of words depend on none."""
    handle = hub.create_module_spec(divided_modules.words_fn)
    assert source(handle=handle, trainable=False).ahead is None
    assert source(handle=handle).ahead is not None


def test_an_input_to_train_on_alone(source):
    class TrainingOnly(Stream):
        def __init__(self, given):
            super().__init__(given)
            del self.evaluation_fn

    assert source(TrainingOnly(texts())).ahead is not None


def test_a_gpu_has_the_modules(source, monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind])
    assert source().ahead is None


def test_no_examples(source):
    class Empty(Stream):
        def __init__(self, given):
            super().__init__(given)
            self.training_fn = lambda spec, *_: lambda: given.evaluation_fn(spec)().take(0)

    assert source(Empty(texts())).ahead is None


def chance_fn():
    text = tf.compat.v1.placeholder(tf.string, [None], name="text")
    hub.add_signature(inputs={"text": text}, outputs=tf.random.uniform([tf.size(text), 3]))


def picky_fn():
    text = tf.compat.v1.placeholder(tf.string, [None], name="text")
    numbers = tf.strings.to_number(tf.strings.regex_replace(text, "[a-z ]", ""))
    table = divided_modules.variable("table", [1, 3], 1)
    hub.add_signature(inputs={"text": text}, outputs=tf.matmul(numbers[:, tf.newaxis], table))


@pytest.mark.parametrize(
    ("module_fn", "trainable", "says"),
    [
        (chance_fn, False, "Encoder 'module' runs in each step: it gives other outputs each time."),
        (
            picky_fn,
            True,
            f"{WHOLE}: its first examples cannot be run by themselves.",
        ),
        (
            None,
            "vectors",
            f"{WHOLE}: Encoder.train_from_step changes what is trained.",
        ),
    ],
)
def test_where_modules_run_as_ever(source, modules, logged, tmp_path, module_fn, trainable, says):
    changes = {"train_from_step": 5}
    if module_fn is not None:
        handle = export(hub.create_module_spec(module_fn), tmp_path / "module")
        changes = {"handle": handle}
    assert source(trainable=trainable, **changes).ahead is None
    assert logged() == [says]


def test_an_example_that_a_module_refuses(source, tmp_path):
    """Its step says what it would have said without this."""
    handle = export(hub.create_module_spec(picky_fn), tmp_path / "module")
    numbers = [*map(str, range(39)), "a"]
    given = Arrays({"text": numbers}, LABELS, batch_size=40)
    made = source(Stream(given), handle=handle)
    assert made.ahead is not None
    with pytest.raises(tf.errors.InvalidArgumentError, match="correctly convert string"):
        batch(made)


def greedy_fn():
    text = tf.compat.v1.placeholder(tf.string, [None], name="text")
    lengths = tf.strings.length(tf.strings.regex_replace(text, " ", ""))
    size = tf.where(tf.reduce_any(lengths > 5), tf.constant(1 << 50, tf.int64), 1)
    large = tf.fill([size], 0.0)
    rows = tf.cast(lengths[:, tf.newaxis], tf.float32) + large[:1]
    table = divided_modules.variable("table", [1, 3], 1)
    hub.add_signature(inputs={"text": text}, outputs=tf.matmul(rows, table))


def test_an_example_that_takes_too_much_memory(source, tmp_path):
    handle = export(hub.create_module_spec(greedy_fn), tmp_path / "module")
    made = source(Stream(Arrays({"text": ["a"] * 39 + ["larger"]}, LABELS, 40)), handle=handle)
    assert made.ahead is not None
    with pytest.raises(tf.errors.ResourceExhaustedError):
        batch(made)


def test_an_input_fn_is_given_what_it_takes(source):
    def input_fn(path=None, input_context=None, config=None):
        raise AssertionError

    ahead = source().ahead
    for given in (input_fn, functools.partial(input_fn, path="x")):
        added = ahead.added_to(given, ())
        assert inspect.getfullargspec(added).args == ["config", "input_context"]


def test_several_encoders_and_heads(modules, tmp_path, logged):
    features = {"text": TEXTS, "ids": IDS, "others": TEXTS[::-1], "weight": [1.0, 2.0] * 20}
    given = Stream(Arrays(features, {"a": LABELS, "b": LABELS[::-1]}, batch_size=8))
    encoders = [
        Encoder(modules["text"], trainable=True, name="words"),
        Encoder(modules["text"], ["text", "others"], name="two", dropout=0.2),
        Encoder(modules["ids"], "ids", output="layer_3", pool="mean", pool_mask="ids"),
    ]
    heads = [head_class("RegressionHead")(weight_column="weight", name=name) for name in "ab"]
    optimization = Optimization(tf.compat.v1.train.AdagradOptimizer, 0.1)
    model = Model(encoders, head_class("MultiHead")(heads), optimization)
    found = []
    for name, cache in [("plain", False), ("ahead", FeatureCache(tmp_path / "features"))]:
        result = runs.train(
            tmp_path / name, model, given, given, STEPS, STEPS // 2, feature_cache=cache
        )
        found.append((values(result.checkpoint), result.metrics))
    assert logged() == [
        "What encoder 'words' is trained from is computed ahead of each step.",
        "Outputs of encoder 'two' are computed ahead of each step.",
        FROZEN,
    ]
    for plain, ahead in zip(*found, strict=True):
        assert set(plain) == set(ahead)
        for name, value in plain.items():
            assert np.allclose(value, ahead[name], rtol=1e-5, atol=1e-6), name


def test_a_strategy(modules, records, tmp_path, logged):
    encoder = Encoder(modules["text"], trainable=True)
    found = []
    for name, cache in [("plain", False), ("ahead", FeatureCache(tmp_path / "features"))]:
        result = runs.train(
            tmp_path / name, model_of(encoder), records, records, STEPS, STEPS,
            feature_cache=cache, distribute=lambda: tf.distribute.MirroredStrategy(["/cpu:0"]),
        )  # fmt: skip
        found.append(values(result.checkpoint))
    assert logged() == [TRAINED]
    plain, ahead = found
    assert set(plain) == set(ahead)
    for name, value in plain.items():
        assert np.allclose(value, ahead[name], rtol=1e-5, atol=1e-6), name


def test_each_of_two_replicas_takes_a_whole_batch(modules, tmp_path):
    """So what has any number of rows for each example may be in it, stored or computed ahead."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.training.feature_cache.two_replicas", modules["text"], tmp_path],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said, differences = json.loads(done.stdout.splitlines()[-1])
    assert said == ["computed what encoder 'module' is trained from: 40 of 40", TRAINED]
    assert differences == pytest.approx([0, 0], abs=1e-6)
