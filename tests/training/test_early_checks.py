"""What is wrong with a run before TensorFlow is imported: the message that comes after it, earlier."""

from __future__ import annotations

import json
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
    (folder / "empty.csv").touch()
    (folder / "head.csv").write_text("text,label\n")
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
    (
        FILE,
        [*given(), "TextFile.label = 'labl'"],
        "The data file 'data.csv' has no column 'labl'. Its first row names: text, label.",
    ),
    (FILE, given(TRAIN_DATA="empty.csv"), "The data file 'empty.csv' is empty."),
    (FILE, given(EVAL_DATA="head.csv"), "The data file 'head.csv' has column names, but no rows."),
    (
        FILE,
        [*given(), "TEXT = 'txt'", "TextFile.texts = {'text': %TEXT}"],
        "The data file 'data.csv' has no column 'txt'. Its first row names: text, label.",
    ),
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


@pytest.mark.parametrize("number", [0, 1, 4, 7, 10, 12, 17, 18])
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


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        (
            0,
            (
                "it must be a path in quotes or, to evaluate on a part of the training data, the fraction "
                "to hold out: more than 0 and less than 1, such as 0.1."
            ),
        ),
        (None, "it must be a path in quotes."),
        (1.5, "as a fraction of the training data, it must be between 0 and 1."),
    ],
)
def test_a_fraction_that_is_none_is_said_of_what_was_set(here, value, wrong, monkeypatch):
    monkeypatch.chdir(here)
    with pytest.raises(errors.InvalidSettingError) as caught:
        early_checks.check_training(FILE, given(EVAL_DATA=value), ())
    assert str(caught.value) == f"EVAL_DATA is {value}; {wrong}"
    bindings = [*given(), f"eval/TextFile.path = {value}"]
    bindings.remove("EVAL_DATA = 'data.csv'")
    with pytest.raises(errors.InvalidSettingError) as caught:
        early_checks.check_training([*FILE, "base.gin"], [*bindings, "EVAL_DATA = None"], ())
    assert str(caught.value) == f"eval/TextFile.path is {value}; {wrong}"


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


@pytest.fixture
def evaluated(here):
    """The model folder, with checkpoints and an evaluation, as far as is looked at."""
    folder = here / "model"
    (folder / "operative_config.gin").write_text("MODULE = 'module'\n")
    for step in (5, 10):
        (folder / f"model.ckpt-{step}.index").touch()
    line = {"step": 5, "checkpoint": "model.ckpt-5", "accuracy": 0.5}
    (folder / "metrics.jsonl").write_text(json.dumps(line) + "\n")
    return folder


def test_checkpoints_that_are_not_there(evaluated):
    path = str(evaluated)
    with pytest.raises(errors.ModelFolderError) as caught:
        early_checks.check_checkpoint(path, "7", None)
    assert str(caught.value) == (
        f"The model folder {path!r} has no checkpoint of step 7. It has those of 5, 10."
    )
    with pytest.raises(errors.MetricNotFoundError) as caught:
        early_checks.check_checkpoint(path, "best", "f1")
    assert str(caught.value) == (
        "No evaluation in the model folder has the metric 'f1'. They have: accuracy."
    )
    for which, best_by in (("10", None), ("best", "accuracy"), (None, None), ("all", None)):
        early_checks.check_checkpoint(path, which, best_by)
    (evaluated / "metrics.jsonl").unlink()
    early_checks.check_checkpoint(path, "best", "f1")  # what there is not, is said by the choice


SETTINGS = """Experiment.eval_input = @eval/TextFile()
eval/TextFile.path = %EVAL_DATA
eval/TextFile.texts = {'text': %TEXT}
eval/TextFile.label = 'label'
EVAL_DATA = 'gone.csv'
TEXT = 'text'
"""


@pytest.mark.parametrize(
    ("paths", "keep", "bindings", "message"),
    [
        (
            *(("data.csv", "./data.csv"), [], []),
            (
                "The output './data.csv' is the input itself, 'data.csv', which is read and must stay as it "
                "is. Choose another place."
            ),
        ),
        (
            *(("data.csv", "o.csv"), ["text", "id"], []),
            "The data file 'data.csv' has no column 'id'. Its first row names: text, label.",
        ),
        (("empty.csv", "o.csv"), [], [], "The data file 'empty.csv' is empty."),
        (
            *(("data.csv", "o.csv"), [], ["TEXT = 'txt'"]),
            "The data file 'data.csv' has no column 'txt'. Its first row names: text, label.",
        ),
    ],
)
def test_what_is_predicted_for(here, monkeypatch, paths, keep, bindings, message):
    monkeypatch.chdir(here)
    (here / "model" / "operative_config.gin").write_text(SETTINGS)
    with pytest.raises(errors.Error) as caught:
        early_checks.check_prediction("model", bindings, (), paths, keep)
    assert str(caught.value) == message
    early_checks.check_prediction("model", (), (), ("data.csv", "o.csv"), ["label"])
    early_checks.check_prediction("model", (), (), ("data.csv", "o.csv"), ())
    # A file that is not there, or of an input that is no table, is looked at later.
    early_checks.check_prediction("model", (), (), ("no.csv", "o.csv"), ["id"])
    settings = "Experiment.eval_input = @eval/JsonlFile()\neval/JsonlFile.path = 'gone.jsonl'\n"
    (here / "model" / "operative_config.gin").write_text(settings)
    early_checks.check_prediction("model", (), (), ("data.csv", "o.csv"), ["id"])


def test_what_is_predicted_for_needs_no_tensorflow(here):
    (here / "model" / "operative_config.gin").write_text(SETTINGS)
    given_ = ["--model_dir=model", "--input=data.csv", "--output=o.csv", "--keep=id"]
    result = process(here, "hub_estimator.predict", *given_)
    assert (result.returncode, result.stderr) == (
        1,
        "error: The data file 'data.csv' has no column 'id'. Its first row names: text, label.\n",
    )


def test_a_checkpoint_that_is_not_there_needs_no_tensorflow(here, evaluated):
    result = process(here, "hub_estimator.evaluate", "--model_dir=model", "--checkpoint=7")
    assert (result.returncode, result.stderr) == (
        1,
        "error: The model folder 'model' has no checkpoint of step 7. It has those of 5, 10.\n",
    )


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
