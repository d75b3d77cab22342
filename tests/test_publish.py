"""The command that publishes: its flags, what it prints, and how it ends."""

from __future__ import annotations

import subprocess
import sys

import pytest

from hub_estimator import publish
from hub_estimator.resolver import resolve
from tests import text_data
from tests.resolver.hosting import read_folder

NAME = "--name=acme/reviews-en"


@pytest.fixture(scope="module")
def made_module(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "module"
    text_data.write_module(folder)
    return folder


@pytest.fixture
def run(tmp_path, capsys):
    """Runs the command on a site of the test; returns the status, the output and the last line."""

    def run(*flags):
        status = publish.run(["publish", f"--site={tmp_path / 'site'}", *flags])
        captured = capsys.readouterr()
        return status, captured.out, (captured.err.splitlines() or [""])[-1]

    return run


def test_it_publishes_and_withdraws(run, made_module, tmp_path, monkeypatch):
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "about.md").write_text("Vectors.")
    status, out, _ = run(
        f"--module={made_module}", NAME, f"--description={tmp_path / 'about.md'}",
        "--url=https://models.example.com",
    )  # fmt: skip
    place = tmp_path / "site" / "acme" / "reviews-en"
    lines = out.splitlines()
    assert status == 0 and len(lines[2].split()[1]) == 64
    assert [*lines[:2], *lines[3:]] == [
        "Published: version 1 of acme/reviews-en",
        f"Archive:   {place}/1.tar.gz",
        f"Page:      {place}/1",
        "Handle:    https://models.example.com/acme/reviews-en/1",
    ]
    assert read_folder(resolve(place / "1.tar.gz")) == read_folder(made_module)
    assert "Vectors." in (place / "1" / "index.html").read_text()
    assert run(NAME, "--version=1", "--withdraw=Wrong labels.") == (
        0,
        f"Withdrawn: version 1 of acme/reviews-en. Its page says why: {place}/1\n",
        "",
    )
    assert not (place / "1.tar.gz").exists()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "Give --module to publish one, or --withdraw with a reason."),
        (["--module=x", "--withdraw=x"], "Give --module to publish one, or --withdraw with a"),
        (["--withdraw=x"], "Say which --version to withdraw."),
        (["--withdraw=x", "--version=next"], "Say which --version to withdraw."),
        (["--withdraw=x", "--version=1", "--url=x"], "--description, --model_dir and --url are of"),
    ],
)
def test_flags_that_do_not_fit(run, flags, message):
    status, _, error = run(NAME, *flags)
    assert status == 2 and message in error


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--name=../x"], "error: '../x' cannot be the name of a published model."),
        ([NAME, "--version=latest"], "error: 'latest' cannot be a version. Give a whole number"),
        ([NAME, "--module=missing"], "error: There is nothing at 'missing'"),
        ([NAME, "--url=x"], "error: 'x' cannot be the address of a site."),
    ],
)
def test_an_error_is_one_line(run, made_module, tmp_path, flags, message):
    module = (
        [] if any(flag.startswith("--module") for flag in flags) else [f"--module={made_module}"]
    )
    status, out, error = run(*module, *flags)
    assert (status, out) == (1, "") and error.startswith(message)
    assert not (tmp_path / "site").exists()


@pytest.mark.one_tensorflow
def test_the_extra_is_named_where_it_is_missing(made_module, tmp_path):
    program = (
        "import sys; sys.modules['jinja2'] = None; from hub_estimator import publish; "
        "sys.exit(publish.run(['publish', *sys.argv[1:]]))"
    )
    flags = [f"--module={made_module}", f"--site={tmp_path / 'site'}", NAME]
    result = subprocess.run(
        [sys.executable, "-c", program, *flags], capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert result.stderr == (
        "error: Publishing makes pages, which needs: pip install 'hub_estimator[site]'.\n"
    )
    assert not (tmp_path / "site").exists()
