"""The classes that a model was trained on, as its model folder keeps them: their names and counts."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from hub_estimator import errors, files, json_text
from hub_estimator.training.example_spec import ClassNames
from hub_estimator.training.labels.class_counts import Classes

CLASS_NAMES = "class_names.json"
TRAINING_CLASSES = "training_classes.json"


@dataclasses.dataclass(frozen=True)
class KeptClasses:
    """The part of a model folder that knows its classes.

    Attributes:
      path: the folder.
    """

    path: str

    def class_names(self) -> ClassNames | None:
        """Returns the names of the classes that training began with; None where there are none."""
        path = files.join(self.path, CLASS_NAMES)
        if not files.exists(path):
            return None
        try:
            content = json_text.parse(files.read_bytes(path))
            if isinstance(content, dict):
                return {head: tuple(names) for head, names in content.items()}
            return tuple(content)
        except (ValueError, TypeError) as error:
            raise errors.ModelFolderError(
                f"{path!r} does not hold the names of classes: {error}. Correct or remove it."
            ) from error

    def check_class_names(self, names: ClassNames | None) -> None:
        """Checks that the names are those that training began with, in the same order.

        Raises:
          errors.ModelFolderError: they are others.
        """
        before = self.class_names()
        if before is not None and names is not None and before != names:
            raise self._other_classes(before, names)

    def save_class_names(self, names: ClassNames | None) -> None:
        """Writes the names of the classes; those of no class are no file."""
        if names:
            files.make_folder(self.path)
            content = json.dumps(names, indent=1, ensure_ascii=False)
            files.write_text(files.join(self.path, CLASS_NAMES), f"{content}\n")

    def training_classes(self) -> dict[str, Classes] | None:
        """Returns what `save_training_classes` wrote; None where it wrote nothing."""
        path = files.join(self.path, TRAINING_CLASSES)
        if not files.exists(path):
            return None
        try:
            content = json_text.parse(files.read_bytes(path))
            return {head: _classes(**told) for head, told in content.items()}
        except (ValueError, TypeError, AttributeError) as error:
            raise errors.ModelFolderError(
                f"{path!r} does not hold classes of training data: {error}. Correct or remove it."
            ) from error

    def check_training_classes(self, classes: Mapping[str, Classes]) -> None:
        """Checks that classes are those that training began with; of each there may be more now.

        Raises:
          errors.ModelFolderError: they are others.
        """
        before = self.training_classes() or {}
        then, now = (
            {head: told.shown_names for head, told in each.items()} for each in (before, classes)
        )
        if before and then != now:
            raise self._other_classes(then.get("", then), now.get("", now))

    def save_training_classes(self, classes: Mapping[str, Classes]) -> None:
        """Writes what the training data told, by the names of heads; where it is nothing, no file."""
        path = files.join(self.path, TRAINING_CLASSES)
        if not classes:
            files.remove(path)
            return
        content = {head: dataclasses.asdict(told) for head, told in classes.items()}
        files.write_text(path, f"{json.dumps(content, indent=1, ensure_ascii=False)}\n")

    def _other_classes(self, before: ClassNames, now: ClassNames) -> errors.ModelFolderError:
        return errors.ModelFolderError(
            f"The model in {self.path!r} was trained on the classes {_shown(before)}; the data now has "
            f"{_shown(now)}. Give it the same classes in the same order, or choose another model "
            "folder."
        )


def _classes(size: int, names: list[str] | None, counts: list[int] | None) -> Classes:
    for listed in (names, counts):
        if listed is not None and len(listed) != size:
            raise ValueError(f"{listed!r} is not of {size!r} classes")
    return Classes(
        size, None if names is None else tuple(names), None if counts is None else tuple(counts)
    )


def _shown(names: ClassNames) -> str:
    def listed(each: Any) -> str:
        few = ", ".join(each[:10])
        return f"{few}, ... ({len(each)})" if len(each) > 10 else few

    if isinstance(names, dict):
        return "; ".join(f"{head}: {listed(name)}" for head, name in names.items())
    return listed(names)
