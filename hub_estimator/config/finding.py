"""Where gin files are: beside the file that includes them, or in the package."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence

from hub_estimator import errors, files, texts
from hub_estimator.config import suggestions

_ENDING = ".gin"
_MOST_BYTES = 10_000_000
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def packaged_folders() -> list[str]:
    """Returns the folders with the configurations that come with the package."""
    places = [os.path.join(_PACKAGE, "configs"), os.path.join(os.path.dirname(_PACKAGE), "configs")]
    # A folder `configs` beside an installed package would be another project's.
    return [place for place in places if os.path.exists(os.path.join(place, "base.gin"))]


def find_file(name: str, beside: str | None = None) -> str:
    """Returns the path of a gin file.

    Args:
      name: a path, or the name of a packaged configuration.
      beside: the file that includes it, in whose folder it is searched first: what a packaged
        configuration includes is packaged too, whatever the current folder has.

    Raises:
      errors.ConfigFileNotFoundError: it is in none of the places; the message lists packaged ones.
      errors.ConfigError: it is on a filesystem that cannot be reached.
    """
    name = files.as_path(name)
    inner = [files.join(files.parent(beside), name)] if beside else []
    packaged = [files.join(folder, name) for folder in packaged_folders()]
    for path in [*inner, name, *packaged]:
        if _is_there(path):
            return path
    there = sorted({file for place in packaged_folders() for file in _gin_files(place)})
    included = f", included by {beside!r}" if beside else ""
    raise errors.ConfigFileNotFoundError(
        f"There is no gin file {texts.shown(name)}{included}.{_near(name, there)} Give a path, or one "
        f"of the packaged configurations: {', '.join(there)}."
    )


def _near(name: str, packaged: Sequence[str]) -> str:
    """Returns which files may have been meant, as a sentence: packaged ones, and those beside it."""
    folder = files.parent(name)
    known = {} if folder else {file: file.removesuffix(_ENDING) for file in packaged}
    if not files.is_remote(name):
        with contextlib.suppress(OSError):
            beside = _gin_files(folder or ".")
            known |= {files.join(folder, file): file.removesuffix(_ENDING) for file in beside}
    wanted = os.path.basename(name).removesuffix(_ENDING)
    near = suggestions.near_names(wanted, known.values())[:1]
    found = [path for stem in near for path, other in known.items() if other == stem]
    return f" Did you mean {' or '.join(map(texts.shown_name, found))}?" if found else ""


def _gin_files(folder: str) -> list[str]:
    return [name for name in files.listing(folder) if name.endswith(_ENDING)]


def read_text(path: str) -> str:
    """Returns the text of a gin file, whose lines end in `\\n` whatever they end in there.

    Raises:
      errors.ConfigError: it cannot be read, is too large, or is not UTF-8.
    """
    with _clear_file_errors(path):
        size = files.size(path)
        if size > _MOST_BYTES:
            raise errors.ConfigError(
                f"The gin file {path!r} has {size:,} bytes; at most {_MOST_BYTES:,} are read."
            )
        content = files.read_bytes(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise errors.ConfigError(
            f"The gin file {path!r} is not UTF-8: byte 0x{content[error.start]:02x} in line "
            f"{line}. Save it as UTF-8."
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _is_there(path: str) -> bool:
    with _clear_file_errors(path):
        return files.exists(path) and not files.is_folder(path)


@contextlib.contextmanager
def _clear_file_errors(path: str) -> Iterator[None]:
    try:
        yield
    except errors.ConfigError:
        raise
    except Exception as error:  # those of `tf.io.gfile` are no OSErrors
        if not isinstance(error, OSError) and not files.is_remote(path):
            raise
        reason = getattr(error, "message", None) or str(error)
        raise errors.ConfigError(
            f"The gin file {path!r} cannot be read: {reason.rstrip('.')}."
        ) from error
