"""`python -m hub_estimator.cache`: what it shows, what it removes, how it ends."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time

import pytest

import hub_estimator as hub
from hub_estimator import cache as command
from tests.resolver.hosting import ROOT, module_files, tar

pytestmark = pytest.mark.one_tensorflow

ARCHIVE = tar(module_files())


def run(*words: str) -> int:
    return command.run(["cache", *words])


@pytest.fixture
def urls(host):
    urls = [host.serve(f"/m/{version}", ARCHIVE) for version in (1, 2)]
    for url in urls:
        hub.resolve(url)
    return urls


def make_older(folder: str, days: float) -> None:
    path = folder + ".descriptor.txt"
    with open(path, encoding="utf-8") as file:
        content = json.load(file)
    then = time.gmtime(time.time() - days * 86400)
    content["downloaded"] = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", then)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(content, file)


def test_the_program_and_its_help():
    result = subprocess.run(
        [sys.executable, "-m", "hub_estimator.cache", "--help"],
        capture_output=True, text=True, cwd=ROOT, check=True,
    )  # fmt: skip
    assert result.stdout.startswith("Shows, checks and clears the cache of downloaded modules.\n")
    assert "--older_than_days" in result.stdout


def test_no_tensorflow(urls):
    program = (
        "import sys; from hub_estimator import cache; cache.run(['cache', 'verify'])\n"
        "print({'tensorflow', 'keras'} & set(sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert result.stdout.splitlines()[-1] == "set()"


def test_list(urls, cache_folder, capsys):
    folder = hub.resolve(urls[0])
    make_older(folder, 3)
    assert run("list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert f"whole     7.3 kB    3 days  {urls[0]}  {folder}" in lines
    assert re.fullmatch(rf"2 in {cache_folder}, 14\.6 kB, 0 damaged", lines[-1])


def test_list_of_nothing(cache_folder, capsys):
    assert run("list") == 0
    assert capsys.readouterr().out == f"0 in {cache_folder}, 0 B, 0 damaged\n"
    assert not cache_folder.exists()


def test_verify(urls, cache_folder, capsys):
    assert run("verify") == 0
    os.truncate(hub.resolve(urls[1]) + "/saved_model.pb", 3)
    assert run("verify", urls[0]) == 0
    capsys.readouterr()
    assert run("verify") == 1
    told = capsys.readouterr()
    assert re.search(
        r"^damaged .*\n +saved_model\.pb has 3 bytes, not 2000$", told.out, re.MULTILINE
    )
    assert told.err == (
        f"error: 1 damaged in {cache_folder}: they are fetched again when they are next used.\n"
    )


def test_an_entry_without_descriptor_is_shown(urls, capsys):
    os.unlink(hub.resolve(urls[0]) + ".descriptor.txt")
    run("list")
    assert "(no descriptor)" in capsys.readouterr().out


def test_what_a_descriptor_says_is_shown_escaped_and_cut(urls, capsys):
    path = hub.resolve(urls[0]) + ".descriptor.txt"
    with open(path, encoding="utf-8") as file:
        content = json.load(file)
    content["handle"] = "https://\x1b[2J\n" + "x" * 100_000
    content["downloaded"] = "\x1b[2J"
    with open(path, "w", encoding="utf-8") as file:
        json.dump(content, file)
    os.symlink("/etc", hub.resolve(urls[1]) + "/\x1b[2J")
    assert run("verify") == 1
    out = capsys.readouterr().out
    assert out.replace("\n", "").isprintable()
    assert len(out) < 3000
    assert r"https://\x1b[2J xxx" in out
    assert r"\x1b[2J is a link" in out


def test_clear_one(urls, cache_folder, capsys):
    folder = hub.resolve(urls[0])
    assert run("clear", urls[0]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"1 removed from {cache_folder}"
    assert not os.path.exists(folder)
    assert not os.path.exists(folder + ".descriptor.txt")
    assert os.path.exists(hub.resolve(urls[1]))


def test_clear_a_local_archive(tmp_path, monkeypatch):
    (tmp_path / "m.tgz").write_bytes(ARCHIVE)
    folder = hub.resolve(tmp_path / "m.tgz")
    monkeypatch.chdir(tmp_path)
    assert run("clear", "m.tgz") == 0
    assert not os.path.exists(folder)


def test_clear_older(urls):
    folders = [hub.resolve(url) for url in urls]
    make_older(folders[0], 10)
    assert run("clear", "--older_than_days=9") == 0
    assert [os.path.exists(folder) for folder in folders] == [False, True]


def test_clear_all(urls, cache_folder, host):
    key = os.path.basename(hub.resolve(urls[0]))
    (cache_folder / f".{key}.tmp-1-killed").mkdir()
    (cache_folder / "mine").mkdir()
    assert run("clear", "--all") == 0
    left = [name for name in os.listdir(cache_folder) if not name.endswith(".flock")]
    assert left == ["mine"]
    hub.resolve(urls[0])
    assert len(host.seen) == 3


def test_another_cache(urls, tmp_path, capsys):
    assert run("list", f"--cache_dir={tmp_path}/other") == 0
    assert run("list", "--cache_dir", f"{tmp_path}/cache") == 0
    out = capsys.readouterr().out
    assert f"0 in {tmp_path}/other, " in out
    assert f"2 in {tmp_path}/cache, " in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "Give a command: list, verify or clear."),
        (["lst"], "The commands are list, verify and clear, not 'lst'."),
        (["show"], "The commands are list, verify and clear, not 'show'."),
        (["list", "x"], "Unexpected arguments: x."),
        (["clear"], "clear needs one of: a handle, --older_than_days, --all."),
        (["clear", "x", "--all"], "clear needs one of: a handle, --older_than_days, --all."),
        (["verify", "--all"], "--older_than_days and --all are for clear."),
        (["list", "--older_than_days=2"], "--older_than_days and --all are for clear."),
        (["list", "--nothing"], "Unknown command line flag 'nothing'"),
    ],
)
def test_wrong_usage(words, message, capsys):
    assert run(*words) == 2
    assert capsys.readouterr().err == f"error: {message}\n"


def test_an_entry_that_is_not_there(cache_folder, capsys):
    assert run("clear", "https://a/b") == 1
    assert capsys.readouterr().err == (
        f"error: The cache {cache_folder} has no entry of https://a/b: `list` shows what it has.\n"
    )
