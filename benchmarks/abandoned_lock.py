"""How long the next process waits after the downloader of a module was killed.

    python benchmarks/abandoned_lock.py --seconds=60

A process starts downloading a module from a slow host on loopback and is killed (SIGKILL) mid-way.
The time from the kill until a second process, waiting or started afterwards, has the module is
measured: for this package, and for tensorflow-hub where it is installed. The latter waits about
twenty minutes; after `--seconds` it is stopped, and the line says that it was still waiting.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import io
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
PROGRAMS = {
    "hub_estimator": "import hub_estimator as hub",
    "tensorflow_hub": "import tensorflow_hub as hub",
}
PIECE = 50_000


def make_archive() -> bytes:
    buffer = io.BytesIO()
    content = {"tfhub_module.pb": b"\x08\x03", "saved_model.pb": os.urandom(1_000_000)}
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in content.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


class SlowThenQuick(http.server.BaseHTTPRequestHandler):
    """Takes 20 seconds for the first request, no time for the others."""

    def __init__(self, state: dict, *args):
        self.state = state
        super().__init__(*args)

    def do_GET(self):
        self.state["requests"] += 1
        pause = 1.0 if self.state["requests"] == 1 else 0.0
        body = self.state["archive"]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        for at in range(0, len(body), PIECE):
            try:
                self.wfile.write(body[at : at + PIECE])
            except OSError:
                return
            self.state["sent"] += PIECE
            time.sleep(pause)

    def log_message(self, *_):
        pass


def start(program: str, url: str, cache: str) -> subprocess.Popen:
    env = {
        **os.environ, "PYTHONPATH": str(ROOT), "TFHUB_CACHE_DIR": cache, "NO_PROXY": "127.0.0.1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }  # fmt: skip
    code = f"import sys; {PROGRAMS[program]}; hub.resolve(sys.argv[1])"
    return subprocess.Popen([sys.executable, "-c", code, url], env=env, stderr=subprocess.DEVNULL)


def measure(program: str, waiting: bool, limit_secs: float) -> str:
    state = {"archive": make_archive(), "requests": 0, "sent": 0}
    handler = functools.partial(SlowThenQuick, state)
    with (
        tempfile.TemporaryDirectory() as cache,
        http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server,
    ):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/module/1"
        first = start(program, url, cache)
        while state["sent"] < 3 * PIECE:
            if first.poll() is not None:
                return "failed"
            time.sleep(0.05)
        second = start(program, url, cache) if waiting else None
        time.sleep(3.0 if waiting else 0.0)
        first.kill()
        first.wait()
        killed = time.monotonic()
        second = second or start(program, url, cache)
        try:
            code = second.wait(limit_secs)
        except subprocess.TimeoutExpired:
            second.kill()
            second.wait()
            return f"still waiting after {limit_secs:.0f} s"
        finally:
            server.shutdown()
        return f"{time.monotonic() - killed:.2f} s" if code == 0 else "failed"


def is_installed(program: str) -> bool:
    code = PROGRAMS[program].partition(" as ")[0]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", code]
    return not subprocess.run(command, env=env, capture_output=True, check=False).returncode


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="the longest wait to measure")
    limit_secs = parser.parse_args().seconds
    print("from SIGKILL of the downloader to the end of the next process")
    for program in PROGRAMS:
        for waiting in (True, False):
            when = "already waiting" if waiting else "started after it"
            result = "not installed"
            if is_installed(program):
                result = measure(program, waiting, limit_secs)
            print(f"{program:15} {when:17} {result}", flush=True)


if __name__ == "__main__":
    main()
