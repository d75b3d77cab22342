"""The real nginx with the configuration of examples/hosting, on loopback."""

from __future__ import annotations

import contextlib
import getpass
import os
import pathlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator

import pytest

CONFIGURATION = pathlib.Path(__file__).parents[2] / "examples" / "hosting" / "nginx.conf"
MAIN = """
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
{user}
events {{}}
http {{
    include {types};
    default_type application/octet-stream;
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/hub.conf;
}}
"""
PLACES = {
    "listen 80;": "listen 127.0.0.1:{port};",
    "server_name models.example.com;": "server_name localhost;",
    "root /srv/hub;": "root {site};",
}


@contextlib.contextmanager
def serving(site: pathlib.Path, folder: pathlib.Path) -> Iterator[str]:
    """Serves a site; gives its address. `folder` is for what nginx writes."""
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        pytest.skip("nginx is not installed")
    folder.mkdir()
    port = _free_port()
    text = CONFIGURATION.read_text(encoding="utf-8")
    for line, changed in PLACES.items():
        assert text.count(line) == 1, line
        text = text.replace(line, changed.format(port=port, site=site))
    (folder / "hub.conf").write_text(text, encoding="utf-8")
    # Its workers would be of a user that may not read the folders of tests.
    user = f"user {getpass.getuser()};" if os.geteuid() == 0 else ""
    types = folder / "mime.types"
    types.write_text(
        "types { text/html html; text/css css; application/javascript js; image/png png; "
        "application/json json; }"
    )
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder, user=user, types=types))
    process = subprocess.Popen(
        [program, "-p", str(folder), "-c", str(folder / "nginx.conf")], stderr=subprocess.PIPE
    )
    try:
        _wait(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait(port: int, process: subprocess.Popen) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    process.kill()
    raise AssertionError(process.communicate()[1])
