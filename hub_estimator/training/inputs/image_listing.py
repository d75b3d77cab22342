"""What image files a folder holds, by class."""

from __future__ import annotations

import dataclasses
import logging
import os
from collections.abc import Iterator, Sequence
from typing import IO

import numpy as np

from hub_estimator import errors, files, texts
from hub_estimator.training import images
from hub_estimator.training.inputs import data_files, image_headers, presence

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

    def chosen(self, rows: np.ndarray) -> Listing:
        """Returns the listing of some of the images, int64 `[M]`; the classes stay the same."""
        return Listing(self.classes, [self.paths[row] for row in rows], self.labels[rows])


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
                f"The folder {path!r} has folders for {texts.shown_names(names)}, but the classes are "
                f"{texts.shown_names(classes)}. There must be one for each."
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
    with data_files.reading("folder", path):
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
    """Checks by their headers that files are images, and none too large.

    Raises:
      errors.LfsPointerError: one is a pointer of Git LFS.
      errors.DataFileError: one is no image, too large or damaged, or cannot be read.
    """
    for path in paths:
        with data_files.reading("image file", path), files.open_file(path) as file:
            _check_header(path, file)


def _check_header(path: str, file: IO[bytes]) -> None:
    header = file.read(images.HEADER_BYTES)
    if not header:
        raise errors.DataFileError(f"The image file {path!r} is empty.")
    if images.image_format(header) is None:
        files.check_file(path)  # a pointer of Git LFS says more of itself
        raise errors.DataFileError(
            f"The file {path!r} is no PNG, JPEG, BMP or GIF image, whatever its name says."
        )
    problem = image_headers.problem(file)
    if problem:
        raise errors.DataFileError(f"The image file {path!r} {problem}.")


def _folders(path: str) -> list[str]:
    _check_folder(path)
    entries = _entries(path)
    names = [entry for entry in entries if files.is_folder(files.join(path, entry))]
    if not names:
        raise errors.DataFileError(
            f"The folder {path!r} has no folders. Put the images of each class into a folder of its"
            " own, named like the class."
        )
    for name in names:
        if not _is_utf_8(name):
            raise errors.DataFileError(
                f"The name of the folder {name!r} in {path!r} is not UTF-8, as that of a class must "
                "be. Rename it."
            )
    _say_what_is_left_out(path, [entry for entry in entries if entry not in names])
    return names


def _is_utf_8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_folder(path: str) -> None:
    with data_files.reading("folder", path):
        presence.check_folder(path)


def _images(folder: str) -> list[str]:
    names = _entries(folder)
    chosen = [name for name in names if name.lower().endswith(_SUFFIXES)]
    _say_what_is_left_out(folder, [name for name in names if name not in chosen])
    return [files.join(folder, name) for name in chosen]


def _walk(folder: str) -> Iterator[str]:
    """Gives the images in a folder and in those below it, each folder once: links may lead back."""
    seen: set[str] = set()
    waiting = [folder]
    while waiting:
        path = waiting.pop()
        if not files.is_folder(path):
            yield path
        elif (place := path if files.is_remote(path) else os.path.realpath(path)) not in seen:
            seen.add(place)
            inside = [files.join(path, name) for name in _entries(path)]
            waiting += [
                inner
                for inner in reversed(inside)
                if inner.lower().endswith(_SUFFIXES) or files.is_folder(inner)
            ]
        else:
            _logger.warning("Left out %r: it was listed already, under another name.", path)


def _entries(folder: str) -> list[str]:
    """Returns the names of what a folder holds, but for what is hidden."""
    with data_files.reading("folder", folder):
        return [name for name in files.listing(folder) if not name.startswith(".")]


def _say_what_is_left_out(folder: str, names: list[str]) -> None:
    if names:
        _logger.warning(
            "Left out of %s, as their names are not of images: %s.",
            folder,
            texts.shown_names(names),
        )
