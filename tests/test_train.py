"""The command `hub_estimator.train`: help, bad input, a run, and a run that was killed."""

from __future__ import annotations

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import train
from tests import text_data

ROOT = str(pathlib.Path(__file__).parent.parent)
PROGRAM = [sys.executable, "-m", "hub_estimator.train"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The folder of a module, `module`, and of data, `data.csv`."""
    return text_data.write_both(tmp_path_factory.mktemp("files"))


@pytest.fixture
def arguments(files, tmp_path):
    """Makes the command's arguments; keyword arguments replace macros."""

    def make(*extra, **macros) -> list[str]:
        data = str(files / "data.csv")
        settings = {
            "MODULE": str(files / "module"),
            "TRAIN_DATA": data,
            "EVAL_DATA": data,
            **macros,
        }
        bindings = [f"--gin_bindings={name}={value!r}" for name, value in settings.items()]
        return ["--gin_file=smoke.gin", *bindings, f"--model_dir={tmp_path / 'model'}", *extra]

    return make


def environment():
    return {**os.environ, "PYTHONPATH": ROOT}


def test_help_without_tensorflow(tmp_path):
    (tmp_path / "tensorflow.py").write_text("raise ImportError('imported')")
    path = f"{tmp_path}{os.pathsep}{ROOT}"
    result = subprocess.run(
        [*PROGRAM, "--help"],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert result.returncode == 0 and result.stderr == ""
    assert result.stdout.startswith(
        "Trains, evaluates and exports a model that gin files describe."
    )
    for flag in ("--gin_file", "--gin_bindings", "--model_dir"):
        assert f"    {flag}: " in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "flag --model_dir=None: Flag --model_dir must have a value other than None."),
        (["--model_dir="], "flag --model_dir=: It is empty; give it a path."),
        (["--model_dir=m", "x"], "Unexpected arguments: x. Flags start with --."),
        (["--model_dir=m", "--gin_fil=x"], "Unknown command line flag 'gin_fil'. Did you mean: "),
    ],
)
def test_wrong_flags(arguments, message, capsys):
    assert train.run(["train", *arguments]) == 2
    assert capsys.readouterr().err.startswith(f"error: {message}")


def test_a_run_its_module_and_its_configuration(arguments, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)  # packaged configurations are found from anywhere
    assert train.run(["train", *arguments(FINE_TUNE=True)]) == 0
    captured = capsys.readouterr()
    assert "step 20 of 20, loss " in captured.err and "error" not in captured.err
    assert "accuracy " in captured.out
    module = max((tmp_path / "model" / "export" / "module").glob("*/text"))
    assert f"Exported module:  {module}\n" in captured.out
    config = tmp_path / "model" / "operative_config.gin"
    assert "\nFINE_TUNE = True\n" in config.read_text()
    # Again in the same folder: nothing is left to do, what is set otherwise is said, and the settings
    # there stay those of the checkpoints.
    again = arguments(FINE_TUNE=True)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "model").rglob("*")}
    assert train.run(["train", *again, "--gin_bindings=SEED = 2"]) == 0
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "model").rglob("*")}
    out, shown = capsys.readouterr()
    assert out.split("Next:")[0] == captured.out.split("Next:")[0]
    assert f"of the training in {tmp_path / 'model'} are others now: SEED was 1, is 2.\n" in shown
    assert "is already finished, at step 20." in shown
    assert (
        f" So nothing is trained, evaluated or written: what is in {tmp_path / 'model'} is of the settings "
        "before. To train with these, choose another model folder; to go on with them, give more steps; "
        "to evaluate only, take hub_estimator.evaluate.\n"
    ) in shown
    # The next run: the same settings, on the module just exported, with another optimizer.
    status = train.run(
        [
            "train",
            f"--gin_file={config}",
            f"--gin_bindings=MODULE='{module}'",
            "--gin_bindings=Optimization.optimizer=@AdamOptimizer",
            "--gin_bindings=FINE_TUNE=False",
            "--gin_bindings=MAX_STEPS=2",
            "--gin_bindings=Experiment.report=None",
            f"--model_dir={tmp_path / 'second'}",
        ]
    )
    assert status == 0, capsys.readouterr().err


