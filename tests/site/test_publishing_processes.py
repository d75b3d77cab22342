"""Publishers that are killed at each step, that publish at once, and that find the disk full."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import pytest

from hub_estimator import publish as command
from hub_estimator.site.publishing import publish
from hub_estimator.site.site_folder import Site
from tests.site.published import NAME
from tests.site.sites import check_shown, check_whole

pytestmark = pytest.mark.one_tensorflow

ROOT = pathlib.Path(__file__).parents[2]


def test_a_kill_at_any_step_leaves_what_is_whole(made_module, tmp_path):
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else tmp_path  # some thousand flushes
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        program = [sys.executable, "-m", "tests.site.publishers", str(made_module), folder]
        result = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-3000:]
    steps = dict(re.findall(r"(\w+) (\d+)", result.stdout))
    assert int(steps["first"]) > 30 and int(steps["second"]) > 40


PUBLISH = """
import sys
from hub_estimator.site import publishing
for _ in range(int(sys.argv[3])):
    print(publishing.publish(sys.argv[1], sys.argv[2], "acme/reviews-en").version.number, flush=True)
"""


def test_publishers_at_once_give_a_version_each(made_module, tmp_path):
    site = tmp_path / "site"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PUBLISH, str(made_module), str(site), "4"],
            cwd=ROOT, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(3)
    ]  # fmt: skip
    numbers = [int(line) for process in processes for line in process.communicate()[0].split()]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert sorted(numbers) == list(range(1, 13))
    check_whole(site)


def test_an_archive_without_a_version_is_not_taken_for_another(module, tmp_path):
    """A publisher died between the two; what somebody may have got is not changed."""
    site = tmp_path / "site"
    publish(module, site, NAME)
    left = site / NAME / "2.tar.gz"
    left.write_bytes(b"of another module")
    assert publish(module, site, NAME).version.number == 3
    assert not left.exists()
    check_whole(site)
    # The same archive is the one that was to be version 4.
    (site / NAME / "4.tar.gz").write_bytes((site / NAME / "1.tar.gz").read_bytes())
    assert publish(module, site, NAME).version.number == 4
    check_whole(site)


@pytest.mark.parametrize("left", [0, 20_000, 60_000, 120_000])
def test_a_full_disk_leaves_nothing_half_done(made_module, small_disk, left, capsys):
    site = small_disk / "site"
    flags = [f"--module={made_module}", f"--site={site}", f"--name={NAME}"]
    assert command.run(["publish", *flags]) == 0
    filler = fill(small_disk, left)
    capsys.readouterr()
    status = command.run(["publish", *flags])
    last = capsys.readouterr().err.splitlines()[-1:]
    if status:
        assert re.match(
            r"error: \[Errno 28\] No space left on device.* run the same command", last[0]
        )
    check_shown(site)
    filler.unlink()
    assert command.run(["publish", *flags]) == 0
    check_whole(site)
    numbers = [version.number for version in Site.open(site).versions(NAME)]
    assert json.loads((site / "index.json").read_bytes())["models"][NAME]["newest"] == max(numbers)
    assert len(numbers) in (2, 3)


def fill(disk, left):
    """Fills a disk up to some bytes; returns the file that does."""
    space = os.statvfs(disk)
    with open(disk / "filler", "wb") as file:
        size = space.f_bavail * space.f_frsize - left
        if size > 0:
            os.posix_fallocate(file.fileno(), 0, size)
    return disk / "filler"
