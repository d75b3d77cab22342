"""What comes before all that is trained of a module is computed once, and nothing else changes."""

from __future__ import annotations

import dataclasses
import functools
import json
import os

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator.compat import head_class
from hub_estimator.training.feature_cache import FeatureCache, Sources
from hub_estimator.training.inputs.arrays import Arrays
from hub_estimator.training.model.encoders import Encoder
from hub_estimator.training.model.model_fn import Model
from hub_estimator.training.optimization.optimization import Optimization
from tests.training import runs
from tests.training.conftest import export
from tests.training.feature_cache import divided_modules
from tests.training.feature_cache.test_invisible import Operations

# One has no word, and is not among the first; 40 examples in five batches.
TEXTS = ["good and fine " * (n % 3) + ("what" if n % 7 else "bad unknown") for n in range(39)] + [
    ""
]
IDS = [[(n * place) % 8 + 1 for place in range(1, 2 + n % 6)] for n in range(40)]
LABELS = [float(n % 2) for n in range(40)]
COMPUTED = "computed what encoder 'module' is trained from: 40 of 40"


def given(feature):
    return Arrays({feature: TEXTS if feature == "text" else IDS}, LABELS, batch_size=8)


def model_of(*encoders):
    return Model(
        encoders=encoders,
        head=head_class("RegressionHead")(),
        optimization=Optimization(tf.compat.v1.train.AdagradOptimizer, 0.1),
    )


def values(checkpoint):
    reader = tf.train.load_checkpoint(checkpoint)
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


@pytest.mark.parametrize(
    ("feature", "trainable", "works"),
    [("text", True, "StringSplit"), ("ids", "layer_3", "/Einsum")],
)
def test_a_run(modules, computed, tmp_path, feature, trainable, works):
    encoder = Encoder(modules[feature], feature, trainable=trainable, tags=[], export_name="tuned")
    examples, found, counts = given(feature), [], []
    exporters = [functools.partial(hub.LatestModuleExporter, "modules")]
    for name, cache in [("plain", False), ("cached", FeatureCache(tmp_path / "features"))]:
        result = runs.train(
            tmp_path / name, model_of(encoder), examples, examples, 6, 6,
            feature_cache=cache, hooks=[Operations], exporters=exporters,
        )  # fmt: skip
        counts.append(len([each for each in Operations.found if works in each]))
        (module,) = result.modules
        exported = values(os.path.join(module, "variables", "variables"))
        found.append((values(result.checkpoint), result.metrics, exported))
    # Data and graph variant are the same in training and evaluation.
    assert computed() == [COMPUTED]
    assert 0 <= counts[1] < counts[0] and (counts[1] == 0) == (feature == "text")
    for plain, cached in zip(*found, strict=True):
        assert set(plain) == set(cached)
        for name, value in plain.items():
            assert np.array_equal(value, cached[name]), name


def encoder_of(modules, feature, **changes):
    return Encoder(
        **{"handle": modules.get(feature), "feature": feature, "trainable": True, **changes}
    )


@pytest.fixture
def source(modules, tmp_path):
    """Returns the source of a training of ten steps; keyword arguments are those of the encoder."""

    def make(feature="text", examples=None, checkpoint=None, **changes):
        model = model_of(encoder_of(modules, feature, **changes))
        cache = FeatureCache(tmp_path / "features")
        made = Sources(cache, model, model.example_spec(), checkpoint)
        return made.training(examples or given(feature), 10)

    return make


def inside(source):
    """The names of the tensors inside of the module that the batches have."""
    start = "encoder_0/inside/"
    return {name.removeprefix(start) for name in batch(source, 0) if name.startswith(start)}


def batch(source, number):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        dataset = source.input.training_fn(source.spec, 3, lambda: number)()
        return session.run(tf.compat.v1.data.make_one_shot_iterator(dataset).get_next()[0])


@pytest.mark.parametrize(
    ("feature", "changes"),
    [("text", {}), ("ids", {"trainable": "layer_[23]", "tags": {"train": []}})],
)
def test_batches_have_what_the_module_computes_of_them(modules, source, feature, changes):
    made, encoder = source(feature, **changes), encoder_of(modules, feature, **changes)
    assert not made.spec.features
    found, plain = (
        batch(made, 3),
        given(feature).training_fn(model_of(encoder).example_spec(), 3, lambda: 3),
    )
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        features = tf.compat.v1.data.make_one_shot_iterator(plain()).get_next()[0]
        built = encoder.build("train")
        tensors = {
            name.rpartition("inside/")[2]: tf.constant(value) for name, value in found.items()
        }
        outputs = [
            encoder.output_from(built, tensors),
            *encoder.outputs_of(built, features, "train"),
        ]
        session.run(
            [tf.compat.v1.global_variables_initializer(), tf.compat.v1.tables_initializer()]
        )
        assert np.allclose(*session.run(outputs), atol=1e-6)


def test_other_variables_have_another_border(source, computed):
    layers = {}
    for trained in ("layer_3", "layer_2", "layer_3"):
        made = source("ids", trainable=trained, tags=[])
        layers.setdefault(trained, inside(made))
    assert computed() == [COMPUTED] * 2 and layers["layer_2"] != layers["layer_3"]


