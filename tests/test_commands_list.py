"""`python -m hub_estimator`: which commands there are, and what a wrong word is told."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

from hub_estimator import __main__ as commands
from hub_estimator.version import __version__

pytestmark = pytest.mark.one_tensorflow

ROOT = pathlib.Path(__file__).parent.parent


def _without_tensorflow(folder, *arguments):
    """Runs the module in a process in which importing TensorFlow fails."""
    (folder / "tensorflow.py").write_text("raise ImportError('imported')")
    path = f"{folder}{os.pathsep}{ROOT}"
    return subprocess.run(
        [sys.executable, "-m", "hub_estimator", *arguments],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )


def test_each_command_is_listed_with_what_it_does(tmp_path):
    result = _without_tensorflow(tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0] == f"hub_estimator {__version__}. Commands:"
    assert "  train" in "\n".join(lines) and "  cache" in "\n".join(lines)
    package = ROOT / "hub_estimator"
    programs = {
        path.parent.name if path.stem == "__main__" else path.stem: path
        for path in [*package.glob("*.py"), *package.glob("*/__main__.py")]
        if 'if __name__ == "__main__":' in path.read_text() and path != package / "__main__.py"
    }
    listed = [line.split(maxsplit=1) for line in lines if line.startswith("  ")]
    assert [name for name, _ in listed] == sorted(programs)
    for name, what in listed:
        assert programs[name].read_text().startswith(f'"""{what}\n')
    assert lines[-2:] == [
        "python -m hub_estimator.<command> runs one; with --help it says more, and lists its flags.",
        "python -m hub_estimator.train --list_settings lists what gin files can set.",
    ]


@pytest.mark.parametrize("word", ["--help", "-h", "help"])
def test_help_lists_too(word, capsys):
    assert commands.run(["hub_estimator", word]) == 0
    assert capsys.readouterr().out.startswith(f"hub_estimator {__version__}. Commands:")


def test_the_version(capsys):
    assert commands.run(["hub_estimator", "--version"]) == 0
    assert capsys.readouterr().out == f"hub_estimator {__version__}\n"


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("trian", "There is no command 'trian'. Did you mean python -m hub_estimator.train?"),
        ("Predict", "There is no command 'Predict'. Did you mean python -m hub_estimator.predict?"),
        ("train", "Commands are modules of their own: python -m hub_estimator.train."),
        ("files", "There is no command 'files'. There is: "),  # a package, no command
        ("--x", "There is no command '--x'. There is: "),
    ],
)
def test_another_word_is_told_which_command_is_meant(word, message, capsys):
    assert commands.run(["hub_estimator", word, "--gin_file=x"]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.startswith(f"error: {message}")
    assert captured.err.count("\n") == 1
