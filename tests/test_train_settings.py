"""The flags of `hub_estimator.train` that show settings in the place of training."""

from __future__ import annotations

import os
import pathlib
import re

import pytest

from hub_estimator import command_line, config, train
from tests import text_data

CONFIGS = sorted(
    path.name
    for path in (pathlib.Path(__file__).parent.parent / "configs").glob("*.gin")
    if path.stem not in ("base", "model", "table", "fine_tuning", "serving", "sweep")
)
HEAD = re.compile(r"\A(#.*\n)+\n")


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """A folder with a module and data."""
    return text_data.write_both(tmp_path_factory.mktemp("settings"))


@pytest.fixture
def shown(here, monkeypatch, capsys):
    """Runs the command in the folder; returns what it prints, having checked that it only prints."""
    monkeypatch.chdir(here)

    def run(*arguments):
        before = sorted(os.listdir("."))
        assert train.run(["train", *arguments]) == 0, capsys.readouterr().err
        assert sorted(os.listdir(".")) == before
        return capsys.readouterr().out

    return run


def given(**macros):
    values = {"MODULE": "module", "TRAIN_DATA": "data.csv", "EVAL_DATA": "data.csv", **macros}
    return [f"--gin_bindings={name}={value!r}" for name, value in values.items()]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--x"], ["--x"]),
        (["--x", "--y"], ["--x=", "--y"]),
        (["--x", "a b", "--y"], ["--x=a b", "--y"]),
        (["--x=a", "b"], ["--x=a", "b"]),
        (["-x", "a"], ["--x=a"]),
        (["--y", "--x"], ["--y", "--x="]),
        (["--xy", "--y"], ["--xy", "--y"]),
    ],
)
def test_a_flag_whose_value_may_be_left_out(arguments, expected):
    expected = ["--x="] if arguments == ["--x"] else expected
    assert command_line.with_optional_value(["train", *arguments], "x") == ["train", *expected]


@pytest.mark.parametrize("flag", [["--list_settings"], ["--list_settings="]])
def test_the_list_of_all(shown, flag):
    out = shown(*flag)
    assert out.startswith("=== The run ===\n\nExperiment: ") and "\nMirroredStrategy: " in out


@pytest.mark.parametrize(
    "flag", [["--list_settings", "early stopping"], ["--list_settings=early stopping"]]
)
def test_the_list_of_what_a_word_is_in(shown, flag):
    out = shown(*flag)
    assert "\nEarlyStopping: When to end training.\n" in out
    assert "\nExperiment: " in out and "  Experiment.early_stopping = None\n" in out
    assert "\nDenseLayers: " not in out


def test_the_list_of_the_macros_of_incomplete_files(shown):
    out = shown("--gin_file=text_and_numbers.gin", "--gin_bindings=MAX_STEPS=3", "--list_settings")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert lines[0] == "=== Macros of the given gin files ==="
    assert "MODULE (required) path or URL of the module: swap it like any other setting" in lines
    assert "MAX_STEPS = 3 optimizer steps; 20,000 reviews / 128 is 156 steps an epoch" in lines


def test_a_word_that_nothing_has(here, capsys):
    assert train.run(["train", "--list_settings=lerning"]) == 1
    assert capsys.readouterr().err == (
        "error: Nothing that gin files can set has 'lerning' in its name or description. Did you "
        "mean learning_rate?\n"
    )


@pytest.mark.parametrize("name", CONFIGS)
def test_a_printed_configuration_is_read_as_the_same(name, shown, here, tmp_path):
    more = ["--gin_bindings=NUMBERS_MODULE='nothing'"] if "numbers" in name else []
    bindings = [*given(MODULE="nothing", TRAIN_DATA="nothing"), *more]
    first = shown(f"--gin_file={name}", *bindings, "--print_config")
    path = tmp_path / "printed.gin"
    path.write_text(first)
    again = shown(f"--gin_file={path}", "--print_config")
    assert HEAD.sub("", again) == HEAD.sub("", first)
    [head] = HEAD.findall(first)
    assert [repr(config.find_file(name))] == re.findall(r"^#   ('.*')$", first, re.MULTILINE)
    assert head


def test_a_printed_configuration_trains_as_the_one_that_was_printed(here, shown, tmp_path):
    lean = [f"--gin_bindings={binding}" for binding in text_data.LEAN]
    given_ = ["--gin_file=smoke.gin", *given(MAX_STEPS=2), *lean]
    (tmp_path / "printed.gin").write_text(shown(*given_, "--print_config"))
    for name, arguments in {"a": given_, "b": [f"--gin_file={tmp_path / 'printed.gin'}"]}.items():
        assert train.run(["train", *arguments, f"--model_dir={tmp_path / name}"]) == 0
    texts = [(tmp_path / name / "operative_config.gin").read_text() for name in "ab"]
    assert texts[0].replace("/a", "/b") == texts[1]


def test_the_configuration_of_a_model_folder_with_its_paths(shown, here, tmp_path, monkeypatch):
    (tmp_path / "model").mkdir()
    text = shown("--gin_file=smoke.gin", *given(), "--print_config")
    head = (
        "# Where this configuration was at work; paths in it are looked for from there.\n"
        f'# working_folder = "{here}"\n# model_folder = "{tmp_path / "model"}"\n# imports = []\n\n'
    )
    (tmp_path / "model" / "operative_config.gin").write_text(head + text)
    monkeypatch.chdir(tmp_path)
    again = shown("--gin_file=model/operative_config.gin", "--print_config")
    assert f"\nMODULE = '{here / 'module'}'\n" in again or "MODULE = 'module'" in again


def test_a_dry_run(shown):
    out = shown("--gin_file=smoke.gin", *given(), "--dry_run")
    assert out.startswith("Nothing is wrong: training would begin, and end at step 20.\n")
    assert "\n  text                 string [8]\n" in out


def test_a_dry_run_in_a_model_folder_makes_none(shown, here):
    shown("--gin_file=smoke.gin", *given(), "--dry_run", "--model_dir=deep/model")
    assert not (here / "deep").exists()


@pytest.mark.parametrize("flag", ["--dry_run", "--print_config"])
def test_wrong_settings_fail_as_in_training(flag, here, monkeypatch, capsys):
    monkeypatch.chdir(here)
    arguments = ["--gin_file=smoke.gin", *given(MAX_STEPS="4"), "--model_dir=deep/model"]
    assert train.run(["train", *arguments, flag]) == 1
    shown = capsys.readouterr().err.splitlines()[-1]
    assert shown == "error: Experiment.max_steps is '4'; it must be a whole number."
    assert train.run(["train", *arguments]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == shown
    unread = "--gin_bindings=AdamOptimizer.beta1=0.5"
    assert train.run(["train", "--gin_file=smoke.gin", *given(), unread, flag]) == 1
    assert (
        capsys.readouterr()
        .err.splitlines()[-1]
        .startswith(
            "error: Nothing reads this setting: AdamOptimizer.beta1 (Nothing uses AdamOptimizer."
        )
    )


def test_they_exclude_one_another(capsys):
    assert train.run(["train", "--list_settings", "--dry_run"]) == 2
    assert capsys.readouterr().err.endswith(": Give one of them.\n")


@pytest.mark.parametrize("flag", ["--nodry_run", "--noprint_config"])
def test_training_needs_a_model_folder(flag, capsys):
    assert train.run(["train", "--gin_file=smoke.gin", flag]) == 2
    assert capsys.readouterr().err == (
        "error: flag --model_dir=None: Flag --model_dir must have a value other than None.\n"
    )
