"""The benchmark of `model.fit`, on a tiny module."""

from __future__ import annotations

import pytest
import tensorflow as tf

import hub_estimator as hub
from benchmarks.programs import keras_fit
from tests import modules
from tests.modules import tf1


@pytest.fixture(autouse=True)
def fresh_graph():
    """Keras works eagerly: no default graph here, unlike in other tests."""


def _module_fn():
    texts = tf1.placeholder(tf.string, [None])
    table = tf1.get_variable("table", [8, 2])
    rows = tf.nn.embedding_lookup(table, tf.strings.to_hash_bucket_fast(texts, 8))
    hub.add_signature(inputs={"text": texts}, outputs=rows)


def test_keras_fit(tmp_path):
    path = modules.export(hub, hub.create_module_spec(_module_fn), str(tmp_path / "module"))
    (tmp_path / "train.csv").write_text("text,label\ngood,1\nbad,0\n")
    assert keras_fit.measure(hub, path, str(tmp_path), steps=2)["steps_per_second"] > 0
