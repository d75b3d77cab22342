"""`python -m hub_estimator.run`: as `python program.py`, but for what imports of TensorFlow give."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from hub_estimator import run
from tests.compat.programs import environment

RUNNER = (sys.executable, "-m", "hub_estimator.run")

# What a program sees of itself; nothing here imports TensorFlow, so each process is quick.
ITSELF = """
import atexit, os, sys
import beside
print(__name__, os.path.relpath(__file__), __package__, __spec__, __doc__)
print(sys.argv, os.path.relpath(sys.path[0]), beside.NUMBER)
print(sys.modules["__main__"].__dict__ is globals(), "tensorflow" in sys.modules)
atexit.register(lambda: print("end", sys.modules["__main__"].__dict__ is globals(), sys.argv[0]))
"""
FAILING = """
def divide(number):
  return number / 0

try:
  import not_there
except ImportError:
  divide(1)
"""
SLEEPING = """
import signal, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs the tests may ignore it
print("on", flush=True)
time.sleep(60)
"""


def execute(*words, command=RUNNER, cwd=None, text=None):
    return subprocess.run(
        [*command, *words], cwd=cwd, env=environment(), capture_output=True, text=True,
        input=text, timeout=60, check=False,
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "beside.py").write_text("NUMBER = 7")
    (tmp_path / "in" / "program.py").write_text(ITSELF)
    (tmp_path / "failing.py").write_text(FAILING)
    return tmp_path


def same(*words, cwd, text=None):
    """What a program does, run by Python and by this command, is the same; returns it."""
    ours = execute(*words, cwd=cwd, text=text)
    python = execute(*words, command=(sys.executable,), cwd=cwd, text=text)
    assert (ours.returncode, ours.stdout, ours.stderr) == (
        python.returncode, python.stdout, python.stderr,
    )  # fmt: skip
    return ours


def test_a_program_sees_itself_as_python_shows_it(folder):
    result = same("in/program.py", "--flag=1", "-m", "last", cwd=folder)
    assert "__main__ in/program.py None None None" in result.stdout
    assert "['in/program.py', '--flag=1', '-m', 'last'] in 7\nTrue False\n" in result.stdout
    assert result.stdout.endswith("end True in/program.py\n")


def test_a_link_to_a_program_finds_what_is_beside_the_program(folder):
    (folder / "link.py").symlink_to("in/program.py")
    same("link.py", cwd=folder)


def test_a_module_of_a_package_is_run_as_python_runs_it(folder):
    (folder / "trainer").mkdir()
    (folder / "trainer" / "__init__.py").write_text("print('package', __name__)")
    (folder / "trainer" / "model.py").write_text("NAME = __name__")
    (folder / "trainer" / "task.py").write_text(
        "import os, sys\nfrom trainer import model\nfrom .model import NAME\n"
        "print(__name__, __package__, __spec__.name, NAME, sys.argv[1:], os.path.relpath(sys.argv[0]))"
    )
    result = same("-m", "trainer.task", "--steps", "3", cwd=folder)
    assert "__main__ trainer trainer.task trainer.model ['--steps', '3']" in result.stdout


def test_a_traceback_is_the_programs_own(folder):
    result = same("failing.py", cwd=folder)
    assert result.returncode == 1 and "ZeroDivisionError" in result.stderr
    assert "hub_estimator" not in result.stderr.replace(str(folder), "")


def test_what_is_not_in_todays_tensorflow_is_an_error_of_the_programs_line(folder):
    (folder / "program.py").write_text(
        "from hub_estimator.compat.tf1 import contrib\ncontrib.CONTRIB.crf.crf_decode\n"
    )
    result = execute("program.py", cwd=folder)
    *_, line, source, message = [line for line in result.stderr.splitlines() if "^" not in line]
    assert line == f'  File "{folder}/program.py", line 2, in <module>'
    assert source == "    contrib.CONTRIB.crf.crf_decode"
    assert message.startswith("hub_estimator.errors.NotInTF1Error: tf.contrib.crf ended with ")
    assert result.returncode == 1


def test_an_error_in_the_text_of_a_program_is_shown_as_python_shows_it(folder):
    (folder / "broken.py").write_text("print(1)\nprint 2\n")
    result = same("broken.py", cwd=folder)
    assert "SyntaxError" in result.stderr and result.returncode == 1


@pytest.mark.parametrize(
    ("text", "status"),
    [("import sys; sys.exit(3)", 3), ("raise SystemExit('no data')", 1), ("", 0)],
)
def test_the_exit_status_is_the_programs(folder, text, status):
    (folder / "program.py").write_text(text)
    assert same("program.py", cwd=folder).returncode == status


def test_standard_input_is_the_programs(folder):
    (folder / "program.py").write_text("import sys; print(sys.stdin.read()[::-1])")
    assert same("program.py", cwd=folder, text="abc").stdout == "cba\n"


def test_encodings_in_a_programs_first_line_count(folder):
    source = "# -*- coding: latin-1 -*-\nprint(ascii('\xe9'))\n"
    (folder / "program.py").write_bytes(source.encode("latin-1"))
    assert same("program.py", cwd=folder).stdout == "'\\xe9'\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_a_program_as_they_do_under_python(folder, number):
    (folder / "program.py").write_text(SLEEPING)

    def ended(command):
        process = subprocess.Popen(
            [*command, "program.py"], cwd=folder, env=environment(), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout.readline() == "on\n"
        time.sleep(0.1)  # into the sleep, so that both tracebacks end there
        os.kill(process.pid, number)
        return process.communicate(timeout=30), process.returncode

    assert ended(RUNNER) == ended((sys.executable,))
    assert ended(RUNNER)[1] == -number


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], run.NO_PROGRAM),
        (["-m"], run.NO_PROGRAM),
        (["--steps=3", "program.py"], run.UNKNOWN_FLAG % "--steps=3"),
        (["nothing.py"], run.NO_FILE % ("nothing.py", "No such file or directory")),
        (["in"], run.NO_FILE % ("in", "Is a directory")),
        (["-m", "not_there.task"], run.NO_MODULE % "not_there.task"),
        (["-m", "beside.task"], run.NO_MODULE % "beside.task"),
    ],
)
def test_what_is_no_program(folder, words, message):
    result = execute(*words, cwd=folder)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"error: {message}\n"


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help(flag, capsys):
    assert run.run(["run", flag]) == 0
    assert capsys.readouterr().out == run.__doc__
