"""Data and specs that the tests of training share."""

from __future__ import annotations

import csv

import tensorflow as tf

from hub_estimator.training.example_spec import ExampleSpec
from hub_estimator.training.labels.one_class import OneClass
from hub_estimator.training.labels.unknown import AnyLabels

TEXT = {"text": tf.TensorSpec([None], tf.string)}
# What a model of texts takes: two classes, or whatever is there.
TWO_CLASSES = ExampleSpec(TEXT, OneClass(2))
ANY_LABELS = ExampleSpec(TEXT, AnyLabels())


def write_csv(path, rows, header=("text", "label")) -> str:
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return str(path)
