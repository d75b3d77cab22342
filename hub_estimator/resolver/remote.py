"""Whether there is something on a filesystem that `tf.io.gfile` knows, or does not."""

from __future__ import annotations

import urllib.parse

from hub_estimator import errors, files, texts

_MAX_REASON = 300


def exists(path: str) -> bool:
    """Whether there is a file or folder at the remote `path`.

    Raises:
      errors.UnsupportedHandleError: the filesystem is unknown, or cannot be reached.
    """
    try:
        return files.exists(path)
    except Exception as error:  # TensorFlow's own errors, which are none of Python's
        scheme = urllib.parse.urlsplit(path).scheme
        reason = texts.one_line(getattr(error, "message", str(error)), _MAX_REASON)
        raise errors.UnsupportedHandleError(
            f"{path!r} cannot be read: {reason} Give a URL that begins "
            f"with https://, a local path, or a path that tf.io.gfile reads ({scheme}:// is none)."
        ) from error
