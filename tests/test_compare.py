"""`compare`: runs side by side, out of the texts in their model folders."""

from __future__ import annotations

import csv
import json
import os
import pathlib
import subprocess
import sys

import pytest

from hub_estimator import compare, texts

pytestmark = pytest.mark.one_tensorflow

ROOT = str(pathlib.Path(__file__).parent.parent)
GIN = """# A comment.
METRIC = {metric!r}
RATE = {rate}

Experiment.objective = @Objective()
Experiment.max_steps = 20
Objective.higher_is_better = None
Objective.metric = %METRIC
Optimization.optimizer = @AdamOptimizer
Optimization.learning_rate = %RATE
"""


def make_run(folder, evaluations, metric="accuracy", rate=0.1, text=None):
    folder.mkdir()
    name = "experiment.txt" if text else "operative_config.gin"
    (folder / name).write_text(text or GIN.format(metric=metric, rate=rate))
    lines = [
        json.dumps({"step": step, "checkpoint": f"model.ckpt-{step}", **metrics}) + "\n"
        for step, metrics in evaluations.items()
    ]
    if lines:
        (folder / "metrics.jsonl").write_text("".join(lines))


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_run(
        tmp_path / "a", {10: {"accuracy": 0.8, "loss": 0.5}, 20: {"accuracy": 0.7, "loss": 0.4}}
    )
    make_run(tmp_path / "b", {10: {"accuracy": 0.85, "loss": 0.6}}, rate=0.01)
    return tmp_path


def run(*arguments):
    return compare.run(["compare", *arguments])


def test_two_runs(here, capsys):
    assert run("a", "b", "--output=out.csv") == 0
    assert capsys.readouterr().out == (
        "Best evaluation of each, by accuracy (higher is better; * is the best of all):\n"
        "        folder  step  accuracy  loss\n"
        "  1  *  b       10    0.8500    0.6000\n"
        "  2     a       10    0.8000    0.5000\n"
        "\n"
        "Last evaluation of each:\n"
        "     folder  step  accuracy  loss\n"
        "  1  b       10    0.8500    0.6000\n"
        "  2  a       20    0.7000    0.4000\n"
        "\n"
        "Settings that differ:\n"
        "        1     2\n"
        "  RATE  0.01  0.1\n"
        "\n"
    )
    with open("out.csv", newline="") as file:
        assert list(csv.reader(file)) == [
            [
                *("folder", "is_best", "best_step", "best_accuracy", "best_loss"),
                *("last_step", "last_accuracy", "last_loss", "RATE"),
            ],
            ["b", "1", "10", "0.85", "0.6", "10", "0.85", "0.6", "0.01"],
            ["a", "0", "10", "0.8", "0.5", "20", "0.7", "0.4", "0.1"],
        ]


def test_by_another_metric(here, capsys):
    assert run("a", "b", "--best_by=loss") == 0
    output = capsys.readouterr().out
    assert output.startswith(
        "Best evaluation of each, by loss (lower is better; * is the best of all):"
    )
    assert "  1  *  a       20    0.4000  0.7000\n" in output
    assert "a has another objective: accuracy.\nb has another objective: accuracy.\n" in output
    assert run("a", "b", "--best_by=loss", "--higher_is_better") == 0
    assert "  1  *  b       10    0.6000  0.8500\n" in capsys.readouterr().out


def test_another_objective_and_no_evaluation(here, capsys):
    make_run(here / "c", {5: {"accuracy": 0.85, "loss": float("nan")}}, metric="loss")
    make_run(here / "d", {})
    assert run("d", "c", "a", "b") == 0
    output = capsys.readouterr().out
    assert output.startswith(
        "Best evaluation of each, by accuracy (higher is better; * is the best of all):"
    )
    assert [line.split()[-3:] for line in output.splitlines()[2:6]] == [
        ["5", "0.8500", "-"],
        ["10", "0.8500", "0.6000"],
        ["10", "0.8000", "0.5000"],
        ["-", "-", "-"],
    ]
    assert [line[5] for line in output.splitlines()[2:6]] == ["*", "*", " ", " "]
    assert output.endswith("\nc has another objective: loss.\n")


def test_runs_of_equal_settings_without_evaluations(here, capsys):
    make_run(here / "c", {})
    make_run(here / "d", {})
    assert run("c", "d") == 0
    output = capsys.readouterr().out
    assert "  1    c       -\n" in output and output.endswith("\n\nThe settings are the same.\n")


PYTHON = """Experiment(model=Model(encoders=[Encoder(handle='/m, (1)', trainable=False)],
                       optimization=Optimization(optimizer=<class 'x.Adam, Y'>,
                                                 learning_rate={rate})),
           max_steps=20,
           exporters=(functools.partial(<class 'E'>, 'module'),),
           objective=Objective(metric='auc', higher_is_better=None))
"""


def test_runs_that_were_made_in_python(here, capsys):
    make_run(here / "c", {5: {"auc": 0.5}}, text=PYTHON.format(rate=0.5))
    make_run(here / "d", {5: {"auc": 0.6}}, text=PYTHON.format(rate=0.6))
    assert run("c", "d") == 0
    output = capsys.readouterr().out
    assert output.startswith(
        "Best evaluation of each, by auc (higher is better; * is the best of all):"
    )
    assert output.endswith(
        "                                            1    2\n"
        "  Experiment.model.optimization.learning_rate  0.6  0.5\n\n"
    )


