"""What a served model asks for."""

from __future__ import annotations

from training_data import TWO_CLASSES

from hub_estimator.training.serving import ServingInput


def test_the_features_themselves():
    receiver = ServingInput(TWO_CLASSES)()
    assert receiver.features["text"] is receiver.receiver_tensors["text"]
    assert receiver.features["text"].shape.as_list() == [None]
