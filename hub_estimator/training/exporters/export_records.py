"""What is written beside an export: the step, the metrics, and which checkpoint it was."""

from __future__ import annotations

import dataclasses
import json
import math
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from hub_estimator import files

GLOBAL_STEP = "global_step"
METRICS = "metrics.json"
CHECKPOINT = "checkpoint.json"
PARENTS = "parents"
_EXPORTER = "exporter"
_SHA256 = "index_sha256"


@dataclasses.dataclass(frozen=True)
class CheckpointRecord:
    """A checkpoint to export.

    Attributes:
      path: its prefix.
      step: its global step.
      sha256: of its index, which holds a checksum of each value: equal for equal checkpoints only.
    """

    path: str
    step: int
    sha256: str | None


def write(
    folder: str,
    checkpoint: CheckpointRecord,
    metrics: Mapping[str, Any] | None,
    exporter: str | None,
) -> None:
    """Writes the records into the folder of an export.

    Args:
      folder: the folder.
      checkpoint: what is exported.
      metrics: of its evaluation; None where it was not evaluated.
      exporter: the name of the exporter that makes the export, and may remove it when it is old;
        None where nobody may.
    """
    files.write_text(files.join(folder, GLOBAL_STEP), f"{checkpoint.step}\n")
    source = {
        "name": os.path.basename(checkpoint.path),
        _SHA256: checkpoint.sha256,
        _EXPORTER: exporter,
    }
    files.write_text(files.join(folder, CHECKPOINT), as_json(source))
    if metrics is not None:
        plain = {name: as_plain(value) for name, value in sorted(metrics.items())}
        files.write_text(files.join(folder, METRICS), as_json(plain))


def add_parents(folder: str, parents: Mapping[str, Mapping[str, str]]) -> None:
    """Adds to the records of an export of which modules those in it are made.

    Args:
      folder: the folder of the export.
      parents: by the name of the exported module, the `handle` of the one that it was made of and
        the `sha256` of its content; what is not known is not there.
    """
    if parents:
        path = files.join(folder, CHECKPOINT)
        files.write_text(path, as_json({**read_json(path), PARENTS: parents}))


def step(export: str | None) -> int:
    """Returns the global step of an export; 0 without one, or where nothing says it."""
    text = _content(files.join(export, GLOBAL_STEP)) if export is not None else None
    try:
        return max(0, int(text or b"0"))
    except ValueError:  # somebody else's file
        return 0


def metrics(export: str) -> dict[str, Any]:
    """Returns the metrics of an export; none where nothing says them."""
    return read_json(files.join(export, METRICS))


def is_of(export: str, checkpoint: CheckpointRecord) -> bool:
    """Whether the values of an export are those of this checkpoint."""
    known = sha256(export)
    return known is not None and known == checkpoint.sha256


def sha256(export: str) -> str | None:
    """Returns that of the checkpoint of an export, see `CheckpointRecord`; None where nothing says it."""
    known = read_json(files.join(export, CHECKPOINT)).get(_SHA256)
    return known if isinstance(known, str) else None


def is_by(export: str, exporter: str) -> bool:
    """Whether the records of an export say that this exporter made it."""
    return read_json(files.join(export, CHECKPOINT)).get(_EXPORTER) == exporter


def as_json(content: Mapping[str, Any]) -> str:
    """Returns an object in JSON, one entry a line."""
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def read_json(path: str) -> dict[str, Any]:
    """Returns the object in a JSON file; an empty one where there is no such file."""
    try:
        content = json.loads(_content(path) or b"{}")
    except (ValueError, RecursionError):  # somebody else's file
        content = {}
    return content if isinstance(content, dict) else {}


def _content(path: str) -> bytes | None:
    """Returns the content of a file; None where there is none that can be read."""
    try:
        return files.read_bytes(path) if files.exists(path) else None
    except OSError:
        return None


def as_plain(value: Any) -> Any:
    """Returns a metric's value as JSON has it: what is no number (NaN) or infinite is None."""
    if isinstance(value, np.floating):
        value = float(str(value))  # by its text, a float32 0.9 is 0.9, not 0.8999999761581421
    if isinstance(value, (np.ndarray, list, tuple)):
        return [as_plain(element) for element in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return None if isinstance(value, float) and not math.isfinite(value) else value
