"""A run with parts of the user's own: its gin file imports them, its model folder must not."""

from __future__ import annotations

import re
import sys

import pytest

from hub_estimator import evaluate, train
from tests import text_data

PARTS = """
import gin


@gin.configurable(module="own_parts")
def square(x):
    return x * x
"""
OWN = """
import own_parts
include 'smoke.gin'
Model.head = @RegressionHead()
METRIC = 'loss'
Experiment.report = None
MODULE = 'module'
TRAIN_DATA = 'data.csv'
EVAL_DATA = 'data.csv'
DenseLayers.activation = @square
"""


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """A folder with a module, data, a gin file, and the module of Python that this imports."""
    folder = tmp_path_factory.mktemp("own")
    text_data.write_module(folder / "module")
    text_data.write_data(folder / "data.csv")
    (folder / "own.gin").write_text(OWN)
    (folder / "own_parts.py").write_text(PARTS)
    sys.path.append(str(folder))  # where Python finds what it runs with -m
    yield folder
    sys.path.remove(str(folder))


def test_a_run_with_own_parts_and_what_comes_after_it(here, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(here)
    assert train.run(["train", "--gin_file=own.gin", "--model_dir=model"]) == 0
    commands = re.findall(r"hub_estimator.train (.*--model_dir=)\S", capsys.readouterr().out)
    again = "--gin_file=model/operative_config.gin --allow_import=own_parts --model_dir="
    assert set(commands) == {again}
    settings = here / "model" / "operative_config.gin"
    assert not re.search(r"^(import|from) ", settings.read_text(), re.MULTILINE)
    # As in a process that has not imported it: gin cannot forget what it knows.
    settings.write_text(settings.read_text().replace("@square", "@cube"))
    monkeypatch.chdir(tmp_path)
    folder = str(here / "model")
    assert evaluate.run(["evaluate", f"--model_dir={folder}"]) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert re.fullmatch(
        rf"error: Nothing configurable is called 'cube' \('{settings}', line \d+\)\. The "
        r"configuration of a model folder imports nothing\. Where a module of yours registers that, "
        r"give --allow_import=own_parts\.",
        error,
    )
    (here / "own_parts_too.py").write_text(PARTS.replace("square", "cube"))
    allowed = "--allow_import=own_parts_too"
    assert evaluate.run(["evaluate", f"--model_dir={folder}", allowed]) == 0
    assert "Evaluation of model.ckpt-20:" in capsys.readouterr().out
    more = [f"--gin_file={settings}", allowed, "--model_dir=next", "--gin_bindings=MAX_STEPS=2"]
    assert train.run(["train", *more]) == 0
    assert '\n# imports = ["own_parts_too"]\n' in (tmp_path / "next" / settings.name).read_text()


def test_an_allowed_module_that_is_not_there(here, capsys):
    flags = ["--gin_file=smoke.gin", "--allow_import=no_such_module", "--model_dir=model"]
    assert train.run(["train", *flags]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == (
        "error: Importing no_such_module fails (--allow_import=no_such_module): "
        "ModuleNotFoundError: No module named 'no_such_module'."
    )
