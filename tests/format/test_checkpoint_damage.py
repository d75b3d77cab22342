"""Damaged checkpoints: which file is it?"""

from __future__ import annotations

import os

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import errors
from hub_estimator.format.checkpoint import Value, save_operation
from hub_estimator.format.checkpoint_damage import damage
from tests import modules
from tests.modules import tf1

INDEX, FIRST, SECOND = "index", "data-00000-of-00002", "data-00001-of-00002"


@pytest.fixture
def prefix(tmp_path):
    """A checkpoint of a module's variables in two data files, which is whole."""
    values = [
        Value(name, "", np.ones(shape, np.float32)) for name, shape in (("w", [3, 2]), ("b", [2]))
    ]
    path = str(tmp_path / "model.ckpt-3")
    keys, arrays = [value.key for value in values], [tf.constant(value.array) for value in values]
    save = save_operation(path, keys, ["", ""], arrays, [[0], [1]])
    with tf1.Session() as session:
        session.run(save)
    assert damage(path) is None
    return path


def cut(path, size):
    with open(path, "r+b") as file:
        file.truncate(size)


def zero(path):
    size = os.path.getsize(path)
    with open(path, "wb") as file:
        file.write(b"\0" * size)


def replace_by_folder(path):
    os.remove(path)
    os.mkdir(path)


NO_INDEX = "model.ckpt-3.index is no index of a checkpoint any more"
OTHER = "does not hold what was saved: its checksum is another one"


@pytest.mark.parametrize(
    ("file", "how", "expected"),
    [
        (INDEX, os.remove, "model.ckpt-3.index is missing"),
        (INDEX, lambda path: cut(path, 0), "model.ckpt-3.index is empty"),
        (INDEX, lambda path: cut(path, 60), NO_INDEX),
        (INDEX, lambda path: cut(path, 10), NO_INDEX),
        (INDEX, zero, NO_INDEX),
        (SECOND, os.remove, f"model.ckpt-3.{SECOND} is missing"),
        (SECOND, lambda path: cut(path, 0), f"model.ckpt-3.{SECOND} is empty"),
        (SECOND, zero, f"model.ckpt-3.{SECOND} {OTHER}"),
        (
            FIRST,
            lambda path: cut(path, 5),
            f"one of model.ckpt-3.{FIRST}, model.ckpt-3.{SECOND} is cut short",
        ),
    ],
)
def test_the_file_that_is_damaged(prefix, file, how, expected):
    how(f"{prefix}.{file}")
    assert damage(prefix) == expected


def test_the_one_data_file_that_is_cut(tmp_path):
    tf1.get_variable("w", [3, 2])
    with tf1.Session() as session:
        modules.initialize(session)
        prefix = tf1.train.Saver().save(session, str(tmp_path / "model.ckpt"), 1)
    cut(f"{prefix}.data-00000-of-00001", 7)
    assert damage(prefix) == "model.ckpt-1.data-00000-of-00001 is cut short"


def test_what_is_no_file(prefix):
    replace_by_folder(f"{prefix}.{FIRST}")
    assert damage(prefix) == f"'{prefix}.{FIRST}' is a folder; a regular file is needed here"


def test_each_byte_of_the_index_counts(prefix):
    with open(f"{prefix}.index", "rb") as file:
        content = file.read()
    whole = tf.train.load_checkpoint(prefix).get_variable_to_shape_map()
    for place in range(0, len(content), 3):
        changed = bytearray(content)
        changed[place] ^= 0xFF
        with open(f"{prefix}.index", "wb") as file:
            file.write(changed)
        # What fills the index up says nothing.
        if damage(prefix) is None:
            assert tf.train.load_checkpoint(prefix).get_variable_to_shape_map() == whole


def test_nothing_there(tmp_path):
    assert damage(str(tmp_path / "no" / "a")) == "a.index is missing"


def test_a_module_exported_from_a_damaged_checkpoint(prefix, tmp_path):
    zero(f"{prefix}.{SECOND}")
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(errors.DamagedCheckpointError) as caught:
        modules.define(hub, "dense", "").export(tmp_path / "module", checkpoint_path=prefix)
    assert str(caught.value) == (
        f"The checkpoint {prefix!r} is damaged: model.ckpt-3.{SECOND} {OTHER}. Give another one."
    )
    assert sorted(os.listdir(tmp_path)) == before
