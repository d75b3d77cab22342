"""Encoders at work: several features, intermediate outputs, groups of variables, settings."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import errors
from hub_estimator.training.model.encoders import Encoder

TRAIN, PREDICT = "train", "infer"


def run(tensors):
    with tf.compat.v1.Session() as session:
        session.run(tf.compat.v1.global_variables_initializer())
        return session.run(tensors)


def test_one_module_on_two_features(text_module):
    encoder = Encoder(text_module, feature=["first", "second"], trainable=True)
    features = {"first": tf.constant(["a", "b"]), "second": tf.constant(["b", "b"])}
    found = encoder(features, TRAIN)
    assert len(tf.compat.v1.global_variables()) == 1
    # One module has one regularization loss, however often it is used.
    assert len(tf.compat.v1.losses.get_regularization_losses()) == 1
    first, second = run(found.outputs)
    assert np.array_equal(first[1], second[0]) and not np.array_equal(first[0], second[0])
    assert encoder.feature_specs().keys() == {"first", "second"}


def test_the_group_of_a_trainable_encoder(text_module):
    encoder = Encoder(
        text_module, trainable=True, learning_rate_multiplier=0.1, train_from_step=7, name="m"
    )
    group = encoder({"text": tf.constant(["a"])}, TRAIN).group
    assert [each.op.name for each in group.variables] == ["m/embeddings"]
    assert (group.name, group.multiplier, group.start_step) == ("m", 0.1, 7)
    assert Encoder(text_module)({"text": tf.constant(["a"])}, TRAIN).group is None


def sequence_module_fn():
    ids = tf.compat.v1.placeholder(tf.int64, [None, None])
    table = tf.compat.v1.get_variable("table", [5, 2])
    hub.add_signature(
        "tokens", inputs={"ids": ids}, outputs={"tokens": tf.nn.embedding_lookup(table, ids)}
    )


@pytest.mark.parametrize(("pool", "reduce"), [("mean", np.mean), ("max", np.max)])
def test_an_output_of_tokens_is_pooled(pool, reduce):
    spec = hub.create_module_spec(sequence_module_fn)
    encoder = Encoder(spec, {"ids": "ids"}, "tokens", "tokens", pool)
    found = encoder({"ids": tf.constant([[1, 2, 4], [3, 3, 3]], tf.int64)}, PREDICT)
    pooled, table = run([found.outputs[0], tf.compat.v1.global_variables()[0]])
    assert pooled == pytest.approx(reduce(table[[[1, 2, 4], [3, 3, 3]]], axis=1))


def test_dropout_of_the_output_when_training_only(text_module):
    encoder = Encoder(text_module, dropout=0.5)
    texts = {"text": tf.constant(["a"] * 50)}
    (dropped,), (kept,) = run([encoder(texts, mode).outputs for mode in (TRAIN, PREDICT)])
    assert (dropped == 0).any() and not (kept == 0).any()


def test_tags_by_mode(text_module):
    encoder = Encoder(text_module, tags={TRAIN: "train"})
    assert encoder.tags_for(TRAIN) == {"train"} and encoder.tags_for(PREDICT) == frozenset()


@pytest.mark.parametrize(
    ("settings", "frozen"),
    [
        ({}, True),
        ({"dropout": 0.5}, True),
        ({"tags": "train"}, True),
        ({"tags": {TRAIN: "train"}}, False),
        ({"trainable": True}, False),
        ({"trainable": "emb"}, False),
    ],
)
def test_frozen_encoders(text_module, settings, frozen):
    assert Encoder(text_module, **settings).is_frozen == frozen


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"dropout": 1.0}, "Encoder.dropout is 1.0; it must be less than 1."),
        ({"pool": "sum"}, "Encoder.pool is 'sum'; it must be 'mean', 'max' or None."),
        ({"train_from_step": -1}, "Encoder.train_from_step is -1; it must be at least 0."),
        (
            {"learning_rate_multiplier": "x"},
            "Encoder.learning_rate_multiplier is 'x'; it must be a number.",
        ),
        (
            {"tags": {"b": "a"}},
            "Encoder.tags is {'b': 'a'}; the keys of a dict must be modes: 'train', 'eval', 'infer'.",
        ),
    ],
)
def test_wrong_settings(text_module, settings, message):
    with pytest.raises(errors.ModelError) as caught:
        Encoder(text_module, **settings).check(TRAIN, ["text"])
    assert str(caught.value) == message


def test_two_encoders_that_take_a_feature_as_different_types(make_model, text_module):
    spec = hub.create_module_spec(sequence_module_fn)
    model = make_model(
        encoders=[Encoder(text_module), Encoder(spec, "text", "tokens", "tokens", name="b")]
    )
    with pytest.raises(errors.ModelError) as caught:
        model.example_spec()
    assert str(caught.value) == (
        "Two parts of the model take the feature 'text', one as string (None,), one as int64 "
        "(None, None). Give them different features."
    )


def ids_encoder(**changes):
    spec = hub.create_module_spec(sequence_module_fn)
    settings = {"pool": "mean", "pool_mask": "ids", **changes}
    return Encoder(spec, {"ids": "ids"}, "tokens", "tokens", **settings)


@pytest.mark.parametrize("pool", ["mean", "max"])
def test_padding_does_not_count_with_a_mask(pool):
    encoder = ids_encoder(pool=pool)
    encoder.check(PREDICT, ["ids"])
    found = encoder({"ids": tf.constant([[1, 2, 0], [3, 3, 3], [0, 0, 0]], tf.int64)}, PREDICT)
    pooled, table = run([found.outputs[0], tf.compat.v1.global_variables()[0]])
    reduce = {"mean": np.mean, "max": np.max}[pool]
    assert pooled == pytest.approx(np.stack([reduce(table[1:3], axis=0), table[3], [0, 0]]))


def test_a_mask_of_its_own_is_a_feature_of_the_model():
    specs = ids_encoder(pool_mask="there").feature_specs()
    assert specs["there"] == tf.TensorSpec([None, None], tf.int64, "there")
    with pytest.raises(errors.FeatureNotFoundError) as caught:
        ids_encoder(pool_mask="there").check(PREDICT, ["ids"])
    assert str(caught.value) == (
        "Encoder 'module' takes the feature 'there', which the input does not give. It gives: ids."
    )


@pytest.mark.parametrize(
    ("mask", "shown"),
    [
        (np.ones([2], np.int64), "int64 (2,)"),
        (np.ones([1, 2], np.int64), "int64 (1, 2)"),
        (np.array([["a"]]), "string (1, 1)"),
    ],
)
def test_a_mask_that_does_not_fit(mask, shown):
    features = {"ids": tf.ones([1, 1], tf.int64), "there": tf.constant(mask)}
    with pytest.raises(errors.ModelError) as caught:
        ids_encoder(pool_mask="there")(features, PREDICT)
    assert str(caught.value) == (
        f"The output 'tokens' of encoder 'module' is (1, 1, 2), its mask 'there' {shown}. "
        "Encoder.pool_mask must be a feature of numbers [B, T] for an output [B, T, D]."
    )


def test_a_mask_of_other_positions_in_a_batch():
    ids, there = (tf.compat.v1.placeholder(tf.int64, [None, None]) for _ in range(2))
    found = ids_encoder(pool_mask="there")({"ids": ids, "there": there}, PREDICT)
    with tf.compat.v1.Session() as session:
        session.run(tf.compat.v1.global_variables_initializer())
        with pytest.raises(tf.errors.InvalidArgumentError, match="other positions than the output"):
            session.run(found.outputs, {ids: [[1, 2]], there: [[1]]})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"pool": None},
            (
                "Encoder.pool_mask is 'ids', but Encoder.pool is None. Set Encoder.pool, or leave the "
                "mask out."
            ),
        ),
        (
            {"pool_mask": ["ids", "ids"]},
            (
                "Encoder.pool_mask is ['ids', 'ids'], but Encoder.feature is {'ids': 'ids'}. Give a "
                "mask for each feature."
            ),
        ),
    ],
)
def test_wrong_masks(changes, message):
    with pytest.raises(errors.ModelError) as caught:
        ids_encoder(**changes).check(PREDICT, ["ids"])
    assert str(caught.value) == message


def test_encoders_of_one_name_drop_different_elements(make_model, text_module):
    tf.compat.v1.set_random_seed(1)
    tf.compat.v1.train.create_global_step()
    encoders = [Encoder(text_module, trainable=True, dropout=0.5)] * 2
    model = make_model(encoders=encoders, layers=None)
    outputs, groups = model.represent({"text": tf.constant(["a"] * 20)}, TRAIN)
    first, second = np.split(run(outputs), 2, axis=1)
    assert not np.array_equal(first == 0, second == 0)
    assert [group.name for group in groups] == ["module", "module_1"]
