"""Models whose training in a cluster is measured: their modules, and the examples that they take.

python -m benchmarks.programs.cluster_models --kind=text --megabytes=31 --path=out/bench/clusters/text
"""

from __future__ import annotations

import argparse
import functools
from typing import Any

import numpy as np
import tensorflow as tf

import hub_estimator
from benchmarks.programs import common

tf1 = tf.compat.v1
KINDS = ("text", "dense")
FEATURE = "given"
# Reviews have so many words on average; word number n of the module is n times as rare as the first.
WORDS_OF_A_TEXT, TEXT_WIDTH = 230, 384
LAYERS = 10


def publish(kind: str, megabytes: float, path: str) -> None:
    """Writes a module whose variables have so many MiB.

    Args:
      kind: `"text"` is the text module of the examples, whose step looks up the rows of its words;
        `"dense"` is layers, all of whose weights each step needs.
      megabytes: how many.
      path: the module's folder.
    """
    numbers = megabytes * (1 << 20) / np.dtype(np.float32).itemsize
    if kind == "text":
        _publish_text(int(numbers / TEXT_WIDTH), path)
    else:
        width = int((numbers / LAYERS) ** 0.5)
        with tf.Graph().as_default(), tf1.Session() as session:
            spec = hub_estimator.create_module_spec(functools.partial(_dense, width))
            module = hub_estimator.Module(spec)
            session.run(tf1.global_variables_initializer())
            module.export(path, session)


def _publish_text(words: int, path: str) -> None:
    from examples.text_embeddings import module
    from examples.text_embeddings.vectors import WordVectors

    vectors = np.random.RandomState(1).normal(0.0, 0.1, [words, TEXT_WIDTH])
    named = [f"word{number}" for number in range(words)]
    module.publish(WordVectors(named, vectors.astype(np.float32)), path)


def _dense(width: int) -> None:
    given = values = tf1.placeholder(tf.float32, [None, width])
    for number in range(LAYERS):
        weights = tf1.get_variable(f"weights_{number}", [width, width])
        values = tf.nn.relu(values @ weights)
    hub_estimator.add_signature(inputs={"x": given}, outputs=values)


def examples(module: str, count: int) -> Any:
    """Returns values of a module's input.

    Args:
      module: its folder.
      count: how many.
    """
    random = np.random.RandomState(1)
    [given] = hub_estimator.load_module_spec(module).get_input_info_dict().values()
    if given.dtype != tf.string:
        return random.uniform(size=[count, given.get_shape()[1]]).astype(np.float32)
    words = _words(module)
    chances = 1.0 / np.arange(1, words + 1)
    drawn = random.choice(words, [count, WORDS_OF_A_TEXT], p=chances / chances.sum())
    return np.array([" ".join(f"word{number}" for number in text) for text in drawn])


def _words(module: str) -> int:
    with tf.Graph().as_default():
        [table] = hub_estimator.Module(module).variable_map.values()
        return int(table.shape[0]) - 1  # the last one is of the words that it lacks


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kind", required=True, choices=KINDS)
    parser.add_argument("--megabytes", type=float, required=True)
    parser.add_argument("--path", required=True, help="where the module is to be")
    given = parser.parse_args()
    hub_estimator.compat.install()
    publish(given.kind, given.megabytes, given.path)
    common.report()


if __name__ == "__main__":
    main()