BAD_INPUT = [
    ({}, ["--gin_file=nothing.gin"], "There is no gin file 'nothing.gin'."),
    ({}, ["--gin_bindings=Encoder.signatur='x'"], "Encoder has no parameter 'signatur' ("),
    ({}, ["--gin_bindings=Encodr.signature='x'"], "Nothing configurable is called 'Encodr' ("),
    (
        {},
        ["--gin_bindings=MODUEL='x'"],
        "Nothing reads this setting: MODUEL (Did you mean MODULE?)",
    ),
    (
        {},
        ["--gin_bindings=Experiment.source='x'"],
        "Experiment.source cannot",
    ),
    ({"MODULE": "no/module"}, [], "There is nothing at 'no/module'"),
    ({"MODULE": "."}, [], ". is not"),
    ({"TRAIN_DATA": "no.csv"}, [], "There is no data file 'no.csv'."),
    ({}, ["--gin_bindings=Encoder.signature='x'"], "signature 'x'"),
    ({}, ["--gin_bindings=Encoder.tags=['x']"], "tags"),
    ({}, ["--gin_bindings=Encoder.tags=3"], "'int' object is not iterable"),
    ({}, ["--gin_bindings=Encoder.output='x'"], "no output 'x'. It has: default."),
    ({}, ["--gin_bindings=Encoder.feature='x'"], "takes the feature 'x', which the input does not"),
    ({}, ["--gin_bindings=TextFile.label='x'"], "no column 'x'. Its first row names: text, label."),
    (
        {},
        ["--gin_bindings=Optimization.optimizer=@BinaryClassHead"],
        "The model cannot be built: Binary",
    ),
    ({}, ["--gin_bindings=Model.encoders=@Encoder()"], "Model.encoders"),
    ({}, ["--gin_bindings=Model.encoders=[@Encoder]"], "Model.encoders is @Encoder, which nothing"),
    ({}, ["--gin_bindings=Model.layers=@DenseLayers"], "write @DenseLayers(), with ()."),
    ({}, ["--gin_bindings=Model.head=@BinaryClassHead"], "write @BinaryClassHead(), with ()."),
    ({}, ["--gin_bindings=Encoder.trainable='['"], "'['"),
    ({}, ["--gin_bindings=Experiment.model=@Model"], "write @Model(), with ()."),
    ({}, ["--gin_bindings=Experiment.eval_input=@TextFile"], "write @TextFile(), with ()."),
    ({}, ["--gin_bindings=Experiment.exporters=@LatestModuleExporter"], "give it a list"),
    ({"MAX_STEPS": "4"}, [], "Experiment.max_steps is '4'; it must be a whole number."),
    ({"BATCH_SIZE": "a"}, [], "TextFile.batch_size is 'a'; it must be a whole number."),
    ({"SEED": -1}, [], "Experiment.seed is -1; it must be at least 0."),
    (
        {},
        ["--gin_bindings=Experiment.log_every_steps=0"],
        "Experiment.log_every_steps is 0; it must be at least 1.",
    ),
    (
        {},
        ["--gin_bindings=Experiment.keep_checkpoints=-1"],
        "Experiment.keep_checkpoints is -1; it must be at least 1.",
    ),
    ({}, ["--gin_bindings=LatestModuleExporter.exports_to_keep=0"], "it must be at least 1."),
    ({}, ["--gin_bindings=LatestModuleExporter.name=3"], "it must be a text in quotes."),
    (
        {},
        ["--gin_bindings=LatestModuleExporter.name='../../../elsewhere'"],
        "LatestModuleExporter.name is '../../../elsewhere', which cannot be the name of a file",
    ),
    ({}, ["--gin_bindings=Encoder.export_name='a/b'"], "Encoder.export_name is 'a/b', which"),
    ({}, ["--gin_bindings=Model.export_name='/a'"], "Model.export_name is '/a', which cannot"),
    ({"LEARNING_RATE": "a"}, [], "Optimization.learning_rate is 'a'; it must be a number."),
]


@pytest.mark.parametrize(("macros", "extra", "message"), BAD_INPUT, ids=lambda value: str(value))
def test_bad_input_is_one_line_and_nothing_is_written(
    arguments, macros, extra, message, tmp_path, capsys, monkeypatch
):
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    assert train.run(["train", *arguments(*extra, **macros)]) == 1
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1 and message in lines[0], lines
    assert os.listdir(tmp_path) == ["work"] and not os.listdir(tmp_path / "work")


