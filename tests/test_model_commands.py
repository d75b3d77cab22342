"""The commands that are given a model folder: `evaluate` and `predict`."""

from __future__ import annotations

import csv
import errno
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest

from hub_estimator import evaluate, export, files, predict, train
from tests import text_data

ROOT = str(pathlib.Path(__file__).parent.parent)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with data, a module, and `model`, where training saw both by relative paths."""
    folder = tmp_path_factory.mktemp("trained")
    text_data.write_module(folder / "module")
    text_data.write_data(folder / "data.csv", 64)
    before = os.getcwd()
    os.chdir(folder)
    try:
        settings = ["MODULE='module'", "TRAIN_DATA='data.csv'", "EVAL_DATA='data.csv'"]
        bindings = [f"--gin_bindings={setting}" for setting in settings]
        assert train.run(["train", "--gin_file=smoke.gin", *bindings, "--model_dir=model"]) == 0
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def here(trained, tmp_path, monkeypatch):
    """A copy of it as the working folder."""
    shutil.copytree(trained, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def metrics_in(folder, name="metrics"):
    return [json.loads(line) for line in (folder / f"{name}.jsonl").read_text().splitlines()]


def last_error(capsys):
    return capsys.readouterr().err.splitlines()[-1]


def run_evaluate(*flags):
    return evaluate.run(["evaluate", "--model_dir=model", *flags])


def run_predict(*flags, output="out.csv"):
    return predict.run(
        ["predict", "--model_dir=model", "--input=data.csv", f"--output={output}", *flags]
    )


def test_the_latest_checkpoint(here, capsys):
    before = metrics_in(here / "model")
    assert run_evaluate() == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("Evaluation of model.ckpt-20:\n  accuracy ")
    assert "Evaluated the checkpoint of step 20 in " in captured.err
    assert metrics_in(here / "model") == before and [row["step"] for row in before] == [10, 20]


def test_every_checkpoint_under_a_name(here, capsys):
    assert run_evaluate("--checkpoint=all", "--name=again") == 0
    # The first checkpoint of a run is that of step 0.
    assert [row["step"] for row in metrics_in(here / "model", "metrics_again")] == [0, 10, 20]
    assert metrics_in(here / "model", "metrics_again")[1:] == metrics_in(here / "model")
    assert list((here / "model" / "eval_again").glob("events.*"))
    assert run_evaluate("--continuous", "--name=again") == 0  # all of it is done
    assert capsys.readouterr().out.count("Evaluation of ") == 3


@pytest.mark.parametrize(
    ("flags", "metric", "choose"),
    [
        (["--best_by=loss"], "loss", min),
        (["--best_by=loss", "--higher_is_better"], "loss", max),
        ([], "accuracy", max),  # the experiment's objective
    ],
)
def test_the_best_checkpoint(here, capsys, flags, metric, choose):
    kept = metrics_in(here / "model")
    values = [evaluation[metric] for evaluation in kept]
    assert run_evaluate("--checkpoint=best", *flags) == 0
    best = kept[values.index(choose(values))]
    assert f"Evaluation of {best['checkpoint']}:" in capsys.readouterr().out


def test_a_metric_whose_name_does_not_say_what_is_better(here, capsys):
    assert run_evaluate("--checkpoint=best", "--best_by=prediction/mean") == 1
    assert last_error(capsys) == (
        "error: --best_by=prediction/mean does not say whether greater values are better. Give "
        "--higher_is_better or --nohigher_is_better."
    )
    assert run_evaluate("--checkpoint=best", "--best_by=prediction/mean", "--higher_is_better") == 0
    assert run_evaluate("--checkpoint=best", "--higher_is_better") == 2
    assert last_error(capsys).endswith("It is of --best_by: give that too.")
    assert run_evaluate("--checkpoint=best", "--best_by=f1", "--higher_is_better") == 1
    assert last_error(capsys).startswith(
        "error: No evaluation in the model folder has the metric 'f1'. They have: accuracy, "
    )


def test_the_best_where_the_training_ended_on_it(here, capsys):
    best = ["--gin_bindings=METRIC='loss'", "--gin_bindings=Objective.higher_is_better=True"]
    best += ["--gin_bindings=Experiment.load_best_model_at_end=True"]
    assert run_predict(*best) == 0
    assert capsys.readouterr().out.startswith("Predictions of step 10 for ")
    assert run_predict("--checkpoint=latest", *best) == 0
    assert capsys.readouterr().out.startswith("Predictions of step 20 for ")


@pytest.mark.parametrize("given", [[], ["--checkpoint=latest"], ["--checkpoint=10"]])
@pytest.mark.parametrize("command", [evaluate, predict, export], ids=lambda module: module.__name__)
def test_what_the_best_is_by_where_nobody_asks_for_it(command, given, capsys):
    more = {evaluate: [], predict: ["--input=a", "--output=b.csv"], export: ["--export_path=e"]}
    flags = ["command", "--model_dir=model", "--best_by=loss", *more[command], *given]
    assert command.run(flags) == 2
    assert last_error(capsys).endswith(": It is of --checkpoint=best: give that too.")


def test_a_checkpoint_beside_all_of_a_running_training(capsys):
    assert run_evaluate("--continuous", "--checkpoint=best") == 2
    assert last_error(capsys).endswith(": It evaluates each checkpoint: leave --checkpoint out.")


def test_a_given_checkpoint(here, capsys):
    assert run_evaluate("--checkpoint=10") == 0
    assert "Evaluation of model.ckpt-10:" in capsys.readouterr().out
    assert run_evaluate("--checkpoint=11") == 1
    assert last_error(capsys) == (
        "error: The model folder 'model' has no checkpoint of step 11. It has those of 0, 10, 20."
    )


def test_other_data_is_kept_apart(here):
    text_data.write_data(here / "other.csv", 4)
    before = metrics_in(here / "model")
    assert run_evaluate("--gin_bindings=EVAL_DATA='other.csv'") == 0
    assert metrics_in(here / "model") == before
    assert metrics_in(here / "model", "metrics_other")[0]["step"] == 20
    bindings = ["--gin_bindings=Experiment.eval_input=@test/TextFile()"]
    bindings += ["--gin_bindings=test/TextFile.path='other.csv'"]
    assert run_evaluate("--name=test", *bindings) == 0
    assert (
        metrics_in(here / "model", "metrics_test")[0]
        == metrics_in(here / "model", "metrics_other")[0]
    )


def test_a_setting_that_evaluation_does_not_read(here, capsys):
    assert run_evaluate("--gin_bindings=LEARNING_RAT=1") == 1
    assert last_error(capsys).startswith("error: Nothing reads this setting: LEARNING_RAT (")


@pytest.fixture
def moved(trained, here, tmp_path, monkeypatch):
    """What was trained in `here`, moved away from there; the working folder is another one."""
    settings = here / "model" / "operative_config.gin"
    settings.write_text(settings.read_text().replace(str(trained), str(here)))
    here.rename(tmp_path / "moved")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path / "moved"


def test_a_model_folder_that_was_moved_with_its_module_and_data(moved):
    model = f"--model_dir={moved / 'model'}"
    assert evaluate.run(["evaluate", model]) == 0
    assert predict.run(["predict", model, f"--input={moved / 'data.csv'}", "--output=o.csv"]) == 0
    assert export.run(["export", model, "--export_path=exported"]) == 0
    settings = f"--gin_file={moved / 'model' / 'operative_config.gin'}"
    assert train.run(["train", settings, "--model_dir=next", "--gin_bindings=MAX_STEPS=2"]) == 0
    text = (moved.parent / "elsewhere" / "next" / "operative_config.gin").read_text()
    assert f"\nMODULE = '{moved / 'module'}'\n" in text


def test_a_model_folder_whose_module_and_data_are_gone(moved, capsys):
    model, elsewhere = f"--model_dir={moved / 'model'}", os.getcwd()
    names = {"EVAL_DATA": "data.csv", "MODULE": "module"}
    for name in names.values():
        (moved / name).rename(moved / f"new_{name}")
    given = []
    there = {
        "EVAL_DATA": "There is no data file 'data.csv'.",
        "MODULE": f"There is nothing at 'module' (in {elsewhere}): check the path of the module.",
    }
    for macro in ("MODULE", "EVAL_DATA"):
        assert evaluate.run(["evaluate", model, *given]) == 1
        assert last_error(capsys) == (
            f"error: {there[macro]} That is what {macro} was in training, moved or removed since: "
            f"--gin_bindings=\"{macro}='<path>'\" gives another."
        )
        given.append(f"--gin_bindings={macro}='../moved/new_{names[macro]}'")
    assert evaluate.run(["evaluate", model, "--name=", *given]) == 0
    assert evaluate.run(["evaluate", model, "--gin_bindings=MODULE='no'"]) == 1
    assert last_error(capsys) == (
        f"error: There is nothing at 'no' (in {elsewhere}): check the path of the module."
    )


def test_another_model(here, capsys):
    assert run_evaluate("--gin_bindings=DenseLayers.units=[3]") == 1
    assert "has a checkpoint of another model: the variable" in last_error(capsys)


def test_evaluation_beside_a_training_that_begins_later_and_ends_early(here, capsys):
    settings = ["MODULE='module'", "TRAIN_DATA='data.csv'", "EVAL_DATA='data.csv'"]
    settings += ["MAX_STEPS=100000", "Experiment.early_stopping=@EarlyStopping()"]
    settings += ["EarlyStopping.objective=@Objective()", *text_data.LEAN]
    settings += ["EarlyStopping.patience=2", "EarlyStopping.min_delta=1e6"]  # what nothing reaches
    training = subprocess.Popen(
        [sys.executable, "-m", "hub_estimator.train", "--gin_file=smoke.gin", "--model_dir=live"]
        + [f"--gin_bindings={setting}" for setting in settings],
        env={**os.environ, "PYTHONPATH": ROOT},
    )
    try:
        status = evaluate.run(
            ["evaluate", "--model_dir=live", "--continuous", "--name=beside", "--timeout_secs=300"]
        )
        assert training.wait(60) == 0
    finally:
        training.kill()
        training.wait()
    log = capsys.readouterr().err
    assert status == 0 and "Waiting for a training to begin in live, up to 300 seconds." in log
    assert "Training in live ended early." in log
    beside, own = metrics_in(here / "live", "metrics_beside"), metrics_in(here / "live")
    assert beside[-1] == own[-1] and own[-1]["step"] == 30


def test_following_where_no_training_begins(tmp_path, capsys):
    folder = str(tmp_path / "none")
    flags = [f"--model_dir={folder}", "--continuous", "--timeout_secs=0.1"]
    assert evaluate.run(["evaluate", *flags]) == 1
    assert last_error(capsys) == f"error: There is no model folder {folder!r}."


def test_predictions(here, capsys):
    assert run_predict() == 0
    captured = capsys.readouterr()
    assert captured.out == "Predictions of step 20 for 64 rows: out.csv\n"
    assert "predicted 64 rows, " in captured.err
    with open("out.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["row", "class", "class_id", "probability_0", "probability_1"]
    assert [row["row"] for row in rows] == [str(number) for number in range(1, 65)]
    right = sum(int(row["class_id"]) == number % 2 for number, row in enumerate(rows))
    assert right / 64 == pytest.approx(metrics_in(here / "model")[-1]["accuracy"])


@pytest.fixture
def read_only_model(here, monkeypatch):
    """Makes the model folder one of a file system on which nothing can be made."""
    make_folder = files.make_folder

    def make(path):
        if os.path.abspath(path).startswith(f"{here / 'model'}/"):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)
        make_folder(path)

    monkeypatch.setattr(files, "make_folder", make)
    (here / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(here / "temporary"))


def test_a_model_folder_that_cannot_be_written_to(here, request):
    assert run_predict(output="before.csv") == 0
    files_before = {path: path.stat().st_mtime_ns for path in (here / "model").rglob("*")}
    request.getfixturevalue("read_only_model")
    assert run_predict() == 0
    assert (here / "out.csv").read_bytes() == (here / "before.csv").read_bytes()
    flags = ["--model_dir=model", "--export_path=exported"]
    assert export.run(["export", *flags]) == 0
    assert os.listdir(here / "temporary") == []
    assert {path: path.stat().st_mtime_ns for path in (here / "model").rglob("*")} == files_before


def test_predictions_of_the_best_without_labels_as_json_lines(here):
    (here / "data.csv").write_text("text\ngood\n")
    assert run_predict("--checkpoint=best", output="new/out.jsonl") == 0
    (line,) = (here / "new" / "out.jsonl").read_text().splitlines()
    row = json.loads(line)
    assert row["row"] == 1 and set(row["probabilities"]) == {"0", "1"}
    assert sum(row["probabilities"].values()) == pytest.approx(1, abs=1e-6)


def test_nothing_is_written_where_prediction_fails(here, capsys):
    before = sorted(os.listdir(here))
    assert predict.run(["predict", "--model_dir=model", "--input=no.csv", "--output=o.csv"]) == 1
    assert last_error(capsys) == "error: There is no data file 'no.csv'."
    assert sorted(os.listdir(here)) == before
    assert not [name for name in os.listdir(here / "model") if name.startswith(".model")]


@pytest.mark.parametrize("command", [evaluate, predict], ids=lambda module: module.__name__)
def test_no_model_folder(command, tmp_path, capsys):
    more = ["--input=a.csv", "--output=b.csv"] if command is predict else []
    assert command.run(["command", f"--model_dir={tmp_path / 'none'}", *more]) == 1
    assert last_error(capsys) == f"error: There is no model folder {str(tmp_path / 'none')!r}."


@pytest.mark.parametrize("command", ["evaluate", "predict"])
def test_an_error_is_all_that_is_shown(command, tmp_path):
    more = ["--input=a.csv", "--output=b.csv"] if command == "predict" else []
    result = subprocess.run(
        [sys.executable, "-m", f"hub_estimator.{command}", f"--model_dir={tmp_path}", *more],
        check=False, capture_output=True, text=True, cwd=ROOT,
        env={key: os.environ[key] for key in os.environ if key != "TF_CPP_MIN_LOG_LEVEL"},
    )  # fmt: skip
    assert result.returncode == 1 and result.stdout == ""
    assert result.stderr.startswith("error: ") and result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("command", "arguments", "message"),
    [
        (
            evaluate,
            [],
            "flag --model_dir=None: Flag --model_dir must have a value other than None.",
        ),
        (
            evaluate,
            ["--model_dir=m", "--checkpoint=first"],
            "flag --checkpoint=first: It must be 'latest', 'best', 'all' or a step.",
        ),
        (
            evaluate,
            ["--model_dir=m", "--name=../b"],
            (
                "flag --name=../b: The name of an evaluation is '../b', which cannot be the name of "
                "a file or folder: it starts with a dot. Choose a name of letters, digits, '_' and "
                "'-'."
            ),
        ),
        (
            predict,
            ["--model_dir=m", "--input=a", "--output=b.csv", "--checkpoint=all"],
            "flag --checkpoint=all: It must be 'latest', 'best' or a step.",
        ),
        (
            predict,
            ["--model_dir=m", "--input=a", "--output=b.txt"],
            "flag --output=b.txt: Its name must end in .csv or .jsonl.",
        ),
    ],
)
def test_wrong_flags(command, arguments, message, capsys):
    assert command.run(["command", *arguments]) == 2
    assert last_error(capsys) == f"error: {message}"


@pytest.mark.parametrize("command", ["evaluate", "predict"])
def test_help_without_tensorflow(command, tmp_path):
    (tmp_path / "tensorflow.py").write_text("raise ImportError('imported')")
    result = subprocess.run(
        [sys.executable, "-m", f"hub_estimator.{command}", "--help"],
        check=False, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
    )  # fmt: skip
    assert result.returncode == 0 and result.stderr == ""
    assert "    --gin_bindings: " in result.stdout and "    --checkpoint: " in result.stdout


def test_an_output_that_is_a_folder(here, capsys):
    (here / "out.csv").mkdir()
    assert run_predict() == 1
    expected = "error: The output 'out.csv' is a folder. Give the path of a file."
    assert last_error(capsys) == expected


def test_an_output_where_nothing_can_be_written(here, capsys):
    assert run_predict(output="data.csv/out.csv") == 1
    assert last_error(capsys).startswith("error: [Errno ")
