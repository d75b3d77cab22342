"""A real HTTP server on loopback that misbehaves as told, and archives to serve."""

from __future__ import annotations

import contextlib
import http.server
import io
import os
import pathlib
import random
import re
import ssl
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable

ROOT = pathlib.Path(__file__).resolve().parents[2]


def module_files(seed: int = 0, large: int = 0) -> dict[str, bytes]:
    """The files of something that looks like a module; `large` is the size of its variables."""
    numbers = random.Random(seed)
    return {
        "tfhub_module.pb": b"\x08\x03",
        "saved_model.pb": numbers.randbytes(2000),
        "variables/variables.index": numbers.randbytes(300),
        "variables/variables.data-00000-of-00001": numbers.randbytes(large or 5000),
        "assets/words.txt": b"a\nb\nc\n",
    }


def tar(
    content: dict[str, bytes],
    mode: str = "w:gz",
    prefix: str = "./",
    folders: tuple[str, ...] = (),
) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name in folders:
            member = tarfile.TarInfo(prefix + name)
            member.type = tarfile.DIRTYPE
            archive.addfile(member)
        for name, data in content.items():
            member = tarfile.TarInfo(prefix + name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def read_folder(folder: str | os.PathLike) -> dict[str, bytes]:
    root = pathlib.Path(folder)
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if not path.is_dir()
    }


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Host

    def do_GET(self):
        path, _, query = self.path.partition("?")
        self.server.seen.append(Seen(path, query, dict(self.headers)))
        reply = self.server.replies.get(path, status(404))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            reply(self)

    def answer(self, code: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(code)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Seen:
    """One request as it came."""

    def __init__(self, path: str, query: str, headers: dict[str, str]):
        self.path, self.query, self.headers = path, query, headers


Reply = Callable[[Handler], None]


class Host(http.server.ThreadingHTTPServer):
    """Serves `replies` (path to reply) until the `with` block ends; `seen` has the requests."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, context: ssl.SSLContext | None = None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.replies: dict[str, Reply] = {}
        self.seen: list[Seen] = []
        self.sent = 0
        self.scheme = "https" if context else "http"
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True)

    def handle_error(self, request, client_address):
        pass  # clients that go away are part of the tests

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    def url(self, path: str) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_port}{path}"

    def serve(self, path: str, body: bytes, **behaviour) -> str:
        """Serves `body` at `path`, see `content`; returns the URL."""
        self.replies[path] = content(body, **behaviour)
        return self.url(path)


def content(
    body: bytes,
    ranges: bool = False,
    etag: str = '"1"',
    piece: int = 1 << 16,
    pause_secs: float = 0.0,
    drop_after: list[int] | None = None,
    length: int | None = None,
    **headers: str,
) -> Reply:
    """Serves `body`.

    Args:
      ranges: answer requests for a part.
      etag: empty for none.
      piece: bytes between two pauses.
      pause_secs: the pause.
      drop_after: the connections drop after so many bytes, the first after the first number.
      length: what the header says instead of the truth; -1 for no header.
    """
    drops = drop_after or []

    def reply(handler: Handler) -> None:
        start = 0
        asked = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        if ranges and asked and handler.headers.get("If-Range", etag) == etag:
            start = int(asked[1])
        part = body[start:]
        handler.send_response(206 if start else 200)
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        if length != -1:
            handler.send_header("Content-Length", str(length or len(part)))
        if ranges:
            handler.send_header("Accept-Ranges", "bytes")
        if etag:
            handler.send_header("ETag", etag)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        end = drops.pop(0) if drops else len(part)
        for at in range(0, min(end, len(part)), piece):
            handler.wfile.write(part[at : min(at + piece, end)])
            handler.server.sent += piece
            time.sleep(pause_secs)
        handler.close_connection = True

    return reply


def status(code: int, body: bytes = b"", **headers: str) -> Reply:
    return lambda handler: handler.answer(code, body, **headers)


def redirect(to: str, code: int = 302) -> Reply:
    return status(code, b"elsewhere", Location=to)


def raw(*parts: bytes, pause_secs: float = 0.0, times: int = 1) -> Reply:
    """The bytes of an answer as they are; the last part is sent so many times."""

    def reply(handler: Handler) -> None:
        handler.close_connection = True
        for part in (*parts, *parts[-1:] * (times - 1)):
            handler.wfile.write(part)
            handler.server.sent += len(part)
            time.sleep(pause_secs)

    return reply


def in_turn(*replies: Reply) -> Reply:
    """The first reply to the first request, and so on; the last to all others."""
    left = list(replies)
    return lambda handler: (left.pop(0) if len(left) > 1 else left[0])(handler)


def start_python(program: str, *args: str, **env: str) -> subprocess.Popen:
    """Starts `program` in a process of its own, with the environment of the test."""
    return subprocess.Popen(
        [sys.executable, "-c", program, *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
    )