def test_a_setting_that_the_packaged_file_takes_from_a_macro(arguments, capsys):
    extra = ["--gin_bindings=Experiment.max_steps=4", "--gin_bindings=Experiment.report=None"]
    assert train.run(["train", *arguments(*extra)]) == 0
    captured = capsys.readouterr()
    assert "Evaluation at step 4:" in captured.out and "  swap the module:" in captured.out


def test_settings_of_the_packaged_file_that_others_make_useless(arguments, files, capsys):
    module = str(files / "module")
    scoped = ["Model.encoders=[@a/Encoder(), @b/Encoder()]"]
    for scope in ("a", "b"):
        scoped += [f"{scope}/Encoder.name='{scope}'", f"{scope}/Encoder.export_name='{scope}'"]
        scoped += [f"{scope}/Encoder.handle={module!r}"]
    scoped += ["Experiment.eval_input=@Arrays()", "Arrays.features={'text': ['a', 'b']}"]
    scoped += ["Arrays.labels=[0, 1]", "MAX_STEPS=2", *text_data.LEAN]
    given = [
        argument
        for argument in arguments()
        if "MODULE=" not in argument and "EVAL_DATA=" not in argument
    ]
    more = [f"--gin_bindings={binding}" for binding in scoped]
    assert train.run(["train", *given, *more]) == 0, capsys.readouterr().err
    assert "Evaluation at step 2:" in capsys.readouterr().out
    assert train.run(["train", *arguments(), *more]) == 1  # what was given has to be of use
    assert (
        capsys.readouterr()
        .err.splitlines()[-1]
        .startswith("error: Nothing reads these settings: EVAL_DATA (")
    )


def test_labels_outside_the_heads_classes(arguments, tmp_path, capsys):
    path = tmp_path / "data.csv"
    path.write_text("text,label\na,0\nb,2\n")
    assert train.run(["train", *arguments(TRAIN_DATA=str(path))]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"error: The label 2 in row 3 of {str(path)!r} is not a class of the model's head, which "
        "takes 0 to 1."
    )
    assert not (tmp_path / "model").exists()


def test_sigterm_during_export_in_training_and_after_it(arguments, tmp_path, capsys, monkeypatch):
    export = hub.Module.export

    folder = tmp_path / "model" / "export" / "module"

    def stopped(module, path, *args, **kwargs):
        export(module, path, *args, **kwargs)
        if str(path).startswith(str(folder)):  # a second signal, in the next export, would end it
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(hub.Module, "export", stopped)
    assert train.run(["train", *arguments(MAX_STEPS=10)]) == 143  # the export ends, then the run
    assert capsys.readouterr().err.splitlines()[-1].startswith("error: Stopped by SIGTERM at step ")
    assert [name[:1] for name in os.listdir(folder)] == ["1"]
    shutil.rmtree(folder)
    assert train.run(["train", *arguments(MAX_STEPS=10)]) == 143  # at once: nothing is to be saved
    assert capsys.readouterr().err.splitlines()[-1] == (
        "error: Interrupted. Run the same command again."
    )
    assert os.listdir(folder) == []


def latest_step(folder) -> int:
    path = tf.train.latest_checkpoint(str(folder))
    return int(path.rsplit("-", 1)[1]) if path else 0


def wait_for(condition, secs=60.0):
    end = time.monotonic() + secs
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def test_a_killed_run_goes_on_from_its_last_checkpoint(arguments, tmp_path, capsys):
    lean = [f"--gin_bindings={binding}" for binding in text_data.LEAN]
    endless = arguments("--gin_bindings=Experiment.eval_every_steps=20", *lean, MAX_STEPS=10**6)
    model_dir = tmp_path / "model"
    with subprocess.Popen(
        [*PROGRAM, *endless],
        env=environment(),
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    ) as process:
        try:
            wait_for(lambda: latest_step(model_dir) >= 20)
        finally:
            process.send_signal(signal.SIGKILL)
    step = latest_step(model_dir)
    assert train.run(["train", *arguments(*lean, MAX_STEPS=step + 20)]) == 0
    captured = capsys.readouterr()
    assert f"Training goes on from the checkpoint of step {step} in {model_dir}." in captured.err
    assert f"Evaluation at step {step + 20}:" in captured.out
