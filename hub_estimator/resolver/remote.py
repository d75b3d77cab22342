"""Whether there is something on a filesystem of TensorFlow or of `fsspec`, and fetching it."""

from __future__ import annotations

import os
from collections.abc import Mapping

from hub_estimator import errors, files, texts
from hub_estimator.resolver import archives, download
from hub_estimator.resolver.handle import Handle
from hub_estimator.resolver.settings import Settings

_MAX_REASON = 300
_EXTRA = "For stores: `pip install 'hub_estimator[remote]'`. "


def exists(path: str) -> bool:
    """Whether there is a file or folder at the remote `path`.

    Raises:
      errors.UnsupportedHandleError: the filesystem is unknown, or cannot be reached.
      errors.RemotePlaceError: a store cannot be reached, or refuses the credentials it got.
      errors.MissingExtraError: the library that reaches a store is not installed.
    """
    try:
        return files.exists(path)
    except errors.Error:
        raise
    except Exception as error:  # TensorFlow's own errors, which are none of Python's
        scheme = files.scheme_of(path)
        reason = texts.one_line(getattr(error, "message", str(error)), _MAX_REASON)
        extra = "" if files.stores.is_installed() else _EXTRA
        raise errors.UnsupportedHandleError(
            f"{files.without_login(path)!r} cannot be read: {files.without_logins(reason)} "
            f"{extra}Give a URL that begins "
            f"with https://, a local path, or a path that tf.io.gfile reads ({scheme}:// is none)."
        ) from error


def check_exists(handle: Handle) -> None:
    """Raises an error if there is nothing at a path, or nothing can be."""
    path = handle.text
    there = exists(path) if files.is_remote(path) else os.path.exists(path)
    if not there:
        given = "" if os.path.isabs(path) or files.is_remote(path) else f" (in {os.getcwd()})"
        is_broken_url = path.lower().startswith(("http:", "https:"))
        hint = (
            "a URL is written like https://example.com/module/1"
            if is_broken_url
            else ("check the path of the module")
        )
        raise errors.HandleNotFoundError(f"There is nothing at {str(handle)!r}{given}: {hint}.")


def fetch(handle: Handle, targets: Mapping[str, str], settings: Settings) -> None:
    """Copies remote files to the local disk.

    Args:
      handle: what messages call them.
      targets: the local path of each.
      settings: how large they may be, together.

    Raises:
      errors.UnsafeArchiveError: they are larger.
      errors.HandleNotFoundError: one went away meanwhile.
    """
    before = 0

    def arrived(size: int) -> None:
        archives.check_size(before + size, settings.max_unpacked_bytes, f"What {handle} leads to")
        progress.at(before + size)

    with download.progress_of(handle, settings) as progress:
        progress.say(f"Downloading {handle}.")
        for path, target in targets.items():
            try:
                files.fetch(path, target, arrived)
            except FileNotFoundError as error:
                raise errors.HandleNotFoundError(
                    f"{files.without_login(path)!r} is not there any more, or not whole: what {handle} "
                    "leads to changes. Try again once it is whole."
                ) from error
            before += os.path.getsize(target)
            arrived(0)
        seconds = f"{progress.seconds:.1f} s"
        progress.say(f"Downloaded {handle}: {download.readable(before)} in {seconds}.")
