"""A PostgreSQL server of its own, as Debian packages it, in a temporary folder."""

from __future__ import annotations

import contextlib
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


@contextlib.contextmanager
def server() -> Iterator[str]:
    """Runs a server for the time of a `with` block; it listens on a socket in its folder alone.

    Yields:
      The URL of a database.
    """
    programs = folder_of_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    # Not pytest's: other users may not look into that, and the path of a socket must be short.
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sweep-pg-"))
    data = folder / "data"
    try:
        _own(folder)
        _run(f"{programs}/initdb", "-D", data, "-U", "sweeps", "--auth=trust", "--no-sync")
        options = f"-k {folder} -c listen_addresses= -c fsync=off"
        _run(f"{programs}/pg_ctl", "-D", data, "-o", options, "-l", folder / "log", "-w", "start")
        try:
            yield f"postgresql://sweeps@/postgres?host={folder}"
        finally:
            _run(f"{programs}/pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def _own(folder: pathlib.Path) -> None:
    if os.getuid() == 0:
        user = pwd.getpwnam(_USER)
        os.chown(folder, user.pw_uid, user.pw_gid)


def _run(*words: object) -> None:
    user = {"user": _USER, "group": "nogroup"} if os.getuid() == 0 else {}
    subprocess.run(
        list(map(str, words)), check=True, stdout=subprocess.DEVNULL, cwd="/", **user, timeout=60
    )
