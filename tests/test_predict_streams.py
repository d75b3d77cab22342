"""`predict` between pipes: real processes, whose output is data and nothing else."""

from __future__ import annotations

import csv
import io
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import pytest

from hub_estimator import predict, train
from tests import text_data

pytestmark = pytest.mark.one_tensorflow

ROOT = str(pathlib.Path(__file__).parent.parent)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model folder; the temporary folder of commands is `tmp` beside it."""
    folder = tmp_path_factory.mktemp("streams")
    text_data.write_module(folder / "module")
    text_data.write_data(folder / "data.csv", 64)
    (folder / "tmp").mkdir()
    values = {"MODULE": "module", "TRAIN_DATA": "data.csv", "EVAL_DATA": "data.csv"}
    bindings = [f"--gin_bindings={name}={str(folder / path)!r}" for name, path in values.items()]
    settings = ("MAX_STEPS=2", "Experiment.exporters=[]", "Experiment.report=None")
    bindings += [f"--gin_bindings={setting}" for setting in settings]
    arguments = ["train", "--gin_file=smoke.gin", *bindings, f"--model_dir={folder / 'model'}"]
    assert train.run(arguments) == 0
    return folder


def start(folder, *flags, **settings):
    """A running command that reads standard input."""
    return subprocess.Popen(
        [sys.executable, "-m", "hub_estimator.predict", f"--model_dir={folder / 'model'}", *flags],
        env={**os.environ, "PYTHONPATH": ROOT, "TMPDIR": str(folder / "tmp")},
        **{"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **settings},
    )  # fmt: skip


def run(folder, content, *flags):
    process = start(folder, "--input=-", *flags)
    output, log = process.communicate(content)
    assert os.listdir(folder / "tmp") == []
    return process.returncode, output, log.decode()


@pytest.fixture
def run_here(model, monkeypatch, capfdbinary):
    """As `run`, in this process: for what the command makes of the data."""
    monkeypatch.setattr(tempfile, "tempdir", str(model / "tmp"))

    def run(content, *flags):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        capfdbinary.readouterr()
        status = predict.run(["predict", f"--model_dir={model / 'model'}", "--input=-", *flags])
        output, log = capfdbinary.readouterr()
        assert os.listdir(model / "tmp") == []
        return status, output, log.decode()

    return run


def by_file(folder, *flags, output="out.csv"):
    path = folder / output
    assert predict.run(
        ["predict", f"--model_dir={folder / 'model'}", f"--input={folder / 'data.csv'}",
         f"--output={path}", *flags]
    ) == 0  # fmt: skip
    return path.read_bytes()


def test_from_a_pipe_to_a_pipe(model):
    status, output, log = run(model, (model / "data.csv").read_bytes(), "--output=-", "--keep=text")
    assert status == 0, log
    assert output == by_file(model, "--keep=text")
    assert log.splitlines()[-1] == "Predictions of step 2 for 64 rows: standard output"
    rows = list(csv.DictReader(io.StringIO(output.decode())))
    assert [row["text"] for row in rows[:2]] == ["bad", "good"]


def test_a_file_of_another_format_and_the_flags_for_it(model, capsys):
    path = str(model / "rows.jsonl")
    with open(path, "w", encoding="utf-8") as file:
        file.write('{"text": "good"}\n{"text": "bad"}\n')
    arguments = [
        "predict", f"--model_dir={model / 'model'}", f"--input={path}", f"--output={model / 'j.csv'}",
    ]  # fmt: skip
    assert predict.run(arguments) == 1
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"error: The data file {path!r} is a file of JSON lines: give it to the input JsonlFile. Here "
        'that is --gin_bindings="Experiment.eval_input=@JsonlFile()" '
        f"--gin_bindings=\"JsonlFile.path='{path}'\"."
    )
    said = ["Experiment.eval_input=@JsonlFile()", f"JsonlFile.path='{path}'"]
    assert predict.run([*arguments, *(f"--gin_bindings={binding}" for binding in said)]) == 0
    assert (model / "j.csv").read_text().count("\n") == 3


def test_lines_of_json(model, run_here):
    content = (model / "data.csv").read_bytes()
    status, output, log = run_here(content, "--output=-", "--output_format=jsonl")
    assert status == 0, log
    assert output == by_file(model, output="out.jsonl")
    assert [json.loads(line)["row"] for line in output.splitlines()] == list(range(1, 65))


def test_what_else_is_printed_is_not_among_the_data(model, tmp_path):
    (tmp_path / "chatty.py").write_text("import os; print('hello'); os.system('echo hello')")
    process = subprocess.run(
        [sys.executable, "-m", "hub_estimator.predict", f"--model_dir={model / 'model'}",
         f"--input={model / 'data.csv'}", "--output=-", "--allow_import=chatty"],
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"},
        capture_output=True, check=True,
    )  # fmt: skip
    assert process.stdout == by_file(model) and process.stderr.count(b"hello") == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "error: Standard input is empty."),
        (
            b"txt\ngood\n",
            "error: Standard input has no column 'text'. Its first row names: txt.",
        ),
        (
            b"text\na,b\n",
            "error: Row 2 (line 2) of standard input has 2 fields, the first row has 1.",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_standard_input(run_here, content, message):
    status, output, log = run_here(content, "--output=-")
    assert (status, output) == (1, b"") and log.splitlines()[-1] == message


def test_standard_input_that_is_closed(model):
    command = [sys.executable, "-m", "hub_estimator.predict", f"--model_dir={model / 'model'}"]
    shell = " ".join([*command, "--input=-", "--output=-", "<&-"])
    environment = {**os.environ, "PYTHONPATH": ROOT}
    process = subprocess.run(
        ["sh", "-c", shell], check=False, capture_output=True, text=True, env=environment
    )
    assert process.returncode == 1 and process.stdout == ""
    assert process.stderr.splitlines()[-1] == (
        "error: Standard input is closed. Give --input a file."
    )


def test_a_reader_that_goes_away(model):
    rows = b"".join(b"text %d\n" % number for number in range(200_000))
    process = start(model, "--input=-", "--output=-")
    process.stdin.write(b"text\n" + rows)
    process.stdin.close()
    assert process.stdout.readline().startswith(b"row,class,")
    process.stdout.close()
    assert process.wait(120) == 1
    log = process.stderr.read().decode()
    process.stderr.close()
    assert "Traceback" not in log and "error" not in log
    assert os.listdir(model / "tmp") == []


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_standard_input_is_read(model, number, status):
    process = start(model, "--input=-", "--output=-")
    process.stdin.write(b"text\ngood\n")
    process.stdin.flush()
    wait_for_spool(model)
    process.send_signal(number)
    output, log = process.communicate()
    assert (process.returncode, output) == (status, b"")
    assert log.decode().splitlines()[-1] == "error: Interrupted. Run the same command again."
    assert os.listdir(model / "tmp") == []


def test_what_a_killed_process_left_goes_with_the_next(model, run_here):
    process = start(model, "--input=-", "--output=-")
    process.stdin.write(b"text\ngood\n")
    process.stdin.flush()
    path = wait_for_spool(model)
    assert path.stat().st_mode & 0o077 == 0
    process.kill()
    process.communicate()
    assert path.exists()
    status, _, log = run_here(b"text\ngood\n", "--output=-")
    assert status == 0, log


def wait_for_spool(folder):
    """Waits until a process reads its standard input; returns where that is kept."""
    end = time.monotonic() + 120
    while not (found := list((folder / "tmp").glob(".standard_input*"))):
        assert time.monotonic() < end
        time.sleep(0.05)
    return found[0]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            ["--output=out.csv", "--output_format=csv"],
            (
                "flags output=out.csv, output_format=csv: --output_format is for --output=-; the name "
                "of a file says its form."
            ),
        ),
        (
            ["--output=-", "--output_format=tsv"],
            "flag --output_format=tsv: value should be one of <csv|jsonl>",
        ),
    ],
)
def test_wrong_forms(flags, message, capsys):
    assert predict.run(["predict", "--model_dir=m", "--input=-", *flags]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == f"error: {message}"


def test_columns_that_are_not_there(model, capsys):
    flags = [f"--input={model / 'data.csv'}", f"--output={model / 'no.csv'}", "--keep=id,text"]
    assert predict.run(["predict", f"--model_dir={model / 'model'}", *flags]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"error: The data file '{model / 'data.csv'}' has no column 'id'. Its first row names: text, "
        "label."
    )
    assert not (model / "no.csv").exists()
