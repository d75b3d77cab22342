"""The last words of a run: the commands in them run as they are printed."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import urllib.request

import pytest

from hub_estimator import compat
from hub_estimator.training.running import result
from hub_estimator.training.running.result import Result, metric_lines, summary
from tests import text_data


@pytest.fixture
def plain(monkeypatch):
    """A Python that is the shell's own, with TensorBoard."""
    monkeypatch.setattr(result, "_python", lambda: "python")
    monkeypatch.setattr(compat, "missing_for_tensorboard", lambda: None)


def made(model_dir="/m", modules=("/m/export/a/1/text",)):
    return Result(model_dir, 7, {"loss": 0.5}, f"{model_dir}/model.ckpt-7", modules)


def test_summary(plain):
    metrics = {
        "loss": 0.5,
        "auc": 0.9,
        "accuracy": 0.8,
        "global_step": 7,
        "recall": 0.7,
        "by_class": [1],
    }
    found = Result("/m", 7, metrics, "/m/model.ckpt-7", ("/m/export/a/1/text",))
    text = summary(found, {"MODULE", "FINE_TUNE"})
    again = "python -m hub_estimator.train --gin_file=/m/operative_config.gin --model_dir="
    assert text.splitlines() == [
        "Evaluation at step 7:",
        "  accuracy                 0.8000",
        "  auc                      0.9000",
        "  loss                     0.5000",
        "  recall                   0.7000",
        "Checkpoint:       /m/model.ckpt-7",
        "Exported module:  /m/export/a/1/text",
        "TensorBoard logs: /m",
        "",
        "Next:",
        "  look at it:       python -m tensorboard.main --logdir=/m",
        f"  swap the module:  {again}/m_2 --gin_bindings=\"MODULE='<path or URL>'\"",
        f"  use this one:     {again}/m_3 --gin_bindings=\"MODULE='/m/export/a/1/text'\"",
        f'  fine-tune:        {again}/m_4 --gin_bindings="FINE_TUNE=True"',
    ]
    # A configuration without these macros would refuse them.
    assert summary(found).splitlines()[-2:] == [
        "Next:",
        "  look at it:       python -m tensorboard.main --logdir=/m",
    ]


def test_commands_use_folders_that_are_not_there(plain, tmp_path):
    (tmp_path / "m_2").mkdir()
    text = summary(made(f"{tmp_path}/m/"), {"FINE_TUNE"})
    assert f"--model_dir={tmp_path}/m_3 " in text


@pytest.mark.parametrize("name", ["it's", 'a "b"', "a b", "$HOME", "`ls`", "a\\b", "!!", "ü;#&"])
def test_commands_quote_what_shells_would_change(plain, name):
    for line in summary(made(f"/{name}", (f"/{name}/text",)), {"MODULE"}).splitlines():
        head, _, command = line.partition(":  ")
        if head not in ("  look at it", "  use this one"):
            continue
        shown = subprocess.run(
            ["bash", "-c", f"printf '%s\\n' {command.strip()}"],
            capture_output=True, text=True, check=True,
        ).stdout.splitlines()  # fmt: skip
        if head == "  look at it":
            assert shown[-1] == f"--logdir=/{name}"
        else:
            assert shown[-3:] == [
                f"--gin_file=/{name}/operative_config.gin",
                f"--model_dir=/{name}_3",
                f"--gin_bindings=MODULE={f'/{name}/text'!r}",
            ]


@pytest.mark.parametrize("missing", ["tensorboard", "setuptools<82"])
def test_what_tensorboard_lacks_is_installed_first(plain, monkeypatch, missing):
    monkeypatch.setattr(compat, "missing_for_tensorboard", lambda: missing)
    assert summary(made()).splitlines()[-1] == (
        f"  look at it:       python -m pip install {shlex.quote(missing)} && "
        "python -m tensorboard.main --logdir=/m"
    )


def test_the_python_that_runs(monkeypatch, tmp_path):
    def printed():
        return summary(made()).splitlines()[-1].removeprefix("  look at it:       ")

    monkeypatch.setattr(sys, "executable", str(tmp_path / "a b" / "bin" / "python"))
    monkeypatch.chdir("/")
    assert printed().startswith(f"'{str(tmp_path)[1:]}/a b/bin/python' -m ")
    monkeypatch.chdir(tmp_path / "..")
    assert printed().startswith(f"'{tmp_path.name}/a b/bin/python' -m ")
    (tmp_path / "a b" / "bin").mkdir(parents=True)
    (tmp_path / "a b" / "bin" / "python").touch(0o755)
    monkeypatch.chdir(tmp_path / "a b" / "bin")
    assert printed().startswith(f"'{sys.executable}' -m ")
    monkeypatch.setenv("PATH", str(tmp_path / "a b" / "bin"))
    assert printed().startswith("python -m ")


def test_names_of_metrics_move_no_cursor():
    assert metric_lines({"a\x1b[2J\nb": 1.0}) == ["  a\\x1b[2J b".ljust(26) + " 1.0000"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder with a run of the command in it, at paths that shells take apart; what it printed."""
    folder = tmp_path_factory.mktemp('it\'s a "run" of $HOME')
    text_data.write_module(folder / "module")
    text_data.write_data(folder / "data.csv")
    settings = {name: str(folder / "data.csv") for name in ("TRAIN_DATA", "EVAL_DATA")}
    settings["MODULE"] = str(folder / "module")
    command = [sys.executable, "-m", "hub_estimator.train", "--gin_file=smoke.gin"]
    command += [f"--gin_bindings={name}={value!r}" for name, value in settings.items()]
    command += ["--gin_bindings=MAX_STEPS=2", "--model_dir=the model"]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return folder, run.stdout


def printed_command(finished, name):
    line = next(line for line in finished[1].splitlines() if line.startswith(f"  {name}:"))
    return line.partition(":")[2].strip()


@pytest.mark.parametrize("name", ["swap the module", "use this one", "fine-tune"])
def test_each_printed_training_runs(finished, name):
    folder, _ = finished
    command = printed_command(finished, name)
    binding = f"MODULE={str(folder / 'module')!r}"
    command = command.replace("\"MODULE='<path or URL>'\"", shlex.quote(binding))
    run = subprocess.run(
        ["bash", "-c", command], cwd=folder, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    model = re.search(r"--model_dir='(the model_\d)'", command)[1]
    assert (folder / model / "model.ckpt-2.index").is_file()


def test_tensorboard_as_printed(finished):
    pytest.importorskip("tensorboard")
    command = f"exec {printed_command(finished, 'look at it')} --port=0"
    server = subprocess.Popen(
        ["bash", "-c", command], cwd=finished[0], stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    try:
        lines = iter(server.stderr.readline, "")
        found = (re.search(r"http://localhost:\d+/", line) for line in lines)
        address = next((each[0] for each in found if each), None)
        assert address is not None, "TensorBoard did not start"
        with urllib.request.urlopen(f"{address}data/logdir") as answer:
            assert json.loads(answer.read()) == {"logdir": "the model"}
    finally:
        server.kill()
        server.communicate()
