"""`inspect`: what a module is and what differs between two, from the command line."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import inspect
from tests import modules
from tests.format.editing import export
from tests.modules import tf1

ROOT = pathlib.Path(__file__).parent.parent
GOLDENS = ROOT / "tests" / "goldens"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("batch_norm", "file_table"):
        shutil.copytree(GOLDENS / name / "module", tmp_path / name)
    return tmp_path


def run(*arguments):
    return inspect.run(["inspect", *arguments])


def test_a_module(here, capsys):
    assert run("batch_norm") == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert captured.out == (
        "TF1 Hub module batch_norm\n"
        "  digest      7b53d4344c1256aa99addee91ffd2c380c219513c57e5017a1abd91a1e818d66\n"
        "  written by  TensorFlow 2.15.1\n"
        "  size        9.9 kB of graphs, 200 B of values\n"
        "\n"
        "2 variables of 12 parameters:\n"
        "  scope   variables  parameters  bytes  trainable  parameters\n"
        "  (none)  2          12          48 B   1          9\n"
        "\n"
        "Graph without tags, 29 operations:\n"
        "  signature default\n"
        "    input   default  float32 [?, 3]\n"
        "    output  default  float32 [?, 3]\n"
        "  1 regularization loss\n"
        "\n"
        "Graph with the tags train, 38 operations:\n"
        "  its signatures are those of the graph without tags\n"
        "  1 regularization loss\n"
        "  1 update operation\n"
        "\n"
        "Common signatures of TF Hub:\n"
        "  text                  no: its input 'default' is float32 [?, 3], not string [batch]\n"
        "  text from token ids   no: it has no signature 'tokens'\n"
        "  image feature vector  no: it has no signature 'image_feature_vector'\n"
        "  image classification  no: it has no signature 'image_classification'\n"
    )


def test_json(here, capsys):
    assert run("file_table", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["kind"] == "TF1 Hub module"
    assert found["assets"][0]["name"] == "vocabulary.txt"


def test_a_difference(here, capsys):
    assert run("batch_norm", "--diff=file_table") == 0
    assert capsys.readouterr().out == (
        "first:  TF1 Hub module batch_norm\n"
        "second: TF1 Hub module file_table\n"
        "\n"
        "In general:\n"
        "  - variant train\n"
        "\n"
        "Graphs:\n"
        "  ~ operations: 29 -> 15\n"
        "  ~ regularization losses: 1 -> 0\n"
        "  + table hash_table: string to int64, 3 entries, filled from 'vocabulary.txt'\n"
        "\n"
        "Signatures:\n"
        "  ~ signature default input default: float32 [?, 3] -> string [?]\n"
        "  ~ signature default output default: float32 [?, 3] -> float32 [?, 2]\n"
        "  + signature default output rows: int64 [?]\n"
        "\n"
        "Variables:\n"
        "  - w: float32 [3, 3], trainable\n"
        "  - average: float32 [3], not trainable\n"
        "  + embeddings: float32 [4, 2], trainable\n"
        "\n"
        "Assets:\n"
        "  + vocabulary.txt: 6 bytes, SHA-256\n"
        "      880553fca8fcea94e325ee2cfb48e5a985cc797f39a14cc6d3cedecfeb2ae4d2\n"
    )
    assert run("--diff", "file_table", "file_table") == 0
    assert capsys.readouterr().out == (
        "first:  TF1 Hub module file_table\n"
        "second: TF1 Hub module file_table\n"
        "\n"
        "Their contents are the same.\n"
        "\n"
        "Values: 0 changed, 1 the same\n"
    )
    assert run("--json", "file_table", "--diff=batch_norm") == 0
    assert json.loads(capsys.readouterr().out)["is_none"] is False


def test_values_that_changed(here, capsys):
    def write(name, value):
        def module_fn():
            w = tf1.get_variable("w", [4], initializer=tf1.constant_initializer(value))
            v = tf1.get_variable("v", [2], initializer=tf1.ones_initializer())
            hub.add_signature(outputs={"default": w, "v": v})

        export(module_fn, name)

    write("a", [1.0, 2.0, 3.0, 4.0])
    write("b", [1.0, 2.0, 3.0, 4.5])
    write("c", [1.0, 2.0, 3.0, float("inf")])
    head = "first:  TF1 Hub module a\nsecond: TF1 Hub module {}\n\nValues: 1 changed, 1 the same:\n"
    assert run("a", "--diff=b") == 0
    assert capsys.readouterr().out == head.format("b") + (
        "  value  elements  changed  largest  RMS   RMS before\n"
        "  w      4         1        0.5      0.25  2.74\n"
    )
    assert run("a", "--diff=c") == 0
    assert capsys.readouterr().out == head.format("c") + (
        "  value  elements  changed  largest  RMS  RMS before  not finite\n"
        "  w      4         1        0        0    2.16        1\n"
    )


def test_all_that_a_graph_may_have(here, capsys):
    def module_fn():
        images = tf1.placeholder(tf.float32, [None, 5, 6, 3])
        read = [tf.io.read_file("/etc/hostname", name=f"read_{number}") for number in range(2)]
        with tf.control_dependencies(read):
            outputs = {"default": tf.reduce_mean(images, [1, 2])}
        hub.add_signature("image_feature_vector", {"images": images}, outputs)
        info = hub.ImageModuleInfo()
        info.default_image_size.height = info.default_image_size.width = 6
        hub.attach_image_module_info(info)

    export(module_fn, "images")
    assert run("images") == 0
    output = capsys.readouterr().out
    assert "\nNo variables.\n\nGraph without tags, " in output
    assert (
        "    output  default  float32 [?, 3]\n"
        "  attached: image_module_info (6 B)\n"
        "  images of 6 x 6 pixels\n"
        "  it reads files: ReadFile read_0, ReadFile read_1\n"
    ) in output
    assert "\n  image feature vector  yes\n" in output


def test_a_checkpoint(here, capsys):
    assert run("file_table/variables/variables") == 0
    output = capsys.readouterr().out
    assert output.startswith("checkpoint file_table/variables/variables\n  digest  ")
    assert output.endswith(
        "1 variable of 8 parameters:\n"
        "  scope   variables  parameters  bytes  trainable  parameters\n"
        "  (none)  1          8           32 B   -          -\n"
    )


def test_names_from_outside_and_many_of_them(here, capsys):
    def module_fn():
        x = tf1.placeholder(tf.float32, [None])
        for number in range(30):
            tf1.get_variable(f"{'scope' * 20}_{number}/w", [2])
        outputs = {f"y{number:03}": x for number in range(30)}
        hub.add_signature("a\x1b[2J\n" + 200 * "b", {"x\u202ey": x}, outputs)

    export(module_fn, "odd")
    for arguments in (["odd"], ["odd", "--diff=batch_norm"], ["batch_norm", "--diff=odd"]):
        assert run(*arguments) == 0
        lines = capsys.readouterr().out.splitlines()
        assert max(map(len, lines)) <= 100
        assert all(line.isprintable() for line in lines)
        assert any(line.endswith("(--json has all)") for line in lines)
    assert run("odd") == 0
    output = capsys.readouterr().out
    assert "  and 11 more (--json has all)\n" in output  # a row is the sum
    assert "  and 10 more outputs (--json has all)\n" in output
    assert "\n  scopescopescope ... opescopescope_0  1          2           8 B " in output
    assert run("odd", "--json") == 0
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Give one module to look at, not 0."),
        (["a", "b"], "Give one module to look at, not 2."),
        (["a", "--diff="], "flag --diff=: It is empty; give it a module."),
        (["a", "--jsn"], "Unknown command line flag 'jsn'. Did you mean: json ?"),
    ],
)
def test_wrong_usage(here, capsys, arguments, message):
    assert run(*arguments) == 2
    captured = capsys.readouterr()
    assert captured.err == f"error: {message}\n" and captured.out == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none"], "There is nothing at 'none' (in {here}): check the path of the module."),
        (
            ["batch_norm", "--diff=none"],
            "There is nothing at 'none' (in {here}): check the path of the module.",
        ),
        (
            ["."],
            (
                ". is no module, SavedModel or checkpoint: it has no saved_model.pb and no "
                "checkpoint's index. It holds: batch_norm, file_table. Give the folder that has the "
                "saved_model.pb, or the prefix of a checkpoint."
            ),
        ),
        (
            [""],
            (
                "The handle '' is empty or has a NUL character: give the URL or the folder of the "
                "module."
            ),
        ),
    ],
)
def test_what_is_no_module(here, capsys, arguments, message):
    assert run(*arguments) == 1
    captured = capsys.readouterr()
    assert captured.err == f"error: {message.format(here=here)}\n" and captured.out == ""


def test_flags_are_checked_without_tensorflow(here):
    (here / "tensorflow.py").write_text("raise ImportError('imported')")
    environment = {**os.environ, "PYTHONPATH": f"{here}{os.pathsep}{ROOT}"}
    for arguments, status in ((["--help"], 0), (["a", "b"], 2), (["a", "--x"], 2)):
        result = subprocess.run(
            [sys.executable, "-m", "hub_estimator.inspect", *arguments],
            check=False, capture_output=True, text=True, env=environment,
        )  # fmt: skip
        assert result.returncode == status and "imported" not in result.stderr


def test_the_command_prints_nothing_else(here):
    result = subprocess.run(
        [sys.executable, "-m", "hub_estimator.inspect", "file_table", "--json"],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert (result.returncode, result.stderr) == (0, "")
    assert json.loads(result.stdout)["digest"] == hub.describe("file_table").digest


def test_a_model_folder_shows_its_latest_checkpoint(here, capsys):
    path = modules.export(hub, modules.define(hub, "dense", ""), "dense")
    pathlib.Path(path, "tfhub_module.pb").unlink()
    pathlib.Path(path, "saved_model.pb").unlink()
    for file in pathlib.Path(path, "variables").iterdir():
        file.rename(pathlib.Path(path, file.name.replace("variables", "model.ckpt-5")))
    pathlib.Path(path, "checkpoint").write_text('model_checkpoint_path: "model.ckpt-5"\n')
    assert run("dense") == 0
    assert capsys.readouterr().out.startswith(
        "checkpoint dense\n  path    dense/model.ckpt-5\n  digest  "
    )