PATHS = """# Where this configuration was at work; paths in it are looked for from there.
# working_folder = "{working}"
# model_folder = "{folder}"
# imports = []
DATA = {data!r}
NAME = {name!r}
Experiment.train_input = @TextFile()
Encoder.handle = {module!r}
TextFile.label = 'label'
TextFile.path = %DATA
TextFile.texts = {{'text': %NAME}}
"""


def make_run_of(folder, working, data, module="https://example.com/module/1", name="text"):
    make_run(folder, {})
    text = PATHS.format(working=working, folder=folder, data=data, module=module, name=name)
    (folder / "operative_config.gin").write_text(text)


def test_paths_are_the_same_where_they_led_to_the_same(here, capsys):
    (here / "data").mkdir()
    (here / "data" / "train.csv").touch()
    (here / "link.csv").symlink_to("data/train.csv")
    make_run_of(here / "c", here, "data/train.csv")
    for number, (working, data) in enumerate(
        [
            (here, "./data/train.csv"),
            (here / "data", "train.csv"),
            (here / "data", str(here / "data" / "train.csv")),
            (here / "a", "../link.csv"),
        ]
    ):
        folder = here / f"d{number}"
        make_run_of(folder, working, data)
        assert run("c", f"d{number}") == 0
        assert capsys.readouterr().out.endswith("\n\nThe settings are the same.\n")


def test_one_path_from_two_folders_is_shown_as_two_places(here, capsys):
    for name in ("x", "y"):
        (here / name).mkdir()
        (here / name / "train.csv").touch()
    make_run_of(here / "c", here / "x", "train.csv", name="x")
    make_run_of(here / "d", here / "y", "train.csv", name="./x")
    assert run("c", "d", "--output=out.csv") == 0
    x, y = (str(here / name / "train.csv") for name in ("x", "y"))
    # What is no path is a text like any other.
    differing = [
        line.split() for line in capsys.readouterr().out.split("differ:\n")[1].splitlines()
    ]
    shown = [texts.one_line(repr(path), 60) for path in (x, y)]
    assert differing[1][0] == "DATA" and " ".join(differing[1][1:]) == " ".join(shown)
    assert differing[2:] == [["NAME", "'x'", "'./x'"], []]
    with open("out.csv", newline="") as file:
        assert [row["DATA"] for row in csv.DictReader(file)] == [repr(x), repr(y)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["a", "none", "data.txt", "empty"],
            (
                "No model folders: 'none' (there is nothing); 'data.txt' (it is a file); 'empty' (it "
                "has no operative_config.gin or experiment.txt). Give the --model_dir of runs of "
                "hub_estimator.train."
            ),
        ),
        (["a", "b", "./a"], "'a' and './a' are the same model folder. Name each once."),
        (
            ["a", "b", "--best_by=f1", "--higher_is_better"],
            "No evaluation in the model folder has the metric 'f1'. They have: accuracy, loss.",
        ),
        (
            ["a", "b", "--best_by=f1"],
            "No evaluation in the model folder has the metric 'f1'. They have: accuracy, loss.",
        ),
        (
            ["a", "c", "--best_by=f1"],
            (
                "--best_by=f1 does not say whether greater values are better. Give "
                "--higher_is_better or --nohigher_is_better."
            ),
        ),
        (
            ["a", "broken"],
            (
                "Cannot parse 'broken/operative_config.gin', line 1: a string does not end; its line "
                "has one quote too few or many."
            ),
        ),
        (
            ["a", "b", "--output=a/out.csv"],
            (
                "The output 'a/out.csv' is in the model folder, 'a', which is read and must stay as "
                "it is. Choose another place."
            ),
        ),
    ],
)
def test_what_cannot_be_compared(here, capsys, arguments, message):
    (here / "data.txt").touch()
    make_run(here / "c", {5: {"f1": 0.5}})
    (here / "empty").mkdir()
    (here / "broken").mkdir()
    (here / "broken" / "operative_config.gin").write_text("A = 'b\n")
    assert run(*arguments) == 1
    captured = capsys.readouterr()
    assert captured.err == f"error: {message}\n" and captured.out == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Give the model folders to compare, at least two."),
        (["a"], "Give the model folders to compare, at least two."),
        (["a", "b", "--output=x.txt"], "flag --output=x.txt: Its name must end in .csv."),
        (
            ["a", "b", "--higher_is_better"],
            "flags best_by=None, higher_is_better=True: It is of --best_by: give that too.",
        ),
    ],
)
def test_wrong_usage(here, capsys, arguments, message):
    assert run(*arguments) == 2
    assert capsys.readouterr().err == f"error: {message}\n"


def test_it_needs_no_tensorflow(here):
    (here / "tensorflow.py").write_text("raise ImportError('imported')")
    environment = {**os.environ, "PYTHONPATH": f"{here}{os.pathsep}{ROOT}"}
    for arguments in (["a", "b"], ["--help"]):
        result = subprocess.run(
            [sys.executable, "-m", "hub_estimator.compare", *arguments],
            check=False, capture_output=True, text=True, env=environment,
        )  # fmt: skip
        assert (result.returncode, result.stderr) == (0, "")


def test_names_from_outside_stay_in_their_cells(here, capsys):
    name = "x\x1b[2J\n" + 100 * "y"
    make_run(here / name, {5: {"accuracy": 0.5, "z\x1b[2J": 1.0}})
    assert run("a", name) == 0
    output = capsys.readouterr().out
    assert "\x1b" not in output and "..." in output and len(output.splitlines()) < 15
