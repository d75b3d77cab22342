"""The examples of schedulers: their jobs are jobs, and they run the command with flags that it has."""

from __future__ import annotations

import ast
import configparser
import pathlib
import re
import shlex
import shutil
import subprocess

import pytest

from hub_estimator import config, export_jobs
from hub_estimator.jobs import configurables

pytestmark = pytest.mark.one_tensorflow

FOLDER = pathlib.Path(__file__).parent.parent.parent / "examples" / "scheduling"
PAGE = FOLDER.parent.parent / "docs" / "export_jobs.md"
COMMAND = "-m hub_estimator.export_jobs"


def read(name):
    return (FOLDER / name).read_text(encoding="utf-8")


def parse_jobs(text, path):
    path.write_text(text)
    configurables.register()
    with config.gin_session([str(path)]) as session:
        jobs = session.call("ExportJobs")
        session.check_all_read()
        return jobs


def test_the_jobs_are_jobs(tmp_path):
    jobs = parse_jobs(read("jobs.gin"), tmp_path / "jobs.gin")
    assert [job.name for job in jobs.jobs] == ["reviews", "serving"]
    assert [type(place).__name__ for place in jobs.jobs[0].destinations] == ["Folder", "Site"]


def test_the_jobs_of_the_page_are_jobs(tmp_path):
    page = PAGE.read_text(encoding="utf-8")
    first, evaluation = re.findall(r"```gin\n(.*?)```", page, re.DOTALL)
    [job] = parse_jobs(f"{first}{evaluation}", tmp_path / "jobs.gin").jobs
    assert job.gates[0].evaluation.name == "held_out"


def test_the_page_has_each_setting_and_part():
    page = PAGE.read_text(encoding="utf-8")
    for name in config.known_configurables()["ExportJob"].parameters:
        assert f"`{name}`" in page, name
    for part, _ in vars(configurables)["_PARTS"]:
        assert f"@{part.__name__}()" in page or f"`{part.__name__}" in page, part


def commands():
    """Returns the command lines of all files, by name."""
    units = ["export-jobs.service", "export-jobs-once.service"]
    found = {}
    for name in units:
        unit = configparser.ConfigParser(strict=False, interpolation=None)
        unit.optionxform = str
        unit.read_string(read(name))
        found[name] = unit["Service"]["ExecStart"]
    found["crontab"] = read("crontab").split("&& ")[1].split(" >>")[0]
    program = ast.parse(read("airflow_dag.py"))
    [text] = [
        node.value
        for node in ast.walk(program)
        if isinstance(node, ast.Constant) and COMMAND in str(node.value)
    ]
    found["airflow_dag.py"] = text.split("&& ")[1]
    words = re.findall(r"(?:command|args): \[(.*?)\]", read("cronjob.yaml"))
    found["cronjob.yaml"] = " ".join(
        word for line in words for word in ast.literal_eval(f"[{line}]")
    )
    return found


@pytest.mark.parametrize(("name", "line"), commands().items(), ids=lambda value: value[:25])
def test_the_flags_are_there(name, line):
    assert COMMAND in line
    flags = shlex.split(line.split(COMMAND)[1])
    values = export_jobs.define_flags()
    assert values(["export_jobs", *flags]) == ["export_jobs"]
    assert values.once is (name != "export-jobs.service") and values.gin_file == ["jobs.gin"]


def test_each_file_is_on_the_page():
    page = PAGE.read_text(encoding="utf-8")
    for path in FOLDER.iterdir():
        assert path.name == "BUILD" or f"(../examples/scheduling/{path.name})" in page


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze")
def test_systemd_takes_the_units(tmp_path):
    names = [path.name for path in FOLDER.glob("export-jobs*")]
    for name in names:
        text = read(name).replace("/srv/models/.venv/bin/python", "/bin/true")
        (tmp_path / name).write_text(text.replace("/srv/models", "/tmp"))
    result = subprocess.run(
        ["systemd-analyze", "verify", *names],
        check=False, capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert (result.returncode, result.stderr) == (0, "")
