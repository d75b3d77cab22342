"""The commands, given a model folder whose configuration is a stranger's: nothing of it runs."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

from hub_estimator import evaluate, export, predict, train

pytestmark = pytest.mark.one_tensorflow

ROOT = str(pathlib.Path(__file__).parent.parent)
COMMANDS = {
    "evaluate": (evaluate, ["--model_dir=model"]),
    "predict": (predict, ["--model_dir=model", "--input=a.csv", "--output=b.csv"]),
    "export": (export, ["--model_dir=model", "--export_path=exported"]),
    "train": (train, ["--model_dir=new", "--gin_file=model/operative_config.gin"]),
}
# Everything that a command needs, and then what a stranger adds.
SOUND = """
Experiment.max_steps = 2
Experiment.eval_every_steps = 2
Experiment.model = @Model()
Experiment.train_input = @TextFile()
Experiment.eval_input = @TextFile()
TextFile.path = 'data.csv'
Model.encoders = [@Encoder()]
Model.layers = @DenseLayers()
Model.head = @BinaryClassHead()
Model.optimization = @Optimization()
Optimization.optimizer = @AdagradOptimizer
Optimization.learning_rate = 0.1
DenseLayers.units = [4]
Encoder.handle = 'module'
"""
REGISTRATION = """from __gin__ import dynamic_registration
import subprocess
Encoder.handle = @subprocess.getoutput()
subprocess.getoutput.cmd = 'touch ran'
"""
WRONG_HEAD = """Model.head = @MultiClassHead()
MultiClassHead.n_classes = 3
MultiClassHead.label_vocabulary = ['a']
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working folder that has a module which says that it ran."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "hostile.py").write_text("open('ran', 'w').close()\n")
    (tmp_path / "more.gin").write_text("import hostile\n")
    (tmp_path / "model").mkdir()
    yield tmp_path
    assert not (tmp_path / "ran").exists() and "hostile" not in sys.modules


def configure(here, text):
    (here / "model" / "operative_config.gin").write_text(SOUND + text)


def only_error(capsys):
    [line] = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    return line.removeprefix("error: ")


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import hostile", "imports 'hostile'. A model folder is data, so its configuration "),
        (REGISTRATION, "asks for gin's 'dynamic_registration'. A model folder is data, "),
        ("include 'more.gin'", "includes 'more.gin'. A model folder is data, "),
        ("Encoder.handle = @hostile.f()", "Nothing configurable is called 'hostile.f' ("),
        ("A = [%A]\nEncoder.handle = %A", "A contains itself: A > A. Give one of these settings "),
        ("A = 'x\x1b[31m", "Cannot parse 'model/operative_config.gin', line 16: a string does not"),
        ("A = " + "[" * 100_000, "brackets are in one another more than 50 deep."),
        (WRONG_HEAD, "MultiClassHead: n_classes is 3, but label_vocabulary has 1: a. "),
    ],
    ids=range(8),
)
def test_one_error_and_nothing_runs(here, name, text, expected, capsys):
    configure(here, text)
    command, flags = COMMANDS[name]
    assert command.run([name, *flags]) == 1
    message = only_error(capsys)
    assert expected in message and "In call to configurable" not in message
    assert sorted(os.listdir(here)) == ["hostile.py", "model", "more.gin"]


def test_a_program_of_its_own(here):
    configure(here, "import hostile")
    result = subprocess.run(
        [sys.executable, "-m", "hub_estimator.evaluate", "--model_dir=model"],
        check=False, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": ROOT},
    )  # fmt: skip
    assert result.returncode == 1 and result.stdout == ""
    assert result.stderr == (
        "error: 'model/operative_config.gin', line 16 imports 'hostile'. A model folder is data, so "
        "its configuration imports nothing. Where you trust that module, give "
        "--allow_import=hostile.\n"
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_where_it_writes_and_what_it_fetches_is_left_out(here, name, caplog, capsys):
    configure(
        here,
        "FeatureCache.folder = '/'\nFeatureCache.max_gigabytes = 0.001\nTfdsInput.download = True\n"
        "Experiment.feature_cache = @FeatureCache()\n",
    )
    command, flags = COMMANDS[name]
    assert command.run([name, *flags]) == 1
    only_error(capsys)
    left_out = [message.split(",")[0] for message in caplog.messages if "has no effect" in message]
    path = "model/operative_config.gin sets"
    assert left_out == [
        f"{path} FeatureCache.folder",
        f"{path} FeatureCache.max_gigabytes",
        f"{path} TfdsInput.download",
    ]
