"""Digests of data and of modules: equal where contents are, and only there."""

from __future__ import annotations

import os
import shutil

import numpy as np
import pytest
import tensorflow as tf

from hub_estimator.digests import Digest
from hub_estimator.training.inputs.values import Pixels, Ragged, add_column
from hub_estimator.training.model.encoders import Encoder

NO_TAGS = frozenset()


def of(*parts, column=None):
    digest = Digest()
    digest.add(*parts)
    if column is not None:
        add_column(digest, column)
    return digest.hexadecimal()


def texts(*values):
    return np.array(values, object)


def test_where_a_part_ends_counts():
    assert of("ab", "c") == of("ab", "c") == of(b"ab", "c")
    assert len({of("ab", "c"), of("a", "bc"), of("abc"), of("abc", "")}) == 4


def test_columns():
    columns = [
        texts(b"ab", b"c"),
        texts(b"a", b"bc"),
        np.array([1, 2], np.int64),
        np.array([1, 2], np.float32),
        np.array([[1, 2]], np.int64),
        np.array([[1], [2]], np.int64),
        Ragged(np.array([1, 2, 3]), np.array([0, 1, 3])),
        Ragged(np.array([1, 2, 3]), np.array([0, 2, 3])),
        Ragged(np.array([1, 2, 4]), np.array([0, 2, 3])),
        Pixels(np.zeros([1, 2, 2, 3], np.uint8)),
        Pixels(np.ones([1, 2, 2, 3], np.uint8)),
    ]
    assert len({of(column=column) for column in columns}) == len(columns)
    assert of(column=columns[0]) == of(column=texts(b"ab", b"c"))
    # Views of other arrays are their values.
    assert of(column=np.arange(6)[::2]) == of(column=np.array([0, 2, 4]))


def test_files(tmp_path):
    found = set()
    for content in (b"", b"a", b"b"):
        (tmp_path / "file").write_bytes(content)
        digest = Digest()
        digest.add_file(str(tmp_path / "file"))
        found.add(digest.hexadecimal())
    assert len(found) == 3


def module_digest(path, tags=NO_TAGS):
    return Encoder(str(path)).module.digest(tags)


def test_a_module_and_its_copy(text_module, tmp_path):
    shutil.copytree(text_module, tmp_path / "copy")
    assert module_digest(text_module) == module_digest(tmp_path / "copy")
    assert module_digest(text_module) != module_digest(text_module, frozenset({"train"}))


@pytest.fixture(params=["module", "saved_model"])
def with_vocabulary(request, tmp_path):
    """A folder of a module that has one asset."""
    path = tmp_path / "made"
    if request.param == "module":
        golden = os.path.join(os.path.dirname(__file__), "..", "goldens", "file_table", "module")
        shutil.copytree(golden, path)
        return path
    vocabulary = tmp_path / "vocabulary.txt"
    vocabulary.write_text("a\nb\n")
    with tf.init_scope():
        made = tf.Module()
        made.vocabulary = tf.saved_model.Asset(str(vocabulary))
        tf.saved_model.save(made, str(path))
    return path


def test_the_content_of_assets_counts(with_vocabulary):
    before = module_digest(with_vocabulary)
    assert before == module_digest(with_vocabulary)
    (name,) = os.listdir(with_vocabulary / "assets")
    (with_vocabulary / "assets" / name).write_text("c\nd\n")
    assert module_digest(with_vocabulary) != before
