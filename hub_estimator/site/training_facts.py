"""What is known of the training of an exported module: of the records beside it, and its run's folder.

What is read may be a stranger's: it is read as data, with limits, and links are not followed.
"""

from __future__ import annotations

import dataclasses
import math
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

from hub_estimator import errors, files, json_text, texts
from hub_estimator.config import OPERATIVE_CONFIG
from hub_estimator.resolver.handle import without_passwords
from hub_estimator.training.exporters import export_records
from hub_estimator.training.model_folder import run_settings

# Titles and PNG files.
Pictures = tuple[tuple[str, bytes], ...]

_FROM_MODEL_FOLDER = 4  # <model_dir>/export/<exporter>/<timestamp>/<export_name>
_MOST_BYTES = 1 << 20
_MOST_PICTURES, _MOST_PICTURE_BYTES = 20, 4 << 20
_MOST_CLASSES = 200
_PNG = b"\x89PNG\r\n\x1a\n"
_REPORT = ("report", "report.md")
_REPORT_STEP = re.compile(r"# Evaluation at step (\d{1,18})\n")
_REPORT_DATA = re.compile(r"^- Data: (.{1,2000})$", re.MULTILINE)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_IMAGES = "images"  # the worst mistakes: examples, which are not for everybody who may see a page


@dataclasses.dataclass(frozen=True)
class TrainingFacts:
    """What is known of a training.

    Attributes:
      content: that, as `version.json` has it; None where nothing is. `step`, an int; `metrics`, by
        name; `parent`, a dict of `handle` and `sha256`; `config`, a text; `data`, a text of
        Markdown; `classes`, by the name of the head, lists of a name and a count. What is not known
        is not there.
      pictures: those of the report of the exported step.
    """

    content: Mapping[str, Any] | None = None
    pictures: Pictures = ()


def read(module: str, model_dir: str | None = None) -> TrainingFacts:
    """Returns what is known of the training of a module.

    Args:
      module: the local folder of the module.
      model_dir: the model folder of its run; None looks for it above the export.

    Raises:
      errors.ModelFolderError: `model_dir` is none.
    """
    if model_dir is not None:
        _check_model_folder(model_dir)
    export = files.parent(module)
    if not files.is_plain_file(files.join(export, export_records.CHECKPOINT)):
        if model_dir is not None:
            raise errors.ModelFolderError(
                f"{module!r} was not exported by a run: there is no {export_records.CHECKPOINT} beside "
                "it, so it is not known which step of the run it is of. Leave --model_dir out."
            )
        return TrainingFacts()
    content = _of_export(export, os.path.basename(module))
    folder = _above(module) if model_dir is None else model_dir
    if folder is None:
        return TrainingFacts(content)
    pictures: Pictures = ()
    config = _text(files.join(folder, OPERATIVE_CONFIG))
    if config:
        content["config"] = without_passwords(config)
    if classes := _classes(files.join(folder, "training_classes.json")):
        content["classes"] = classes
    report = _text(files.join(folder, *_REPORT)) or ""
    step = _REPORT_STEP.match(report)
    if step and int(step[1]) == content.get("step"):
        if data := _REPORT_DATA.search(report):
            content["data"] = without_passwords(data[1])
        pictures = tuple(_pictures(files.join(folder, _REPORT[0])))
    return TrainingFacts(content, pictures)


def _check_model_folder(path: str) -> None:
    if not any(map(files.is_plain_file, run_settings.paths(path))):
        raise errors.ModelFolderError(
            f"{path!r} is no model folder: it has no {OPERATIVE_CONFIG}. Give the --model_dir of a run "
            "of hub_estimator.train."
        )


def _of_export(export: str, name: str) -> dict[str, Any]:
    """Returns what is written beside an export about the module of a name in it."""
    content: dict[str, Any] = {}
    step = (_text(files.join(export, export_records.GLOBAL_STEP)) or "").strip()
    if step.isdecimal() and len(step) < 19:
        content["step"] = int(step)
    metrics = _object(files.join(export, export_records.METRICS))
    content["metrics"] = {
        texts.one_line(metric, 120): value
        for metric, value in metrics.items()
        if _is_number(value) and metric != export_records.GLOBAL_STEP
    }
    parents = _object(files.join(export, export_records.CHECKPOINT)).get(export_records.PARENTS)
    parent = parents.get(name) if isinstance(parents, dict) else None
    if isinstance(parent, dict):
        handle, sha256 = parent.get("handle"), parent.get("sha256")
        if isinstance(handle, str) and isinstance(sha256, str) and _SHA256.fullmatch(sha256):
            content["parent"] = {
                "handle": texts.one_line(without_passwords(handle), 2000),
                "sha256": sha256,
            }
    return content


def _above(module: str) -> str | None:
    """Returns the model folder that a module was exported in; None where it was exported elsewhere."""
    folder = module
    for _ in range(_FROM_MODEL_FOLDER):
        folder = files.parent(folder)
    return folder if folder and any(map(files.is_plain_file, run_settings.paths(folder))) else None


def _classes(path: str) -> dict[str, list[list[Any]]]:
    """Returns the classes of the training data with their counts, by the name of the head."""
    found = {}
    for head, told in _object(path).items():
        names, counts = (
            (told.get(key) for key in ("names", "counts"))
            if isinstance(told, dict)
            else (None, None)
        )
        if not isinstance(counts, list) or not all(map(_is_number, counts)):
            continue
        if not isinstance(names, list) or len(names) != len(counts):
            names = list(range(len(counts)))
        pairs = zip(names[:_MOST_CLASSES], counts[:_MOST_CLASSES], strict=True)
        found[texts.one_line(head, 200)] = [
            [texts.one_line(str(name), 200), count] for name, count in pairs
        ]
    return found


def _pictures(report: str) -> Iterator[tuple[str, bytes]]:
    """Yields the pictures of a report but for the examples in it."""
    left = _MOST_PICTURES
    heads = [name for name in _listing(report) if name != _IMAGES]
    for folder, head in [(report, ""), *((files.join(report, name), name) for name in heads)]:
        for name in _listing(folder):
            path = files.join(folder, name)
            if left and name.endswith(".png") and files.is_plain_file(path):
                with files.open_file(path) as file:
                    content = file.read(_MOST_PICTURE_BYTES + 1)
                if content.startswith(_PNG) and len(content) <= _MOST_PICTURE_BYTES:
                    left -= 1
                    title = name.removesuffix(".png").replace("_", " ").capitalize()
                    yield texts.one_line(f"{head}: {title}" if head else title, 200), content


def _listing(folder: str) -> list[str]:
    return files.listing(folder) if os.path.isdir(folder) and not os.path.islink(folder) else []


def _object(path: str) -> dict[str, Any]:
    """Returns the object in a JSON file; an empty one where there is none that can be read."""
    try:
        content = json_text.parse(_text(path) or "{}")
    except ValueError:  # somebody else's file
        return {}
    return content if isinstance(content, dict) else {}


def _text(path: str) -> str | None:
    """Returns the text of a file; None where there is none, or too long a one."""
    if not files.is_plain_file(path):
        return None
    with files.open_file(path) as file:
        content = file.read(_MOST_BYTES + 1)
    return content.decode("utf-8", "replace") if len(content) <= _MOST_BYTES else None


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)
