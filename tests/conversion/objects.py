"""Small objects of TF2 that several tests convert, and what a TF1 program makes of the results."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import compat
from tests import modules

tf1 = tf.compat.v1
TEXTS = tf.TensorSpec([None], tf.string, "texts")
ROWS = tf.TensorSpec([None, 3], tf.float32, "rows")
X = np.arange(6, dtype=np.float32).reshape([2, 3])


class Dense(tf.train.Checkpoint):
    """A layer that trains: a moving average of its inputs, noise, and a loss of its weights."""

    def __init__(self):
        super().__init__()
        self.kernel = tf.Variable(
            np.arange(6).reshape([3, 2]) * 0.1, dtype=tf.float32, name="kernel"
        )
        self.bias = tf.Variable([1.0, -1.0], name="bias")
        self.average = tf.Variable(tf.zeros([3]), name="average", trainable=False)
        self.frozen = tf.Variable(2.0, name="frozen")  # which its publisher does not train
        self.unused = tf.Variable(3.0, name="unused", trainable=False)
        self.variables = [self.kernel, self.bias, self.average, self.frozen, self.unused]
        self.trainable_variables = [self.kernel, self.bias]
        self.regularization_losses = [self.loss]

    @tf.function(input_signature=[])
    def loss(self):
        return 0.5 * tf.reduce_sum(self.kernel**2)

    @tf.function
    def normalized(self, rows, training):
        if not training:
            return rows - self.average
        mean = tf.reduce_mean(rows, 0)
        self.average.assign(0.9 * self.average + 0.1 * mean)
        return rows - mean

    @tf.function
    def __call__(self, rows, training=False):
        return self.frozen * (tf.matmul(self.normalized(rows, training), self.kernel) + self.bias)


class Words(tf.Module):
    """A text module: a vocabulary in a file, one that programs change, and embeddings."""

    def __init__(self, vocabulary):
        super().__init__()
        self.table = tf.lookup.StaticHashTable(
            tf.lookup.TextFileInitializer(
                vocabulary,
                tf.string,
                tf.lookup.TextFileIndex.WHOLE_LINE,
                tf.int64,
                tf.lookup.TextFileIndex.LINE_NUMBER,
            ),
            -1,
        )
        self.counts = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, 0)
        self.counts.insert(["a", "b"], [10, 20])
        self.embeddings = tf.Variable(np.arange(8).reshape([4, 2]), dtype=tf.float32)

    @tf.function(input_signature=[TEXTS])
    def __call__(self, texts):
        rows = self.table.lookup(texts) + 1
        return {"default": tf.gather(self.embeddings, rows), "counts": self.counts.lookup(texts)}


def dense():
    """Returns a `Dense` that was traced, made in eager mode."""
    made = Dense()
    for training in (False, True):
        made.__call__.get_concrete_function(ROWS, training=training)
    return made


def saved(make, path, **signatures):
    """Saves what a function makes as a TF2 SavedModel; returns the path."""
    with compat.eagerly():
        made = make()
        functions = {name: getattr(made, method) for name, method in signatures.items()}
        tf.saved_model.save(made, str(path), signatures=functions)
    return str(path)


def outputs(path, inputs, signature="default", tags=frozenset(), library=hub):
    """Returns the outputs of a module in a TF1 graph, in plain lists."""
    [found] = modules.outputs(library, str(path), (modules.Call(inputs, signature, tags),))
    return found


def step(path, inputs, tags=frozenset(), library=hub):
    """Trains a module by one step of gradient descent on the sum of its default output, or of all.

    Returns:
      The names of the variables that changed, within the module, and the regularization losses.
    """
    with tf.Graph().as_default(), tf1.Session() as session:
        module = library.Module(str(path), trainable=True, tags=set(tags))
        result = module(
            {key: modules.as_tensor(value) for key, value in inputs.items()}, as_dict=True
        )
        chosen = [result["default"]] if "default" in result else result.values()
        floats = [value for value in chosen if value.dtype == tf.float32]
        losses = tf1.losses.get_regularization_losses()
        loss = tf.add_n([tf.reduce_sum(value) for value in floats] + losses)
        optimize = tf1.train.GradientDescentOptimizer(0.1).minimize(loss)
        variables = dict(module.variable_map)
        modules.initialize(session)
        before, losses = session.run([variables, losses])
        session.run(optimize)
        # Not beside it: what follows a variable, as its average does, would change by chance.
        session.run(tf1.get_collection(tf1.GraphKeys.UPDATE_OPS))
        after = session.run(variables)
    changed = {name for name in before if not _are_equal(before[name], after[name])}
    return changed, [float(loss) for loss in losses]


def _are_equal(one, other):
    """Whether two variables, or lists of the parts of two, have the same values."""
    pairs = zip(tf.nest.flatten(one), tf.nest.flatten(other), strict=True)
    return all(np.array_equal(value, another) for value, another in pairs)
