"""Where gin files are: beside the file that includes them, or in the package."""

from __future__ import annotations

import os

from hub_estimator import errors, files

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
      beside: the file that includes it, whose folder is searched too.

    Raises:
      errors.ConfigFileNotFoundError: it is in none of the places; the message lists packaged ones.
    """
    folders = [os.path.dirname(beside)] if beside else []
    candidates = [os.path.join(folder, name) for folder in [*folders, *packaged_folders()]]
    for path in [files.as_path(name), *candidates]:
        if files.exists(path) and not files.is_folder(path):
            return path
    packaged = sorted({each for place in packaged_folders() for each in files.listing(place)})
    names = ", ".join(each for each in packaged if each.endswith(".gin"))
    included = f", included by {beside!r}" if beside else ""
    raise errors.ConfigFileNotFoundError(
        f"There is no gin file {name!r}{included}. Give a path, or one of the packaged "
        f"configurations: {names}."
    )


def read_text(path: str) -> str:
    """Returns the text of a gin file.

    Raises:
      errors.ConfigError: it cannot be read, or is not UTF-8.
    """
    try:
        content = files.read_bytes(path)
    except OSError as error:
        raise errors.ConfigError(f"The gin file {path!r} cannot be read: {error}.") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise errors.ConfigError(
            f"The gin file {path!r} is not UTF-8: byte 0x{content[error.start]:02x} in line "
            f"{line}. Save it as UTF-8."
        ) from error
