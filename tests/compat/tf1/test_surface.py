"""What a program gets by `import tensorflow`, after `compat.install(v1=True)`."""

from __future__ import annotations

from hub_estimator.compat import installation
from tests.compat.programs import run

IMPORTS = """
from hub_estimator import compat
compat.install(v1=True, tensorflow_hub=True)
compat.install(v1=True, tensorflow_hub=True)
import tensorflow as tf
import sys

# The names and the behaviour of the first release.
assert tf.placeholder is tf.compat.v1.placeholder and tf.AUTO_REUSE == tf.compat.v1.AUTO_REUSE
assert tf.train.AdamOptimizer and tf.logging.INFO and tf.gfile.Exists("/") and tf.VERSION
assert tf.layers.dense and tf.estimator.inputs.numpy_input_fn and tf.keras.layers.Dense
assert tf.placeholder(tf.float32, [None, 3]).shape[1].value == 3
assert tf.__name__ == "tensorflow" and tf.__file__ == sys.modules["tensorflow"].__file__
assert tf.__version__ == sys.modules["tensorflow"].__version__
assert {"placeholder", "contrib", "compat", "estimator"} <= set(dir(tf))

# Every way to import it, and what is in it.
import tensorflow
import tensorflow.compat.v1 as v1, tensorflow.compat.v2 as v2
import tensorflow.contrib.slim as slim
import tensorflow.keras.backend as K
import tensorflow.python.framework.ops
from tensorflow import contrib, estimator, keras, layers
from tensorflow.contrib import rnn
from tensorflow.contrib.layers import xavier_initializer
from tensorflow.core.framework import graph_pb2
from tensorflow.estimator import Estimator
from tensorflow.estimator.export import ServingInputReceiver
from tensorflow.keras.layers import Dense
from tensorflow.layers import dense
from tensorflow.python.estimator.canned import head
from tensorflow.python.framework import dtypes, ops
from tensorflow.python.ops import array_ops
from tensorflow.python.training import training_ops
from tensorflow.train import AdamOptimizer

assert tensorflow is tf and estimator is tf.estimator and layers is tf.layers
assert v1 is sys.modules["tensorflow.compat.v1"] and v1.Session is tf.Session
assert v2.function and not hasattr(v2, "placeholder")
assert contrib is tf.contrib and slim is tf.contrib.slim and rnn.LSTMCell is tf.nn.rnn_cell.LSTMCell
assert K.placeholder and Dense is keras.layers.Dense and dense is tf.layers.dense
assert tensorflow.python.framework.ops is ops and ops.Tensor is tf.Tensor
assert Estimator is tf.estimator.Estimator and AdamOptimizer is tf.train.AdamOptimizer
assert graph_pb2.GraphDef is tf.GraphDef and head._Head

names = {}
exec("from tensorflow import *", {"__name__": "__main__"}, names)
assert names["placeholder"] is tf.placeholder

import tensorflow_hub as hub
assert hub.Module and hub.__name__ == "hub_estimator"

# What others get is TensorFlow as it is.
import importlib
real = importlib.import_module("tensorflow")
assert real is sys.modules["tensorflow"] is not tf and not hasattr(real, "placeholder")
assert not hasattr(real, "contrib") and "tensorflow.contrib" not in sys.modules
import hub_estimator.compat.graphs, tf_slim
assert hub_estimator.compat.graphs.tf is real
"""

MISSING = """
import os, sys
sys.path.insert(0, sys.argv[1])
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
from hub_estimator import compat
compat.install(v1=True)
import tensorflow as tf
import helper
for statement in sys.argv[2:]:
    try:
        exec(statement)
    except (AttributeError, ImportError) as error:
        print(type(error).__mro__[2].__name__, error)
"""
SAID = {
    "tf.no_such": (
        "AttributeError",
        ("tf.no_such is not among the names of TensorFlow 1 that TensorFlow {version} has "
        "(tf.compat.v1)."),
    ),
    "tf.optimizers": (
        "AttributeError",
        ("tf.optimizers is not among the names of TensorFlow 1 that TensorFlow {version} has "
        "(tf.compat.v1); it is one of TensorFlow 2: tf.compat.v2.optimizers."),
    ),
    "tf.contrib.training.HParams": (
        "AttributeError",
        ("tf.contrib.training.HParams ended with TensorFlow 1.15. Use a dict, or a "
        "types.SimpleNamespace for access by attribute."),
    ),
    "from tensorflow.contrib.training import HParams": (
        "ModuleNotFoundError",
        ("tf.contrib.training.HParams ended with TensorFlow 1.15. Use a dict, or a "
        "types.SimpleNamespace for access by attribute."),
    ),
    "import tensorflow.contrib.learn as learn": (
        "ModuleNotFoundError",
        ("tf.contrib.learn ended with TensorFlow 1.15. Its Estimators, RunConfig and Experiment are "
        "tf.estimator.Estimator, tf.estimator.RunConfig and tf.estimator.train_and_evaluate."),
    ),
    "from tensorflow.examples.tutorials.mnist import input_data": (
        "ModuleNotFoundError",
        ("tensorflow.examples.tutorials ended with TensorFlow 1.15. For MNIST use "
        "tf.keras.datasets.mnist.load_data()."),
    ),
}  # fmt: skip


def test_a_program_gets_the_first_api_and_others_the_second():
    result = run(IMPORTS)
    assert result.returncode == 0, result.stderr


def test_what_is_not_there_is_said_by_name(tmp_path):
    # What lies beside the program is of the program too.
    (tmp_path / "helper.py").write_text("import tensorflow as tf\ntf.placeholder\n")
    result = run(MISSING + "print(tf.__version__)", str(tmp_path), *SAID)
    assert result.returncode == 0, result.stderr
    *lines, version = result.stdout.splitlines()
    expected = [f"{kind} {text.format(version=version)}" for kind, text in SAID.values()]
    assert lines == expected


def test_installing_after_tensorflow_was_imported_is_too_late():
    program = (
        "import tensorflow as tf\nfrom hub_estimator import compat, errors\n"
        "try:\n    compat.install(v1=True)\nexcept errors.TensorFlowInUseError as error:\n"
        "    print(error)\n"
        "tf.function"
    )
    result = run(program)
    assert result.stdout == f"{installation.TENSORFLOW_IN_USE % 'tf'}\n", result.stderr
    assert result.returncode == 0
