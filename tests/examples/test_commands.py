"""What all commands of the examples do: help without TensorFlow, required flags, requirements."""

from __future__ import annotations

import importlib
import pathlib
import re
import shlex
import subprocess
import sys

import pytest

from examples import requirements

pytestmark = pytest.mark.one_tensorflow

ROOT = pathlib.Path(__file__).parent.parent.parent
COMMANDS = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in (ROOT / "examples").rglob("*.py")
    if '\nif __name__ == "__main__":' in path.read_text(encoding="utf-8")
)


def test_help_needs_no_tensorflow():
    program = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]:\n"
        "    assert importlib.import_module(name).run(['', '--help']) == 0, name\n"
        "assert not {'tensorflow', 'sklearn', 'safetensors'} & set(sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, *COMMANDS],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in COMMANDS:
        assert f"\npython -m {name} --" in f"\n{result.stdout}", "the help shows how to call it"


@pytest.mark.parametrize("name", COMMANDS)
def test_unknown_flags_are_refused(name, capsys):
    assert importlib.import_module(name).run([name, "--colour=1"]) == 2
    assert "Unknown command line flag 'colour'" in capsys.readouterr().err


def test_every_command_is_in_the_readme():
    readme = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"python -m {name} --" not in readme] == []


def test_every_command_in_the_readme_can_be_given():
    readme = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"\$ python -m (examples\.\S+) ((?:.*\\\n)*.*)\n", readme)
    assert len(shown) >= len(COMMANDS)
    for name, flags in shown:
        argv = [name, *shlex.split(flags.replace("\\\n", " "))]
        assert importlib.import_module(name).define_flags()(argv)[1:] == [], "no other arguments"


def test_an_installed_package_is_found():
    assert pathlib.Path(requirements.check_installed("absl", "absl-py", "This needs")).is_dir()


def test_a_package_that_is_not_installed():
    with pytest.raises(ImportError) as caught:
        requirements.check_installed("no_such", "no-such", "The digits come with", "--no-deps")
    assert type(caught.value) is requirements.NotInstalledError
    assert str(caught.value) == (
        "The digits come with the package no-such, which is not installed. "
        "Install it: pip install --no-deps no-such."
    )
