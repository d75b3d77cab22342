"""The most memory of a training that streams its examples from TFRecord files.

python -m benchmarks.programs.streamed --data=out/bench/records --examples=20000 --write
python -m benchmarks.programs.streamed --data=out/bench/records --examples=20000 --epochs=3

Each example is a text of 1 to 8 KB, so that what is not freed is seen. After each epoch the model is
evaluated on the same files.
"""

from __future__ import annotations

import argparse
import os
import tempfile

import numpy as np
import tensorflow as tf

import hub_estimator
from benchmarks.programs import common

tf1 = tf.compat.v1
FILES, BATCH, SHUFFLED = 8, 128, 4096
SHORTEST, LONGEST = 1 << 10, 1 << 13  # bytes of a text
ROWS, WIDTH = 1000, 16


def write(data: str, count: int) -> float:
    """Writes so many examples; returns how many megabytes they are."""
    os.makedirs(data, exist_ok=True)
    random = np.random.RandomState(1)
    paths = [os.path.join(data, f"{number}.tfrecord") for number in range(FILES)]
    for number, path in enumerate(paths):
        with tf.io.TFRecordWriter(path) as writer:
            for _ in range(number, count, FILES):
                text = random.bytes(random.randint(SHORTEST, LONGEST) // 2).hex()
                writer.write(_example(text, random.randint(2)).SerializeToString())
    return sum(map(os.path.getsize, paths)) / (1 << 20)


def _example(text: str, label: int) -> tf.train.Example:
    features = {
        "text": tf.train.Feature(bytes_list=tf.train.BytesList(value=[text.encode()])),
        "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
    }
    return tf.train.Example(features=tf.train.Features(feature=features))


def measure(data: str, count: int, epochs: int) -> dict[str, float]:
    """Returns the most memory, in MiB, the steps, and the seconds that they took.

    Args:
      data: the folder of the files.
      count: how many examples they have.
      epochs: how often each is seen.
    """
    from hub_estimator import training

    hub_estimator.compat.install()
    steps = -(-count // BATCH)
    given = training.Records(
        os.path.join(data, "*.tfrecord"), batch_size=BATCH, shuffle_buffer=SHUFFLED
    )
    clock = common.Clock()
    with tempfile.TemporaryDirectory() as folder:
        encoder = training.Encoder(_module(os.path.join(folder, "module")))
        experiment = training.Experiment(
            training.Model(
                encoders=[encoder],
                head=training.BinaryClassHead(),
                optimization=training.Optimization(tf1.train.AdagradOptimizer, 0.01),
            ),
            train_input=given,
            eval_input=given,
            max_steps=steps * epochs,
            eval_every_steps=steps,
        )
        with clock("seconds"):
            training.train_and_evaluate(experiment, os.path.join(folder, "model"))
    return {"peak": common.peak_megabytes(), "steps": steps * epochs, **clock.seconds}


def _module(path: str) -> str:
    """Makes a module that turns a text into a row of a table."""
    with tf.Graph().as_default(), tf1.Session() as session:
        module = hub_estimator.Module(hub_estimator.create_module_spec(_module_fn))
        session.run(tf1.global_variables_initializer())
        module.export(path, session)
    return path


def _module_fn() -> None:
    texts = tf1.placeholder(tf.string, [None])
    table = tf1.get_variable("table", [ROWS, WIDTH])
    rows = tf.nn.embedding_lookup(table, tf.strings.to_hash_bucket_fast(texts, ROWS))
    hub_estimator.add_signature(inputs={"text": texts}, outputs=rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", required=True, help="the folder of the files")
    parser.add_argument("--examples", type=int, required=True, help="how many they have")
    parser.add_argument("--write", action="store_true", help="writes the files, and trains nothing")
    parser.add_argument("--epochs", type=int, default=1)
    given = parser.parse_args()
    if given.write:
        common.report(megabytes=write(given.data, given.examples))
    else:
        common.report(**measure(given.data, given.examples, given.epochs))


if __name__ == "__main__":
    main()
