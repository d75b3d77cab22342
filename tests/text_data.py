"""A small text module and data that a run of a command can train on."""

from __future__ import annotations

import csv
import os
import pathlib

import tensorflow as tf

import hub_estimator as hub

# Added to smoke.gin, for tests that are not about evaluations or what follows them: a head of few
# metrics, no exports and no report, which cost several times what training does.
LEAN = (
    "Model.head=@RegressionHead()",
    "METRIC='loss'",
    "Experiment.exporters=[]",
    "Experiment.report=None",
)


def module_fn() -> None:
    """Texts `[B]` to their hash's row of a table, `[B, 4]`."""
    text = tf.compat.v1.placeholder(tf.string, [None])
    rows = tf.strings.to_hash_bucket_fast(text, 8)
    table = tf.compat.v1.get_variable("embeddings", [8, 4])
    hub.add_signature(inputs={"text": text}, outputs=tf.nn.embedding_lookup(table, rows))


def write_module(path: str | os.PathLike[str]) -> None:
    """Exports a module with random values."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        module = hub.Module(hub.create_module_spec(module_fn))
        session.run(tf.compat.v1.global_variables_initializer())
        module.export(path, session)


def write_data(path: str | os.PathLike[str], number: int = 64) -> None:
    """Writes so many examples; the label follows from the text."""
    with open(path, "w", newline="") as file:
        rows = [("good" if number % 2 else "bad", number % 2) for number in range(number)]
        csv.writer(file).writerows([("text", "label"), *rows])


def write_both(folder: pathlib.Path) -> pathlib.Path:
    """Writes a module, `module`, and data, `data.csv`, into a folder; returns that."""
    write_module(folder / "module")
    write_data(folder / "data.csv")
    return folder
