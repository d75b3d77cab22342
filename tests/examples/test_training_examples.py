"""The examples that use the training framework: swapping modules, ways to fine-tune."""

from __future__ import annotations

import os

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from examples import fine_tune, swap_modules
from examples.text_embeddings import module as text_module
from examples.text_embeddings.vectors import WordVectors

WORDS = ["good", "bad", "film"]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Flags for reviews that one word decides."""
    folder = tmp_path_factory.mktemp("data")
    rows = "".join(f"a {WORDS[i % 2]} film,{(i + 1) % 2}\n" for i in range(200))
    for name in ("train", "test"):
        (folder / f"{name}.csv").write_text(f"text,label\n{rows}", encoding="utf-8")
    return [f"--train_data={folder}/train.csv", f"--eval_data={folder}/test.csv"]


@pytest.fixture(scope="module")
def told_apart(tmp_path_factory):
    """A module that tells good from bad."""
    vectors = WordVectors(WORDS, np.array([[1, 0], [0, 1], [1, 1]], np.float32))
    return text_module.publish(vectors, tmp_path_factory.mktemp("modules") / "good")


@pytest.fixture(scope="module")
def all_alike(tmp_path_factory):
    """A module that gives all words the same vector."""
    vectors = WordVectors(WORDS, np.ones([3, 2], np.float32))
    return text_module.publish(vectors, tmp_path_factory.mktemp("modules") / "alike")


def _embeddings(folder):
    """The vectors of the latest module exported in a model folder, which may have a best one too."""
    folders = (path for path, _, names in os.walk(folder) if "tfhub_module.pb" in names)
    (path,) = (path for path in folders if "best_module" not in path)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        variable = hub.Module(path).variable_map["embeddings"]
        session.run(tf.compat.v1.global_variables_initializer())
        return session.run(variable)


def test_swapping_modules_shows_the_better_one_first(tmp_path, data, told_apart, all_alike, capsys):
    handles = [f"--module={all_alike}", f"--module={told_apart}"]
    argv = ["swap", *handles, *data, f"--model_dir={tmp_path}", "--max_steps=20"]
    assert swap_modules.run(argv) == 0
    assert capsys.readouterr().out.splitlines() == [
        "accuracy  module",
        f"  1.0000  {told_apart}",
        f"  0.5000  {all_alike}",
    ]
    names = {swap_modules.folder_name(handle) for handle in (told_apart, all_alike)}
    assert set(os.listdir(tmp_path)) == names
    np.testing.assert_array_equal(
        _embeddings(tmp_path / swap_modules.folder_name(all_alike)), [[1, 1]] * 3 + [[0, 0]]
    )


def test_swapped_modules_are_fine_tuned_when_asked(tmp_path, data, all_alike):
    argv = ["swap", f"--module={all_alike}", *data, f"--model_dir={tmp_path}", "--max_steps=2"]
    assert swap_modules.run([*argv, "--fine_tune"]) == 0
    assert np.abs(_embeddings(tmp_path)[:2] - 1).min() > 1e-3


@pytest.mark.parametrize(
    ("handle", "name"),
    [
        ("out/module", "out_module"),
        ("https://example.com/a-b/1?raw=true", "https_example.com_a-b_1_raw_true"),
        ("../module/", "module"),
    ],
)
def test_each_handle_has_a_folder(handle, name):
    assert swap_modules.folder_name(handle) == name


def test_two_handles_with_one_folder(tmp_path, data, capsys):
    argv = ["swap", "--module=a/b", "--module=a_b", *data, f"--model_dir={tmp_path}/models"]
    assert swap_modules.run(argv) == 1
    assert capsys.readouterr().err == (
        "error: The models of the modules 'a/b' and 'a_b' would have one folder, a_b. Give each a "
        "--model_dir of its own.\n"
    )
    assert swap_modules.run(["swap", "--module=..", *data, f"--model_dir={tmp_path}/models"]) == 1
    assert capsys.readouterr().err == (
        "error: The folder of the module '..' is '', which cannot be the name of a file or folder: "
        "it is empty. Choose a name of letters, digits, '_' and '-'.\n"
    )
    assert not (tmp_path / "models").exists()


def test_ways_to_fine_tune(tmp_path, data, all_alike, capsys):
    argv = ["fine_tune", f"--module={all_alike}", *data, f"--model_dir={tmp_path}"]
    assert fine_tune.run([*argv, "--max_steps=4"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[10:] for line in lines] == [
        "settings",
        "FINE_TUNE = False",
        "FINE_TUNE = True",
        "FINE_TUNE = True, Encoder.learning_rate_multiplier = 0.1",
        "FINE_TUNE = True, Encoder.train_from_step = 2",
    ]
    assert all(0 <= float(line[:10]) <= 1 for line in lines[1:])
    frozen, tuned, slowly, later = (
        np.abs(_embeddings(tmp_path / name)[:2] - 1).max()
        for name in ("frozen", "tuned", "slowly", "later")
    )
    assert frozen == 0 < slowly < tuned
    assert 0 < later < tuned


def test_wrong_data_is_one_error_before_anything_is_written(tmp_path, data, told_apart, capsys):
    argv = ["swap", f"--module={told_apart}", data[0], f"--eval_data={tmp_path}/none.csv"]
    assert swap_modules.run([*argv, f"--model_dir={tmp_path}/models"]) == 1
    assert capsys.readouterr().err == f"error: There is no data file '{tmp_path}/none.csv'.\n"
    assert not (tmp_path / "models").exists()