CHANCE = (
    "chance (as in dropout) comes before what is trained; Encoder.tags can choose a graph variant "
    "without it, [] that for inference"
)


@pytest.mark.parametrize(
    ("feature", "changes", "why"),
    [
        ("text", {"train_from_step": 3}, "Encoder.train_from_step changes what is trained"),
        ("ids", {"trainable": "layer_3"}, CHANCE),
        ("ids", {"tags": []}, "nothing that costs much comes before what is trained"),
        (
            "ids",
            {"tags": [], "trainable": "layer_3", "output": "layer_3", "pool": "mean", "pool_mask": "ids"},
            "Encoder.pool_mask is a feature that each step takes",
        ),
        (
            "ids",
            {"tags": [], "trainable": "layer_3", "output": "layer_3", "pool": "mean"},
            "what comes before what is trained depends on the other examples of a batch",
        ),
    ],
)  # fmt: skip
def test_where_modules_run_as_a_whole(source, caplog, feature, changes, why):
    caplog.set_level("INFO", "hub_estimator")
    made = source(feature, **changes)
    assert set(made.spec.features) == {feature}
    assert caplog.messages[-1] == f"Encoder 'module' runs as a whole in each step: {why}."


def test_what_fills_examples_up_is_seen_too_late(source, caplog):
    """The first batch has texts of one length: what becomes of padding is found out after it."""
    caplog.set_level("INFO", "hub_estimator")
    rows = [[1, n % 8 + 1, 2] for n in range(20)] + IDS[:20]
    examples = Arrays({"ids": rows}, LABELS, batch_size=8)
    made = source("ids", examples, trainable="layer_3", tags=[])
    assert set(made.spec.features) == {"ids"}
    assert caplog.messages[-1] == (
        "Encoder 'module' runs as a whole in each step: what comes before what is trained depends on "
        "the other examples of a batch."
    )
    assert not made.input._further


def blind_fn():
    ids = tf.compat.v1.placeholder(tf.int64, [None, None], name="ids")
    values = tf.cast(tf.stack([ids, ids], 2), tf.float32)
    first = tf.tanh(tf.einsum("btd,de->bte", values, divided_modules.variable("first", [2, 2], 1)))
    last = tf.einsum("btd,de->bte", first, divided_modules.variable("last", [2, 3], 2))
    hub.add_signature(inputs={"ids": ids}, outputs=tf.reduce_mean(last, 1))


@pytest.mark.parametrize("rows_of", [np.array, lambda rows: [*rows, [5]]])
@pytest.mark.parametrize("name", ["layers", "blind"])
def test_examples_that_are_all_filled_up(modules, source, caplog, tmp_path, name, rows_of):
    """They have six places. In some batches no example needs them; in the first one some do."""
    caplog.set_level("INFO", "hub_estimator")
    rows = np.zeros([39, 6], np.int64)
    for number, row in enumerate(IDS[:39]):
        rows[number, : len(row)] = row
    rows[8:16, 3:] = 0
    module, trained = modules["ids"], "layer_3"
    if name == "blind":  # to what fills up
        module, trained = export(hub.create_module_spec(blind_fn), tmp_path / "blind"), "last"
    data = rows_of(rows)
    examples = Arrays({"ids": data}, LABELS[: len(data)], batch_size=8)
    made = source("ids", examples, handle=module, trainable=trained, tags=[])
    # Where all rows have one length, nothing is filled up.
    is_stored = name == "layers" or len(data) == 39
    assert (not made.spec.features) == is_stored
    assert is_stored == caplog.messages[-1].startswith("computed ")


def test_a_model_that_takes_no_tensors_of_modules(modules, tmp_path):
    class Older(Model):
        @property
        def capabilities(self):
            return dataclasses.replace(super().capabilities, inner_tensors=False)

    model = Older(**vars(model_of(encoder_of(modules, "text"))))
    sources = Sources(FeatureCache(tmp_path / "features"), model, model.example_spec(), None)
    assert set(sources.training(given("text"), 10).spec.features) == {"text"}


def test_too_large(modules, tmp_path, caplog):
    caplog.set_level("INFO", "hub_estimator")
    model = model_of(encoder_of(modules, "text"))
    small = FeatureCache(tmp_path / "features", max_gigabytes=1e-6)
    sources = Sources(small, model, model.example_spec(), None)
    assert set(sources.training(given("text"), 10).spec.features) == {"text"}
    assert caplog.messages[-1].startswith(
        "Encoder 'module' runs as a whole in each step: what it is trained from has "
    )
    assert caplog.messages[-1].endswith(" GB, and FeatureCache.max_gigabytes is 1e-06.")


def test_augmented_examples(modules, tmp_path, caplog):
    class Augmented(Arrays):
        is_augmented = True

    caplog.set_level("INFO", "hub_estimator")
    model, examples = model_of(encoder_of(modules, "text")), Augmented({"text": TEXTS}, LABELS, 8)
    sources = Sources(FeatureCache(tmp_path / "features"), model, model.example_spec(), None)
    assert sources.training(examples, 10).input is examples
    assert caplog.messages == [
        "Modules run as a whole in each step: training changes the examples."
    ]


