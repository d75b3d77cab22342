"""Files of prepared datasets: looked into before `tensorflow_datasets` and TensorFlow read them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hub_estimator import errors, files, json_text
from hub_estimator.training.inputs import data_files, record_framing

_FIRST_RECORDS = 8


def read_json(path: str) -> Any:
    """Returns what a file that describes a dataset says.

    Raises:
      errors.LfsPointerError: it is a pointer of Git LFS.
      errors.DataFileError: it cannot be read, or is no JSON.
    """
    with data_files.reading("data file", path):
        content = files.read_bytes(path)
    return parse(content, path)


def parse(text: str | bytes, path: str) -> Any:
    """Returns what JSON out of a file says.

    Raises:
      errors.DataFileError: it is none.
    """
    try:
        return json_text.parse(text)
    except ValueError as error:
        raise errors.DataFileError(f"The data file {path!r} is not JSON: {error}.") from error


def check_shards(paths: Iterable[str]) -> None:
    """Checks the files of records of a prepared dataset, those on the local disk.

    Raises:
      errors.LfsPointerError: one is a pointer of Git LFS.
      errors.DataFileError: one cannot be read, or is damaged where it starts.
    """
    for path in paths:
        if not files.is_remote(path):
            with data_files.reading("file of records", path):
                files.check_file(path)
                record_framing.check_first(path, _FIRST_RECORDS)
