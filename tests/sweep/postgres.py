"""A PostgreSQL server of its own, as Debian packages it, in a temporary folder."""

from __future__ import annotations

import contextlib
import dataclasses
import glob
import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator

import pytest

_USER = "nobody"  # the server refuses to be root's


def folder_of_programs() -> str | None:
    """Returns the folder of the newest server that is installed; None without one."""
    places = glob.glob("/usr/lib/postgresql/*/bin/initdb")
    newest = max(places, key=lambda path: int(path.split("/")[4]), default=None)
    return None if newest is None else os.path.dirname(newest)


@dataclasses.dataclass(frozen=True)
class Server:
    """A server, which listens on a socket in its folder alone.

    Attributes:
      programs: the folder of its programs.
      folder: its own folder.
    """

    programs: str
    folder: pathlib.Path

    @property
    def url(self) -> str:
        """The URL of a database."""
        return f"postgresql://sweeps@/postgres?host={self.folder}"

    def make(self) -> None:
        """Makes the database."""
        self._run("initdb", "-U", "sweeps", "--auth=trust", "--no-sync")

    def start(self) -> None:
        """Starts it."""
        options = f"-k {self.folder} -c listen_addresses= -c fsync=off"
        self._run("pg_ctl", "-o", options, "-l", self.folder / "log", "-w", "start")

    def stop(self) -> None:
        """Stops it as a crash does."""
        self._run("pg_ctl", "-m", "immediate", "stop")

    def _run(self, program: str, *words: object) -> None:
        user = {"user": _USER, "group": "nogroup"} if os.getuid() == 0 else {}
        command = [f"{self.programs}/{program}", "-D", self.folder / "data", *words]
        subprocess.run(
            list(map(str, command)),
            check=True, stdout=subprocess.DEVNULL, cwd="/", timeout=60, **user,
        )  # fmt: skip


@contextlib.contextmanager
def server() -> Iterator[Server]:
    """Runs a server for the time of a `with` block."""
    programs = folder_of_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    # Not pytest's: other users may not look into that, and the path of a socket must be short.
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sweep-pg-"))
    found = Server(programs, folder)
    try:
        _own(folder)
        found.make()
        found.start()
        try:
            yield found
        finally:
            found.stop()
    finally:
        shutil.rmtree(folder)


def _own(folder: pathlib.Path) -> None:
    if os.getuid() == 0:
        user = pwd.getpwnam(_USER)
        os.chown(folder, user.pw_uid, user.pw_gid)