def strict_fn():
    text = tf.compat.v1.placeholder(tf.string, [None], name="text")
    numbers = tf.strings.to_number(tf.strings.regex_replace(text, "[^0-9]", ""))
    with tf.control_dependencies([tf.debugging.assert_greater(tf.size(text), 1)]):
        rows = tf.stack([numbers, numbers], 1)
    table = divided_modules.variable("table", [2, 3], 1)
    hub.add_signature(inputs={"text": text}, outputs=tf.matmul(rows, table))


def test_a_module_that_refuses_examples_by_themselves(source, caplog, tmp_path):
    caplog.set_level("INFO", "hub_estimator")
    module = export(hub.create_module_spec(strict_fn), tmp_path / "strict")
    texts = Arrays({"text": [f"a{n}" for n in range(20)]}, LABELS[:20], batch_size=4)
    assert set(source("text", texts, handle=module).spec.features) == {"text"}
    assert caplog.messages[-1] == (
        "Encoder 'module' runs as a whole in each step: its first examples cannot be run by "
        "themselves."
    )


def test_where_a_module_is_used_twice(modules, tmp_path, caplog):
    caplog.set_level("INFO", "hub_estimator")
    model = model_of(Encoder(modules["text"], ["text", "text"], trainable=True))
    sources = Sources(FeatureCache(tmp_path / "features"), model, model.example_spec(), None)
    assert set(sources.training(given("text"), 10).spec.features) == {"text"}
    assert caplog.messages == [
        "Encoder 'module' runs as a whole in each step: it is used for several features."
    ]


def centered_fn(is_first=False):
    x = tf.compat.v1.placeholder(tf.float32, [None, 2], name="x")
    values = x - tf.reduce_mean(x, 0) if is_first else x
    values = tf.matmul(values, divided_modules.variable("first", [2, 2], 1), name="product")
    values = tf.matmul(values - tf.reduce_mean(values, 0), tf.constant([[1.0, 2.0], [3.0, 4.0]]))
    last = divided_modules.variable("last", [2, 3], 2)
    hub.add_signature(inputs={"x": x}, outputs=tf.matmul(values, last))


def numbers(count=20):
    rows = np.random.RandomState(1).normal(size=[count, 2]).astype(np.float32)
    return Arrays({"x": rows}, LABELS[:count], batch_size=min(4, count))


@pytest.mark.parametrize(
    ("count", "is_first", "why"),
    [
        (20, True, "what costs much before what is trained cannot be stored for each example"),
        (1, False, "there are too few examples to see what is of each"),
    ],
)
def test_statistics_of_a_batch(source, caplog, tmp_path, count, is_first, why):
    caplog.set_level("INFO", "hub_estimator")
    spec = hub.create_module_spec(lambda: centered_fn(is_first))
    module = export(spec, tmp_path / "centered")
    made = source("x", numbers(count), handle=module, trainable="last")
    assert set(made.spec.features) == {"x"}
    assert caplog.messages[-1] == f"Encoder 'module' runs as a whole in each step: {why}."


def test_statistics_of_a_batch_after_what_is_stored(source, tmp_path):
    module = export(hub.create_module_spec(centered_fn), tmp_path / "centered")
    assert inside(source("x", numbers(), handle=module, trainable="last")) == {"product:0"}


def test_values_that_training_changed(source, modules, caplog, tmp_path):
    """An earlier run in the folder trained other layers."""
    caplog.set_level("INFO", "hub_estimator")
    paths = {}
    for change in ("layer_3", "layer_1"):
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            made = hub.Module(modules["ids"], name="module")
            session.run(tf.compat.v1.global_variables_initializer())
            kernel = made.variable_map[f"{change}/kernel"]
            session.run(tf.compat.v1.assign_add(kernel, np.ones([4, 4])))
            paths[change] = tf.compat.v1.train.Saver().save(session, str(tmp_path / change))
    arguments = {"trainable": "layer_3", "tags": []}
    assert inside(source("ids", checkpoint=paths["layer_3"], **arguments))
    assert not source("ids", checkpoint=paths["layer_1"], **arguments).input._further
    assert caplog.messages[-1] == (
        "Encoder 'module' runs as a whole in each step: an earlier training changed what comes before "
        "what is trained."
    )


@pytest.mark.parametrize("damage", ["contents", "shard"])
def test_a_damaged_entry_is_computed_again(source, computed, tmp_path, damage):
    names = inside(source())
    (entry,) = FeatureCache(tmp_path / "features").store.entries()
    if damage == "shard":
        os.remove(f"{entry.folder}/00000.1.npy")
    else:
        with open(f"{entry.folder}/entry.json", "w") as file:
            json.dump({"rows": 40, "contents": {"stored": []}}, file)
    computed()
    assert inside(source()) == names and computed() == [COMPUTED]
