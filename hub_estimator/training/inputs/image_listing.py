"""What image files a folder holds, by class."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator, Sequence

import numpy as np

from hub_estimator import errors, files
from hub_estimator.training import images
from hub_estimator.training.inputs.base import shown_names

_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif")

_logger = logging.getLogger("hub_estimator")


@dataclasses.dataclass(frozen=True)
class Listing:
    """Images by class.

    Attributes:
      classes: the names of the classes.
      paths: the files, one class after the other.
      labels: the class of each, int64 `[N]`.
    """

    classes: tuple[str, ...]
    paths: list[str]
    labels: np.ndarray


def by_class(path: str, classes: Sequence[str] | None) -> Listing:
    """Lists the images of the folders in a folder, each of which is a class.

    Args:
      path: the folder.
      classes: the classes in the order of their numbers; None is all folders in alphabetic order.

    Raises:
      errors.DataFileNotFoundError: there is no such folder.
      errors.DataFileError: it has no folders, or one without images.
      errors.LabelError: the folders are not the classes.
    """
    names = _folders(path)
    if classes is not None:
        if set(names) != set(classes):
            raise errors.LabelError(
                f"The folder {path!r} has folders for {shown_names(names)}, but the classes are "
                f"{shown_names(classes)}. There must be one for each."
            )
        names = list(classes)
    paths: list[str] = []
    counts = []
    for name in names:
        found = _images(files.join(path, name))
        if not found:
            raise errors.DataFileError(
                f"The folder {files.join(path, name)!r} of a class has no images "
                f"({', '.join(_SUFFIXES)}). Add some, or remove the folder."
            )
        paths += found
        counts.append(len(found))
    return Listing(tuple(names), paths, np.repeat(np.arange(len(names)), counts))


def all_images(path: str) -> list[str]:
    """Lists the images in a folder and in its folders, in alphabetic order; or the one file.

    Raises:
      errors.DataFileNotFoundError: there is nothing.
      errors.DataFileError: there are no images in it.
    """
    if files.exists(path) and not files.is_folder(path):
        return [path]
    _check_folder(path)
    found = list(_walk(path))
    if not found:
        raise errors.DataFileError(
            f"The folder {path!r} has no images ({', '.join(_SUFFIXES)}), nor have its folders."
        )
    return found


def check_headers(paths: Sequence[str]) -> None:
    """Checks by how they start that files are images.

    Raises:
      errors.DataFileError: one is not, or cannot be read.
    """
    for path in paths:
        try:
            header = _header(path)
        except OSError as error:
            raise errors.DataFileError(
                f"The image file {path!r} cannot be read: {error}."
            ) from error
        if not header:
            raise errors.DataFileError(f"The image file {path!r} is empty.")
        if images.image_format(header) is None:
            raise errors.DataFileError(
                f"The file {path!r} is no PNG, JPEG, BMP or GIF image, whatever its name says."
            )


def _header(path: str) -> bytes:
    if files.is_remote(path):
        with files.gfile().GFile(path, "rb") as file:
            return file.read(images.HEADER_BYTES)
    with open(path, "rb") as file:
        return file.read(images.HEADER_BYTES)


def _folders(path: str) -> list[str]:
    _check_folder(path)
    entries = [each for each in files.listing(path) if not each.startswith(".")]
    names = [each for each in entries if files.is_folder(files.join(path, each))]
    if not names:
        raise errors.DataFileError(
            f"The folder {path!r} has no folders. Put the images of each class into a folder of its"
            " own, named like the class."
        )
    _say_what_is_left_out(path, [each for each in entries if each not in names])
    return names


def _check_folder(path: str) -> None:
    if not files.exists(path):
        raise errors.DataFileNotFoundError(f"There is no folder {path!r}.")
    if not files.is_folder(path):
        raise errors.DataFileError(f"{path!r} is a file; a folder of images is needed.")


def _images(folder: str) -> list[str]:
    names = [each for each in files.listing(folder) if not each.startswith(".")]
    chosen = [each for each in names if each.lower().endswith(_SUFFIXES)]
    _say_what_is_left_out(folder, [each for each in names if each not in chosen])
    return [files.join(folder, each) for each in chosen]


def _walk(folder: str) -> Iterator[str]:
    for name in files.listing(folder):
        path = files.join(folder, name)
        if name.startswith("."):
            continue
        if files.is_folder(path):
            yield from _walk(path)
        elif name.lower().endswith(_SUFFIXES):
            yield path


def _say_what_is_left_out(folder: str, names: list[str]) -> None:
    if names:
        _logger.warning(
            "Left out of %s, as their names are not of images: %s.", folder, shown_names(names)
        )
