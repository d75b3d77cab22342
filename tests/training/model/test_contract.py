"""Models that fulfil the contract: ours, a subclass of ours, and somebody else's."""

from __future__ import annotations

import dataclasses
import functools

import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import errors
from hub_estimator.compat import head_class
from hub_estimator.training.example_spec import ExampleSpec
from hub_estimator.training.labels.one_class import OneClass
from hub_estimator.training.model.canned_model import CannedModel, estimator_class
from hub_estimator.training.model.contract import Capabilities, capabilities_of
from hub_estimator.training.model.encoders import Encoder
from hub_estimator.training.model.model_fn import Model
from tests.training.model.model_contract import ModelContract


class TestModel(ModelContract):
    @pytest.fixture
    def model(self, make_model):
        return make_model()


class TestModelWithoutFrozenVariables(ModelContract):
    @pytest.fixture
    def model(self, make_model):
        return make_model(save_frozen=False)


class TestCannedModel(ModelContract):
    @pytest.fixture
    def model(self, text_module):
        column = functools.partial(hub.text_embedding_column, "text", text_module)
        estimator = functools.partial(estimator_class("DNNEstimator"), hidden_units=[2])
        return CannedModel(estimator, head_class("BinaryClassHead")(), [column])


@dataclasses.dataclass(frozen=True)
class Lengths:
    """Somebody else's model: two classes by the length of a text; it knows nothing of ours."""

    rate: float = 0.1

    def check(self, mode, feature_names):
        if "text" not in feature_names:
            raise errors.FeatureNotFoundError("It takes the feature 'text'.")

    def example_spec(self):
        return ExampleSpec({"text": tf.TensorSpec([None], tf.string, "text")}, OneClass(2))

    def model_fn(self, features, labels, mode, params=None, config=None):
        lengths = tf.cast(tf.strings.length(features["text"]), tf.float32)
        bias = tf.compat.v1.get_variable("bias", [], initializer=tf.zeros_initializer())
        logits = tf.reshape(lengths + bias, [-1, 1])

        def train_op(loss):
            step = tf.compat.v1.train.get_global_step()
            return tf.compat.v1.train.GradientDescentOptimizer(self.rate).minimize(loss, step)

        return head_class("BinaryClassHead")().create_estimator_spec(
            features=features, mode=mode, logits=logits, labels=labels, train_op_fn=train_op
        )


class TestSomebodyElses(ModelContract):
    @pytest.fixture
    def model(self):
        return Lengths()

    def test_it_has_no_capabilities(self, model):
        assert capabilities_of(model) == Capabilities()


class Doubled(Model):
    """A subclass that uses features in its own way."""

    def represent(self, features, mode):
        outputs, groups = super().represent(features, mode)
        return 2 * outputs + tf.cast(tf.shape(features["text"])[0], tf.float32), groups


class TestSubclass(ModelContract):
    @pytest.fixture
    def model(self, make_model):
        model = make_model()
        return Doubled(
            **{each.name: getattr(model, each.name) for each in dataclasses.fields(model)}
        )

    def test_its_encoders_run_in_each_step(self, model):
        assert capabilities_of(model) == Capabilities()


class Louder(Encoder):
    def __call__(self, *args, **kwargs):
        return super().__call__(*args, **kwargs)


def test_encoders_of_somebody_else_run_in_each_step(make_model, text_module):
    plain = make_model()
    assert plain.capabilities.encoders == tuple(plain.encoders)
    assert not plain.capabilities.needs_each_step
    own = dataclasses.replace(plain, encoders=[Louder(text_module)])
    assert own.capabilities.encoders == () and not own.capabilities.needs_each_step


def test_capabilities_of_another_kind():
    class Odd(Lengths):
        capabilities = "all"

    with pytest.raises(errors.InvalidSettingError) as caught:
        capabilities_of(Odd())
    assert str(caught.value) == (
        "The capabilities of Odd are 'all'; they must be a Capabilities. Make them an attribute or a "
        "property."
    )
