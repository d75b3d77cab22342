"""Heads whose classes the training data tells."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import tensorflow as tf

from hub_estimator import errors, training
from hub_estimator.compat import head_class
from hub_estimator.training.labels.any_classes import AnyClasses
from hub_estimator.training.labels.class_counts import UNKNOWN, Classes
from hub_estimator.training.labels.numbers import Numbers
from hub_estimator.training.labels.one_class import OneClass
from hub_estimator.training.model import heads, open_heads
from hub_estimator.training.model.estimator_names import HEAD_NAMES
from hub_estimator.training.model.losses import SigmoidLoss, SoftmaxLoss
from hub_estimator.training.model.open_heads import Asked, OpenHead

ABC = Classes(3, ("a", "b", "c"), (1, 2, 3))
BALANCED = SoftmaxLoss(class_weights="balanced")


@pytest.mark.parametrize("name", HEAD_NAMES)
def test_what_makes_a_head_takes_what_the_class_of_tensorflow_takes(name):
    def parameters(made):
        return {
            parameter.name: None if parameter.name == "n_classes" else parameter.default
            for parameter in inspect.signature(made).parameters.values()
        }

    made, own = head_class(name), heads.head_maker(name)
    wanted = parameters(made)
    assert parameters(own) == {
        parameter: None if parameter == "n_classes" else default
        for parameter, default in wanted.items()
    }
    assert getattr(training, name) is own


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (training.BinaryClassHead(), "BinaryClassHead"),
        (training.MultiClassHead(3), "MultiClassHead"),
        (training.MultiClassHead(label_vocabulary=["a", "b", "c"]), "MultiClassHead"),
        (training.MultiLabelHead(label_vocabulary=["a", "b"]), "MultiLabelHead"),
        (
            training.MultiHead(
                [training.BinaryClassHead(name="x"), training.RegressionHead(name="y")]
            ),
            "MultiHead",
        ),
    ],
)
def test_where_all_is_known_it_is_tensorflows(head, name):
    assert isinstance(head, head_class(name)) and heads.asked_by(head) is None
    assert open_heads.closed(head, {}) is head


@pytest.mark.parametrize(
    ("head", "asked"),
    [
        (training.MultiClassHead(), Asked(OneClass(UNKNOWN), False)),
        (training.MultiClassHead(4, loss_fn=BALANCED), Asked(OneClass(4), True)),
        (
            training.MultiClassHead(label_vocabulary=["x", "y", "z"], loss_fn=BALANCED),
            Asked(OneClass(3, ("x", "y", "z"), by_name=True), True),
        ),
        (training.MultiLabelHead(), Asked(AnyClasses(UNKNOWN), False)),
        (
            training.BinaryClassHead(loss_fn=SigmoidLoss(class_weights="balanced")),
            Asked(OneClass(2), True),
        ),
        (
            training.MultiHead(
                [training.MultiClassHead(name="kind"), training.RegressionHead(name="stars")]
            ),
            Asked({"kind": OneClass(UNKNOWN), "stars": Numbers()}, False),
        ),
    ],
)
def test_what_it_asks_of_the_training_data(head, asked):
    assert heads.asked_by(head) == asked


def test_it_is_closed_by_names_or_numbers():
    named = open_heads.closed(training.MultiClassHead(weight_column="w"), {"": ABC})
    assert heads.label_spec(named) == OneClass(3, ("a", "b", "c"), by_name=True)
    assert list(heads.feature_specs(named)) == ["w"]
    numbered = open_heads.closed(training.MultiLabelHead(), {"": Classes(4)})
    assert heads.label_spec(numbered) == AnyClasses(4)
    several = training.MultiHead(
        [training.MultiClassHead(name="kind"), training.RegressionHead(name="stars")]
    )
    closed = open_heads.closed(several, {"kind": ABC})
    assert heads.label_spec(closed) == {
        "kind": OneClass(3, ("a", "b", "c"), by_name=True), "stars": Numbers(),
    }  # fmt: skip


def loss_of(head, labels, logits):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.compat.v1.train.create_global_step()
        spec = head.create_estimator_spec(
            features={}, mode="eval", labels=tf.constant(labels), logits=tf.constant(logits)
        )
        session.run(tf.compat.v1.tables_initializer())
        return session.run(spec.loss)


def test_balanced_weights_are_in_the_loss():
    logits = [[1.0, 0.0, 0.0], [0.0, 2.0, 1.0]]
    head = open_heads.closed(training.MultiClassHead(loss_fn=BALANCED), {"": ABC})
    numbers = SoftmaxLoss(class_weights=[2.0, 1.0, 2 / 3])
    given = training.MultiClassHead(label_vocabulary=["a", "b", "c"], loss_fn=numbers)
    assert loss_of(head, ["c", "a"], logits) == pytest.approx(loss_of(given, ["c", "a"], logits))


def test_balanced_weights_of_a_binary_head():
    balanced = training.BinaryClassHead(loss_fn=SigmoidLoss(class_weights="balanced"))
    head = open_heads.closed(balanced, {"": Classes(2, None, (3, 1))})
    given = training.BinaryClassHead(loss_fn=SigmoidLoss(class_weights=[2 / 3, 2.0]))
    found = [loss_of(one, [1, 0], [[1.0], [2.0]]) for one in (head, given)]
    assert found[0] == pytest.approx(found[1]) and np.isfinite(found[0])


@pytest.mark.parametrize(
    ("head", "classes", "error", "message"),
    [
        (
            training.MultiClassHead(),
            Classes(2, ("a", "b")),
            errors.PartsMismatchError,
            (
                "The training data has 2 classes (a, b). Take BinaryClassHead, in gin files Model.head = "
                "@BinaryClassHead() with BinaryClassHead.label_vocabulary = ['a', 'b']."
            ),
        ),
        (
            training.MultiClassHead(),
            Classes(2),
            errors.PartsMismatchError,
            (
                "The training data has 2 classes (0, 1). Take BinaryClassHead, in gin files Model.head = "
                "@BinaryClassHead()."
            ),
        ),
        (
            training.MultiLabelHead(),
            Classes(1, ("a",)),
            errors.PartsMismatchError,
            (
                "The training data has 1 class (a). Check the column of the labels: MultiLabelHead takes "
                "2 or more."
            ),
        ),
        (
            training.MultiClassHead(3, loss_fn=BALANCED),
            Classes(3, None, (1, 1, 0)),
            errors.LabelError,
            (
                "The class '2' has no example in the training data, so there is no balanced weight for "
                "it. Give class_weights as numbers, or leave the class out."
            ),
        ),
        (
            training.MultiLabelHead(thresholds=[7.0]),
            Classes(2),
            errors.InvalidSettingError,
            "MultiLabelHead cannot be made as it is set: ",
        ),
    ],
)
def test_classes_that_do_not_suit_it(head, classes, error, message):
    with pytest.raises(error) as caught:
        open_heads.closed(head, {"": classes})
    assert str(caught.value).startswith(message)
    assert str(caught.value) == message or message.endswith(": ")


def test_a_multi_head_needs_names():
    with pytest.raises(errors.InvalidSettingError) as caught:
        training.MultiHead([training.MultiClassHead(), training.RegressionHead(name="x")])
    assert str(caught.value) == (
        "A head of MultiHead.heads has no name. Give each one, as in MultiClassHead.name."
    )


def test_an_estimator_of_somebody_else_cannot_ask(make_model):
    model = make_model(head=training.MultiClassHead())
    with pytest.raises(errors.PartsMismatchError) as caught:
        model.example_spec()
    assert str(caught.value) == (
        "The model's head takes its classes, or their balanced weights, from the training data of "
        "train_and_evaluate. For an Estimator of your own, give n_classes and numbers as class_weights."
    )


@pytest.mark.parametrize(
    ("loss", "kind"), [(BALANCED, "Softmax"), (SigmoidLoss(class_weights="balanced"), "Sigmoid")]
)
def test_a_balanced_loss_in_a_head_that_was_made_elsewhere(loss, kind):
    with pytest.raises(errors.PartsMismatchError) as caught:
        loss(tf.constant([[1]]), tf.constant([[1.0, 2.0]]))
    assert str(caught.value) == (
        f"{kind}Loss.class_weights is 'balanced', which the training data has to tell: make the head "
        "by hub_estimator.training, as training.MultiClassHead, for train_and_evaluate. Elsewhere "
        "give one number per class."
    )


def test_open_heads_are_values():
    assert training.MultiClassHead() == OpenHead(
        "MultiClassHead", training.MultiClassHead().settings
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: training.MultiClassHead(4, label_vocabulary=["a", "b", "c"], loss_fn=BALANCED),
            (
                "MultiClassHead: n_classes is 4, but label_vocabulary has 3: a, b, c. There must be one "
                "name for each class."
            ),
        ),
        (
            lambda: training.MultiClassHead(label_vocabulary=["a", "b", "c", "b"]),
            "MultiClassHead.label_vocabulary has 'b' twice. Give each class a name of its own.",
        ),
        (
            lambda: training.BinaryClassHead(label_vocabulary="no"),
            (
                "BinaryClassHead.label_vocabulary is 'no'; it must be a list of names, as in "
                "['bad', 'good']."
            ),
        ),
    ],
)
def test_vocabularies_that_are_none(make, message):
    with pytest.raises(errors.InvalidSettingError) as caught:
        make()
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("head", "loss", "message"),
    [
        (
            *("MultiClassHead", training.SigmoidLoss()),
            (
                "MultiClassHead.loss_fn is @SigmoidLoss(), which is a loss for BinaryClassHead and "
                "MultiLabelHead. Take @SoftmaxLoss() for MultiClassHead."
            ),
        ),
        (
            *("BinaryClassHead", training.SoftmaxLoss(class_weights="balanced")),
            (
                "BinaryClassHead.loss_fn is @SoftmaxLoss(), which is a loss for MultiClassHead. Take "
                "@SigmoidLoss() for BinaryClassHead."
            ),
        ),
        (
            *("MultiLabelHead", training.SoftmaxLoss),
            (
                "MultiLabelHead.loss_fn is @SoftmaxLoss, which nothing has called: write "
                "@SoftmaxLoss(), with ()."
            ),
        ),
    ],
)
def test_a_loss_of_other_heads(head, loss, message):
    with pytest.raises(errors.InvalidSettingError) as caught:
        getattr(training, head)(loss_fn=loss)
    assert str(caught.value) == message
