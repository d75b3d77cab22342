"""The last words of a run: the commands in them run as they are printed."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shlex
import subprocess
import sys
import urllib.request

import pytest

from hub_estimator import compat, shell
from hub_estimator.training.running.result import Result, metric_lines, summary
from hub_estimator.training.running.stopping import EarlyEnd
from tests import text_data


@pytest.fixture
def plain(monkeypatch):
    """A Python that is the shell's own, with TensorBoard."""
    monkeypatch.setattr(shell, "python", lambda: "python")
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
    text = summary(found, {"MODULE": "/modules/text", "FINE_TUNE": False})
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


@pytest.mark.parametrize("value", [True, "layer_1/"])
def test_what_is_fine_tuned_already(plain, value):
    assert "fine-tune" not in summary(made(), {"FINE_TUNE": value})


BEST = {"step": 5, "checkpoint": "model.ckpt-5", "accuracy": 0.9}
EARLY = EarlyEnd(step=7, max_steps=20, metric="accuracy", evaluations=2, best_step=5, patience=2)


def lines_of(result, macros=None):
    return summary(result, macros).split("\n\nNext:")[0].splitlines()[1 + len(result.metrics) :]


def test_a_best_checkpoint_that_is_not_the_last(plain):
    found = dataclasses.replace(made(modules=()), objective="accuracy", best=BEST, last_step=7)
    assert lines_of(found) == [
        "Checkpoint:       /m/model.ckpt-7",
        "Best checkpoint:  /m/model.ckpt-5 (step 5: accuracy 0.9000; --checkpoint=best)",
        "TensorBoard logs: /m",
    ]
    last = dataclasses.replace(found, best={**BEST, "step": 7})
    assert lines_of(last)[:2] == [
        "Checkpoint:       /m/model.ckpt-7",
        "Best checkpoint:  this one, by accuracy",
    ]
    ends_on_best = dataclasses.replace(found, step=5, checkpoint="/m/model.ckpt-5")
    assert summary(ends_on_best).startswith("Evaluation at step 5:\n")
    assert lines_of(ends_on_best)[:3] == [
        "Checkpoint:       /m/model.ckpt-5",
        "Best checkpoint:  this one, by accuracy",
        "Last checkpoint:  /m/model.ckpt-7 (training goes on from it)",
    ]


def test_a_run_that_ended_early(plain):
    found = dataclasses.replace(made(modules=()), early_end=EARLY)
    assert lines_of(found)[1] == (
        "Ended early:      at step 7 of 20: accuracy has not improved for 2 evaluations, since that "
        "of step 5 (EarlyStopping.patience is 2)"
    )
    assert summary(found).splitlines()[-1] == (
        "  go on:            python -m hub_estimator.train --gin_file=/m/operative_config.gin "
        '--model_dir=/m --gin_bindings="EarlyStopping.patience=4"'
    )


def test_a_run_whose_last_step_early_stopping_would_have_ended(plain):
    found = dataclasses.replace(made(modules=()), early_end=dataclasses.replace(EARLY, max_steps=7))
    assert lines_of(found)[1] == (
        "Early stopping:   at step 7 of 7: accuracy has not improved for 2 evaluations, since that of "
        "step 5 (EarlyStopping.patience is 2; more steps need a greater one)"
    )
    assert "go on:" not in summary(found)


@pytest.fixture
def exported(tmp_path):
    """Makes the export of a step, of a module with this name or of a model; returns its folder."""

    def export(exporter, step, module=None, link=None):
        folder = tmp_path / "export" / exporter / f"{1000000000 + step}"
        content = folder / module if module else folder
        content.mkdir(parents=True)
        (content / "saved_model.pb").touch()
        if module:
            (content / "tfhub_module.pb").touch()
        (folder / "global_step").write_text(f"{step}\n")
        if link is not None:
            (folder.parent / link).symlink_to(folder.name)
        return str(folder)

    return export


def test_each_exporters_newest_export(plain, exported, tmp_path):
    exports = {
        "module": exported("module", 7, "text"),
        "best_module": exported("best_module", 5, "text"),
        "other": exported("other", 3, "numbers"),
        "servable": exported("servable", 5, link="best"),
    }
    modules = [f"{exports['module']}/text", f"{exports['best_module']}/text"]
    modules.append(f"{exports['other']}/numbers")
    found = dataclasses.replace(  # the others exported nothing at the last step
        made(str(tmp_path), tuple(modules[:1])), objective="accuracy", best=BEST, exports=exports
    )
    assert lines_of(found)[2:-1] == [
        f"Exported module:  {modules[0]}",
        f"Exported module:  {modules[1]} (step 5, the best)",
        f"Exported module:  {modules[2]} (step 3)",
        f"Exported model:   {exports['servable']} (step 5, the best)",
        f"Stable path:      {tmp_path}/export/servable/best",
    ]
    commands = summary(found, {"MODULE": "m"}).splitlines()
    to_use = [line.rsplit("MODULE=", 1)[1] for line in commands if "use this one" in line]
    assert to_use == [f'{modules[1]!r}"', f'{modules[2]!r}"']  # of two of one name the best


def test_commands_use_folders_that_are_not_there(plain, tmp_path):
    (tmp_path / "m_2").mkdir()
    text = summary(made(f"{tmp_path}/m/"), {"FINE_TUNE": False})
    assert f"--model_dir={tmp_path}/m_3 " in text


@pytest.mark.parametrize("name", ["it's", 'a "b"', "a b", "$HOME", "`ls`", "a\\b", "!!", "ü;#&"])
def test_commands_quote_what_shells_would_change(plain, name):
    for line in summary(made(f"/{name}", (f"/{name}/text",)), {"MODULE": "m"}).splitlines():
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
    further = ["MAX_STEPS=2", "Experiment.report=None", "Model.head=@RegressionHead()"]
    further += ["METRIC='loss'", "Experiment.exporters=[@LatestModuleExporter]"]
    command += [*(f"--gin_bindings={each}" for each in further), "--model_dir=the model"]
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
