"""A store on this machine: a real server of the S3 protocol, buckets of it, and what is in them."""

from __future__ import annotations

import contextlib
import os
import pathlib
import secrets
from collections.abc import Iterator

import pytest

from hub_estimator import files

KEY, SECRET = "AKIATESTKEY", "test-secret-of-nobody"


@contextlib.contextmanager
def served() -> Iterator[str]:
    """Runs a server on loopback for the time of a `with` block; gives its address."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def use(address: str, patch: pytest.MonkeyPatch) -> None:
    """Has this process, and those that it starts, use a server, with the login of nobody."""
    for name in list(os.environ):
        if name.upper().endswith("_PROXY") or name.startswith("AWS_"):
            patch.delenv(name)
    patch.setenv("AWS_ENDPOINT_URL", address)
    patch.setenv("AWS_ACCESS_KEY_ID", KEY)
    patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    forget()


def forget() -> None:
    """Has the library look for its credentials anew."""
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()


def new_bucket() -> str:
    """Makes an empty bucket, `s3://...`, and returns its path."""
    import s3fs

    name = f"bucket-{secrets.token_hex(6)}"
    s3fs.S3FileSystem().mkdir(name)
    return f"s3://{name}"


def put_folder(folder: pathlib.Path, place: str) -> str:
    """Copies the files of a folder to a place of a store; returns the place."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            files.write_bytes(f"{place}/{path.relative_to(folder).as_posix()}", path.read_bytes())
    return place


def content(place: str) -> dict[str, bytes]:
    """Returns the content of all files below a place of a store, by their paths."""
    found = files.files_below(place)
    return {file.path: files.read_bytes(files.join(place, file.path)) for file in found}
