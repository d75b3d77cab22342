"""TF2 SavedModels at work: one way to call, to ask and to train them."""

from __future__ import annotations

from concurrent import futures

import pytest
import tensorflow as tf

from hub_estimator.format.origin import Origin
from hub_estimator.graph.loaded_saved_model import Interface, LoadedSavedModel

TEXTS = tf.TensorSpec([None], tf.string, "texts")


def in_eager_mode(function):
    """Runs a function where TensorFlow executes eagerly: in a new thread."""
    with futures.ThreadPoolExecutor(1) as pool:
        return pool.submit(function).result()


class Lengths(tf.train.Checkpoint):
    """The lengths of texts times a factor, and how they are told to train."""

    def __init__(self):
        super().__init__()
        self.factor = tf.Variable(2.0)
        self.calls = tf.Variable(0.0, trainable=False)
        self.variables = [self.factor, self.calls]
        self.trainable_variables = [self.factor]
        self.regularization_losses = [self.loss]

    @tf.function
    def __call__(self, texts, training=False):
        lengths = self.factor * tf.cast(tf.strings.length(texts), tf.float32)
        return {"lengths": lengths, "trains": tf.constant(training)}

    @tf.function(input_signature=[])
    def loss(self):
        return 3 * self.factor

    @tf.function(input_signature=[TEXTS])
    def serve(self, texts):
        return {"ones": tf.ones_like(texts, tf.float32)}


class OfADict(tf.train.Checkpoint):
    """Takes a dict of texts and gives one tensor."""

    @tf.function(input_signature=[{"left": TEXTS, "right": TEXTS}])
    def __call__(self, inputs):
        return tf.strings.join([inputs["left"], inputs["right"]])


def place(path):
    return Origin("handle", str(path))


@pytest.fixture(scope="module")
def lengths(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "lengths"

    def save():
        made = Lengths()
        for training in (True, False):
            made.__call__.get_concrete_function(TEXTS, training=training)
        tf.saved_model.save(made, str(path), signatures={"serve": made.serve})

    in_eager_mode(save)
    return place(path)


@pytest.fixture(scope="module")
def of_a_dict(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "dict"
    in_eager_mode(lambda: tf.saved_model.save(OfADict(), str(path)))
    return place(path)


@pytest.fixture(scope="module")
def without_call(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "signature"

    def save():
        made = tf.train.Checkpoint()
        made.shout = tf.function(
            lambda texts: {"shouted": tf.strings.upper(texts)}, input_signature=[TEXTS]
        )
        tf.saved_model.save(made, str(path), signatures={"shout": made.shout})

    in_eager_mode(save)
    return place(path)


def evaluated(tensors):
    with tf.compat.v1.Session() as session:
        session.run(tf.compat.v1.global_variables_initializer())
        return session.run(tensors)


@pytest.mark.parametrize("as_dict", [True, False])
@pytest.mark.parametrize(("training", "trains"), [(None, False), (False, False), (True, True)])
def test_a_call_is_told_whether_it_trains(lengths, as_dict, training, trains):
    model = LoadedSavedModel.load(lengths)
    texts = tf.constant(["a", "bcd"])
    found = evaluated(model({"texts": texts} if as_dict else texts, training=training))
    assert found["lengths"].tolist() == [2, 6]
    assert found["trains"] == trains


@pytest.mark.parametrize("as_dict", [True, False])
def test_another_signature(lengths, as_dict):
    model = LoadedSavedModel.load(lengths)
    texts = tf.constant(["a", "b"])
    outputs = model({"texts": texts} if as_dict else texts, "serve", training=True)
    assert evaluated(outputs)["ones"].tolist() == [1, 1]


def test_a_call_with_a_dict_and_one_output(of_a_dict):
    model = LoadedSavedModel.load(of_a_dict)
    outputs = model({"left": tf.constant(["a"]), "right": tf.constant(["b"])}, training=True)
    assert evaluated(outputs)["default"].tolist() == [b"ab"]
    assert set(model.interfaces()["default"].inputs) == {"left", "right"}
    assert model.interfaces()["default"].outputs == ("default",)
    assert model.variables is None and model.trainable_variables is None


def test_what_signatures_take_and_give(lengths, without_call):
    model = LoadedSavedModel.load(lengths)
    assert model.is_callable and model.signature_names == ["default", "serve"]
    assert model.interfaces() == {
        "default": Interface({"texts": TEXTS}, ("lengths", "trains")),
        "serve": Interface({"texts": TEXTS}, ("ones",)),
    }
    other = LoadedSavedModel.load(without_call)
    assert not other.is_callable and other.signature_names == ["shout"]


def test_what_is_trained_joins_the_collections(lengths):
    model = LoadedSavedModel.load(lengths)
    assert len(model.variables) == 2
    (factor,) = model.collect_trained()
    assert tf.compat.v1.trainable_variables() == [factor] == model.trainable_variables
    assert tf.compat.v1.losses.get_regularization_losses() == []
    model.collect_losses()
    (loss,) = tf.compat.v1.losses.get_regularization_losses()
    assert evaluated(loss) == 6


def test_nothing_is_collected_of_what_does_not_say(of_a_dict):
    model = LoadedSavedModel.load(of_a_dict)
    model.collect_losses()
    assert model.collect_trained() == []
    assert tf.compat.v1.losses.get_regularization_losses() == []


def test_eager_mode(lengths):
    def call():
        model = LoadedSavedModel.load(lengths)
        (factor,) = model.collect_trained()
        factor.assign(10.0)
        return model(tf.constant(["abc"]))["lengths"].numpy().tolist()

    assert in_eager_mode(call) == [30]
