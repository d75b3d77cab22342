"""What a model asks of the labels of its training data: counted for training, kept for what follows.

Training counts, and keeps the answer in the model folder. Later commands take it from there, so that
they need no training data; so does training that goes on, so that weights which the counts tell
stay what they were.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub_estimator import errors, texts
from hub_estimator.training.example_spec import Labels
from hub_estimator.training.labels.class_counts import UNKNOWN, Classes
from hub_estimator.training.labels.classes import ClassLabels
from hub_estimator.training.labels.label_spec import LabelSpec
from hub_estimator.training.model.contract import TrainableModel, asked_by, with_classes
from hub_estimator.training.model.open_heads import Asked
from hub_estimator.training.model_folder.model_folder import ModelFolder


def of_data(model: TrainableModel, source: Any, folder: ModelFolder) -> dict[str, Classes]:
    """Returns what the training data tells of the classes that a model asks for.

    Args:
      model: the model.
      source: the training data.
      folder: the model folder; where it has checkpoints, its answer is that of the data too.

    Returns:
      The classes of each head that asks, by its name; nothing where none does.

    Raises:
      errors.PartsMismatchError: the input cannot tell.
      errors.ModelFolderError: the classes are others than those that training began with.
      errors.Error: the data is missing or wrong; the message says where.
    """
    asked = asked_by(model)
    if asked is None:
        return {}
    classes = _told(asked, source)
    if not folder.checkpoints():
        return classes
    folder.check_training_classes(classes)
    kept = folder.training_classes() or {}
    return kept if _answers(asked, kept) else classes


def _told(asked: Asked, source: Any) -> dict[str, Classes]:
    labels = asked.labels
    names = names_of_data(labels, source)
    if isinstance(labels, LabelSpec) and names is not None:
        labels = labels.with_class_names(names)
        if not asked.counts:
            return {"": Classes(len(names), names)}
    if not hasattr(source, "count_classes"):
        raise errors.PartsMismatchError(
            f"The model's head takes its classes from the training data, but {type(source).__name__} "
            "does not tell them. Give n_classes or label_vocabulary, and numbers as class_weights."
        )
    return dict(source.count_classes(labels))


def names_of_data(labels: Labels, source: Any) -> tuple[str, ...] | None:
    """Returns the names of the classes: those of the input, or those that its labels are.

    Args:
      labels: what the model takes.
      source: the training data.

    Returns:
      The names; None where neither has any, or the model has them itself.

    Raises:
      errors.LabelError: the labels are names of more classes, or fewer, than the model has.
      errors.PartsMismatchError: the names of a table's classes are others than the model's own.
    """
    given: tuple[str, ...] | None = source.class_names
    if not hasattr(source, "names_in_labels"):
        return given
    if given is not None:
        _check_same(given, labels, type(source).__name__)
        return given
    if not isinstance(labels, ClassLabels) or labels.class_names or labels.size == UNKNOWN:
        return None
    names: tuple[str, ...] | None = source.names_in_labels(labels)
    if names is None or len(names) == labels.size:
        return names
    number = "1 class" if len(names) == 1 else f"{len(names)} classes"
    wrong = f"the data has {number}: {texts.shown_names(names)}"
    if labels.size == 2:
        raise errors.LabelError(
            f"The model's head takes two classes, {wrong}. Take MultiClassHead for more of them, or "
            "correct the column of the labels."
        )
    raise errors.LabelError(
        f"n_classes is {labels.size}, {wrong}. Leave n_classes out, or correct the column of the labels."
    )


def _check_same(given: tuple[str, ...], labels: Labels, kind: str) -> None:
    own = labels.class_names if isinstance(labels, LabelSpec) else None
    if own is not None and own != given:
        raise errors.PartsMismatchError(
            f"{kind}.class_names is {texts.shown_names(given)}, but the label_vocabulary of the model's "
            f"head is {texts.shown_names(own)}. Leave one of them out."
        )


def closed_with(model: TrainableModel, classes: Mapping[str, Classes]) -> TrainableModel:
    """Returns a model with the answer to what it asks; itself where it asks nothing."""
    return model if asked_by(model) is None else with_classes(model, classes)


def of_folder(model: TrainableModel, folder: ModelFolder) -> TrainableModel:
    """Returns a model as it was trained in a folder.

    Raises:
      errors.ModelFolderError: the folder lacks what the model asks for.
    """
    asked = asked_by(model)
    if asked is None:
        return model
    kept = folder.training_classes() or {}
    if not _answers(asked, kept):
        raise errors.ModelFolderError(
            f"The model folder {folder.path!r} does not tell the classes of the model's head: it was "
            "trained with other settings. Give n_classes, or the settings of its training."
        )
    return with_classes(model, kept)


def _answers(asked: Asked, kept: Mapping[str, Classes]) -> bool:
    """Whether what a folder keeps is what a model asks; it may be of a training with other heads."""
    heads = {""} if isinstance(asked.labels, LabelSpec) else set(asked.labels)
    is_counted = all(told.counts is not None for told in kept.values())
    return bool(kept) and set(kept) <= heads and (is_counted or not asked.counts)
