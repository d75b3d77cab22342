"""Large image modules, exported by the peer and used by both; where there is no peer, by ours."""

from __future__ import annotations

import importlib
import importlib.util

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import compat

tf1 = tf.compat.v1
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("tf_slim") is None, reason="needs tf_slim"),
]
# Small images keep it short; both networks take any size that their strides leave something of.
NETWORKS = {"inception_v3": ("InceptionV3", 107), "resnet_v2_50": ("resnet_v2_50", 65)}
BATCH = 2
PEER = importlib.util.find_spec("tensorflow_hub") is not None


def _peer():
    """The peer, or ours in its place."""
    return importlib.import_module("tensorflow_hub") if PEER else hub


@pytest.fixture(scope="module")
def slim():
    """`tf_slim`, which looks for TF1's layers where no release has them."""
    compat.install()
    return importlib.import_module("tf_slim")


@pytest.fixture(scope="module", params=sorted(NETWORKS))
def exported(request, slim, tmp_path_factory):
    """The folder of a module with both variants, which the peer wrote, and its image size."""
    peer = _peer()
    from tf_slim.nets import inception_v3, resnet_v2

    name, (scope, size) = request.param, NETWORKS[request.param]
    network, arg_scope = {
        "inception_v3": (inception_v3.inception_v3, inception_v3.inception_v3_arg_scope),
        "resnet_v2_50": (resnet_v2.resnet_v2_50, resnet_v2.resnet_arg_scope),
    }[name]

    def module_fn(is_training):
        images = tf1.placeholder(tf.float32, [None, size, size, 3])
        options = {"create_aux_logits": False} if name == "inception_v3" else {}
        with slim.arg_scope(arg_scope()):
            _, ends = network(images, 11, is_training=is_training, **options)
        features = ends["Mixed_7c" if name == "inception_v3" else f"{scope}/block4"]
        peer.add_signature(inputs=images, outputs=tf.reduce_mean(features, [1, 2]))

    variants = [(set(), {"is_training": False}), ({"train"}, {"is_training": True})]
    spec = peer.create_module_spec(
        module_fn, variants, drop_collections=[f"{scope}/_end_points", "moving_vars"]
    )
    folder = str(tmp_path_factory.mktemp(name) / "module")
    with tf.Graph().as_default(), tf1.Session() as session:
        module = peer.Module(spec)
        tf1.set_random_seed(1)
        session.run(tf1.global_variables_initializer())
        module.export(folder, session)
    return folder, size


def _images(size):
    return np.random.RandomState(1).uniform(size=[BATCH, size, size, 3]).astype(np.float32)


def _outputs(library, folder, size):
    with tf.Graph().as_default(), tf1.Session() as session:
        output = library.Module(folder)(_images(size))
        session.run(tf1.global_variables_initializer())
        return session.run(output)


@pytest.mark.peer
def test_outputs_equal_the_peers(exported):
    folder, size = exported
    ours, theirs = _outputs(hub, folder, size), _outputs(_peer(), folder, size)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


def test_fine_tuning_changes_what_it_should_and_the_peer_reads_the_export(exported, tmp_path):
    folder, size = exported
    with tf.Graph().as_default(), tf1.Session() as session:
        module = hub.Module(folder, trainable=True, tags={"train"})
        loss = tf.reduce_mean(tf.square(module(_images(size)) - 1.0))
        loss += tf1.losses.get_regularization_loss()
        updates = tf1.get_collection(tf1.GraphKeys.UPDATE_OPS)
        optimizer = tf1.train.GradientDescentOptimizer(0.1)
        with tf.control_dependencies(updates):
            step = optimizer.minimize(loss)
        serve = module.variant()
        output = serve(_images(size))
        session.run(tf1.global_variables_initializer())
        before = session.run(module.variable_map)
        session.run(step)
        after = session.run(module.variable_map)
        tuned = session.run(output)
        module.export(tmp_path / "tuned", session)
        gradients = tf.gradients(loss, tf1.trainable_variables())
        trained = {
            variable.op.name.removeprefix("module/")
            for variable, gradient in zip(tf1.trainable_variables(), gradients, strict=True)
            if gradient is not None
        }
    moving = {name for name in before if "/moving_" in name}
    assert moving and trained and not moving & trained
    changed = {name for name in before if not np.array_equal(before[name], after[name])}
    assert moving <= changed <= moving | trained
    theirs = _outputs(_peer(), str(tmp_path / "tuned"), size)
    np.testing.assert_allclose(tuned, theirs, rtol=1e-4, atol=1e-5)
