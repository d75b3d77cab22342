"""How encoders' outputs are combined."""

from __future__ import annotations

import pytest
import tensorflow as tf

from hub_estimator import errors
from hub_estimator.training.model import interactions

U, V = [[1.0, 2.0]], [[3.0, -1.0]]


def combined(interaction, *outputs):
    result = interaction([tf.constant(each) for each in outputs])
    with tf.compat.v1.Session() as session:
        return session.run(result).tolist()


def test_concatenation():
    assert combined(interactions.concatenation, U, [[5.0]]) == [[1, 2, 5]]
    assert combined(interactions.concatenation, U) == U


def test_a_pair():
    assert combined(interactions.pair_comparison, U, V) == [[1, 2, 3, -1, 2, 3, 3, -2]]


def test_the_total():
    assert combined(interactions.total, U, V, U) == [[5, 3]]


def test_a_pair_of_three():
    with pytest.raises(errors.ModelError) as caught:
        interactions.pair_comparison([tf.constant(U)] * 3)
    assert str(caught.value) == (
        "@pair_comparison compares two outputs of encoders, and the model has 3. Give the model "
        "two encoders, or one encoder two features."
    )


@pytest.mark.parametrize("name", ["pair_comparison", "total"])
def test_different_widths(name):
    with pytest.raises(errors.ModelError) as caught:
        getattr(interactions, name)([tf.constant(U), tf.constant([[5.0]])])
    assert str(caught.value) == (
        f"@{name} needs encoders of one width; their outputs have the widths 2, 1. Choose other "
        "modules or outputs, or @concatenation."
    )
