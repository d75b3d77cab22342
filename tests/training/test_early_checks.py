"""What is wrong with a run before TensorFlow is imported: the message that comes after it, earlier."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

from hub_estimator import errors, train
from hub_estimator.training import early_checks
from tests import text_data

ROOT = str(pathlib.Path(__file__).parents[2])
TRAIN = "hub_estimator.train"
FILE = ["text_classification.gin"]


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """A folder with a module, data, and a model folder that holds nothing but its settings."""
    folder = tmp_path_factory.mktemp("early")
    text_data.write_module(folder / "module")
    text_data.write_data(folder / "data.csv")
    (folder / "model").mkdir()
    (folder / "python").mkdir()
    (folder / "python" / "experiment.txt").write_text("Experiment(...)\n")
    (folder / "images.gin").write_text(
        "include 'image_classification.gin'\nMODULE = 'module'\nEVAL_DATA = 'module'\n"
    )
    (folder / "canned.gin").write_text("include 'canned_dnn.gin'\nMODULE = 'nothing'\n")
    # What imports it ends at once, in a way that no error of ours looks like.
    (folder / "no_tensorflow").mkdir()
    (folder / "no_tensorflow" / "tensorflow.py").write_text("import os\nos._exit(99)\n")
    return folder


def given(**macros) -> list[str]:
    """Bindings of the module and the data."""
    values = {"MODULE": "module", "TRAIN_DATA": "data.csv", "EVAL_DATA": "data.csv", **macros}
    return [f"{name} = {value!r}" for name, value in values.items()]


def process(here, command, *arguments):
    """Runs a command where importing TensorFlow ends the process with status 99."""
    path = os.pathsep.join([str(here / "no_tensorflow"), ROOT])
    return subprocess.run(
        [sys.executable, "-m", command, *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=here,
        env={**os.environ, "PYTHONPATH": path},
    )


def flags(files, bindings):
    return [
        *(f"--gin_file={file}" for file in files),
        *(f"--gin_bindings={binding}" for binding in bindings),
    ]


WRONG = [
    (["nothing.gin"], [], "There is no gin file 'nothing.gin'. Give a path, or one of the "),
    (
        FILE,
        [],
        "The configuration needs EVAL_DATA, MODULE, TRAIN_DATA. Give it in a gin file or by ",
    ),
    (FILE, ["MODULE = a"], "Cannot parse the binding 'MODULE = a': malformed node or string 'a'. "),
    (
        FILE,
        [*given(), "Encoder.handle = %MODUL"],
        "The configuration uses %MODUL, which it does not define. Did you mean MODULE?",
    ),
    (
        FILE,
        [*given(), "Encoder.trainabel = True"],
        (
            "Encoder has no parameter 'trainabel' (the binding 'Encoder.trainabel = True'). Did you mean "
            "trainable?"
        ),
    ),
    (
        FILE,
        [*given(), "Optimization.optimizer = @AdamW"],
        (
            "Nothing configurable is called 'AdamW' (the binding 'Optimization.optimizer = @AdamW'). "
            "Did you mean AdamWOptimizer or Adam?"
        ),
    ),
    (
        FILE,
        [*given(), "Experiment.source = 1"],
        (
            "Experiment.source cannot be configured (the binding 'Experiment.source = 1'): the run "
            "itself gives it."
        ),
    ),
    (
        FILE,
        [*given(), "MODUEL = 'x'"],
        (
            "Nothing reads this setting: MODUEL (Did you mean MODULE?) Correct the name, or remove the "
            "binding."
        ),
    ),
    (
        FILE,
        [*given(), "EarlyStopping.patience = 7"],
        (
            "Nothing reads this setting: EarlyStopping.patience (Nothing uses EarlyStopping. To use it, "
            "set Experiment.early_stopping = @EarlyStopping().) Correct the name, or remove the binding."
        ),
    ),
    (FILE, [*given(), "A = %A", "Encoder.handle = %A"], "A contains itself: A > A. Give one of "),
    (FILE, given(MODULE="no"), "There is nothing at 'no' (in "),
    (
        FILE,
        given(MODULE="data.csv"),
        "'data.csv' is a file: give the folder of the module, or its ",
    ),
    (FILE, given(TRAIN_DATA="a.csv"), "There is no data file 'a.csv'."),
    (FILE, given(EVAL_DATA="b.csv"), "There is no data file 'b.csv'."),
    (["images.gin"], ["TRAIN_DATA = 'images'"], "There is no folder 'images'."),
    (["images.gin"], ["TRAIN_DATA = 'data.csv'"], "'data.csv' is a file; a folder of images is "),
    (["canned.gin"], given()[1:], "There is nothing at 'nothing' (in "),
]


@pytest.mark.parametrize(("files", "bindings", "message"), WRONG, ids=range(len(WRONG)))
def test_it_is_said_without_tensorflow_and_the_same_with_it(
    here, files, bindings, message, monkeypatch, capsys
):
    monkeypatch.chdir(here)
    with pytest.raises(errors.Error) as caught:
        early_checks.check_training(files, bindings, ())
    assert str(caught.value).startswith(message)
    # All of it once more, by the checks of the run itself.
    monkeypatch.setattr(early_checks, "check_training", lambda *given, **options: None)
    assert train.run(["train", *flags(files, bindings), "--model_dir=new"]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == f"error: {caught.value}"
    assert not (here / "new").exists()


@pytest.mark.parametrize("number", [0, 1, 4, 7, 10, 12])
def test_the_command_imports_no_tensorflow_to_say_it(here, number):
    files, bindings, message = WRONG[number]
    result = process(here, TRAIN, *flags(files, bindings), "--model_dir=new")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith(f"error: {message}") and result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "more",
    [
        [],
        # Only TensorFlow knows which parameters its parts have, and with which defaults.
        ["AdamOptimizer.beta = 1"],
        ["AdamOptimizer.beta1 = 0.5", "MODUEL = 1"],
    ],
)
def test_what_may_be_right_goes_on_to_tensorflow(here, more):
    arguments = [*flags(FILE, [*given(), *more]), "--model_dir=new"]
    assert process(here, TRAIN, *arguments).returncode == 99


@pytest.mark.parametrize(
    ("files", "bindings", "imports"),
    [
        (["own.gin"], [], ()),  # it imports a module, which may register what follows
        (FILE, ["import own_parts", "OwnPart.x = 1"], ()),
        (FILE, ["OwnPart.x = 1"], ["own_parts"]),
        (["s3://bucket/own.gin"], [], ()),
        # What is wrong is not that nothing reads EVAL_DATA any more.
        (FILE, [*given(), "Experiment.eval_input = @TextFile"], ()),
        (FILE, given(MODULE="https://example.com/module/1"), ()),
        (FILE, given(MODULE="nothing.tar.gz"), ()),
        (FILE, given(TRAIN_DATA="s3://bucket/data.csv"), ()),
    ],
)
def test_what_only_an_import_tells_is_left_for_later(here, files, bindings, imports, monkeypatch):
    (here / "own.gin").write_text("import own_parts\nOwnPart.x = 1\n")
    monkeypatch.chdir(here)
    early_checks.check_training(files, bindings, imports)


def test_before_an_import_texts_are_checked_in_their_order(here, monkeypatch):
    monkeypatch.chdir(here)
    (here / "wrong.gin").write_text("import own_parts\nEncoder.handel = 1\nOwnPart.x = (\n")
    with pytest.raises(errors.ConfigError, match=r"^Cannot parse 'wrong.gin', line 3: "):
        early_checks.check_training(["wrong.gin"], (), ())


def test_without_places_neither_module_nor_data_need_be_there(here, monkeypatch):
    monkeypatch.chdir(here)
    given_ = given(MODULE="no", TRAIN_DATA="no", EVAL_DATA="no")
    early_checks.check_training(FILE, given_, (), with_places=False)


FOLDERS = [
    ("no", [], "There is no model folder 'no'."),
    (
        "module",
        [],
        "The folder 'module' has no operative_config.gin. Give the --model_dir of a run ",
    ),
    (
        "python",
        [],
        "The run in 'python' was made in Python, so commands do not know its settings. ",
    ),
    ("model", ["Encodr.handle = 'x'"], "Nothing configurable is called 'Encodr' (the binding "),
    (
        "model",
        ["MODUEL = 'x'"],
        "Nothing reads this setting: MODUEL (Did you mean MODULE?) Correct ",
    ),
]


@pytest.mark.parametrize(("folder", "bindings", "message"), FOLDERS, ids=range(len(FOLDERS)))
def test_model_folders(here, folder, bindings, message, monkeypatch):
    monkeypatch.chdir(here)
    settings = "Experiment.model = @Model()\nModel.encoders = [@Encoder()]\n"
    settings += "Encoder.handle = %MODULE\nMODULE = 'module'\n"
    (here / "model" / "operative_config.gin").write_text(settings)
    with pytest.raises(errors.Error) as caught:
        early_checks.check_model_folder(folder, bindings, ())
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("command", "more"),
    [
        ("evaluate", []),
        ("predict", ["--input=data.csv", "--output=new.csv"]),
        ("export", ["--export_path=new"]),
    ],
)
def test_commands_on_model_folders_import_no_tensorflow_to_say_it(here, command, more):
    result = process(here, f"hub_estimator.{command}", "--model_dir=no", *more)
    assert (result.returncode, result.stderr) == (1, "error: There is no model folder 'no'.\n")


def test_a_model_folders_left_out_settings_are_warned_of_once(here, monkeypatch, caplog):
    monkeypatch.chdir(here)
    settings = "FeatureCache.folder = '/elsewhere'\n"
    (here / "model" / "operative_config.gin").write_text(settings)
    early_checks.check_model_folder("model", (), ())
    assert caplog.records == []
