"""Heads of `tf.estimator` that leave to the training data which classes they have, or how frequent.

    Model.head = @MultiClassHead()                # n_classes and label_vocabulary from the data
    MultiClassHead.loss_fn = @SoftmaxLoss()
    SoftmaxLoss.class_weights = 'balanced'        # from the data too

Each function here gives TensorFlow's own head where all is known, else an open one: a run closes it
with what its training data, or the model folder, tells.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hub_estimator import compat, errors, texts
from hub_estimator.training.example_spec import Labels
from hub_estimator.training.labels.any_classes import AnyClasses
from hub_estimator.training.labels.class_counts import UNKNOWN, Classes
from hub_estimator.training.labels.label_spec import LabelSpec
from hub_estimator.training.labels.one_class import OneClass
from hub_estimator.training.model.losses import SigmoidLoss, SoftmaxLoss

_MEAN = "sum_over_batch_size"


@dataclasses.dataclass(frozen=True)
class Asked:
    """What a model asks of the labels of its training data, before it can be built.

    Attributes:
      labels: what its head takes, or each head by its name; of size `UNKNOWN` where the data tells
        the classes.
      counts: whether it must know how many examples each class has.
    """

    labels: Labels
    counts: bool


@dataclasses.dataclass(frozen=True)
class OpenHead:
    """A head that the training data closes.

    Attributes:
      kind: what `tf.estimator` calls it.
      settings: its arguments, as far as they are known.
    """

    kind: str
    settings: Mapping[str, Any]

    @property
    def name(self) -> str | None:
        """The name of the head in a `MultiHead`."""
        return self.settings["name"]

    @property
    def labels(self) -> LabelSpec:
        """What it takes, as far as that is known."""
        vocabulary = self.settings["label_vocabulary"]
        names = None if vocabulary is None else tuple(vocabulary)
        if self.kind == "MultiLabelHead":
            return AnyClasses(self.settings["n_classes"] or UNKNOWN, names)
        size = 2 if self.kind == "BinaryClassHead" else self.settings["n_classes"] or UNKNOWN
        return OneClass(size, names, by_name=names is not None)

    @property
    def needs_counts(self) -> bool:
        """Whether its loss goes by how many examples each class has."""
        return _needs_counts(self.settings["loss_fn"])

    def closed(self, classes: Classes) -> Any:
        """Returns TensorFlow's head with these classes.

        Raises:
          errors.LabelError: a class has no example, and a balanced loss.
          errors.PartsMismatchError: there are too few classes for such a head.
          errors.InvalidSettingError: a setting is such that there is no such head.
        """
        settings = dict(self.settings)
        if self.labels.size == UNKNOWN:
            self._check_size(classes)
            settings |= {"n_classes": classes.size, "label_vocabulary": classes.names}
        if self.needs_counts:
            settings["loss_fn"] = settings["loss_fn"].with_classes(classes)
        try:
            return compat.head_class(self.kind)(**settings)
        except errors.Error:  # it says what is wrong
            raise
        except TypeError as error:
            raise errors.InvalidSettingError(
                f"{self.kind} cannot be made as it is set: {str(error).rstrip('.')}."
            ) from error

    def _check_size(self, classes: Classes) -> None:
        least = 2 if self.kind == "MultiLabelHead" else 3
        if classes.size >= least:
            return
        names = texts.shown_names(classes.shown_names)
        remedy = f"Check the column of the labels: {self.kind} takes {least} or more."
        if classes.size == 2:
            names_too = (
                f" with BinaryClassHead.label_vocabulary = {list(classes.names)!r}"
                if classes.names
                else ""
            )
            remedy = (
                f"Take BinaryClassHead, in gin files Model.head = @BinaryClassHead(){names_too}."
            )
        raise errors.PartsMismatchError(
            f"The training data has {classes.size} class{'' if classes.size == 1 else 'es'} "
            f"({names}). {remedy}"
        )


@dataclasses.dataclass(frozen=True)
class OpenMultiHead:
    """Several heads of which the training data closes one or more.

    Attributes:
      heads: the heads, each with a name.
      head_weights: the weight of each in the loss; None weighs them alike.
    """

    heads: Sequence[Any]
    head_weights: Sequence[float] | None = None

    def closed(self, classes: Mapping[str, Classes]) -> Any:
        """Returns TensorFlow's head with the classes of each by its name; see `OpenHead.closed`."""
        heads = [
            head.closed(classes[head.name or ""]) if isinstance(head, OpenHead) else head
            for head in self.heads
        ]
        return compat.head_class("MultiHead")(heads, self.head_weights)


# Called like the classes of `tf.estimator` in whose place they stand.


def BinaryClassHead(
    weight_column: Any = None,
    thresholds: Sequence[float] | None = None,
    label_vocabulary: Sequence[str] | None = None,
    loss_reduction: str = _MEAN,
    loss_fn: Callable[..., Any] | None = None,
    name: str | None = None,
) -> Any:
    """Makes a `tf.estimator.BinaryClassHead`: each example is of class 0 or 1.

    Args:
      weight_column: the feature with the weight of each example.
      thresholds: probabilities for which evaluations tell accuracy, precision and recall.
      label_vocabulary: the two names of labels that are texts; the second is class 1.
      loss_reduction: how the losses of a batch become one.
      loss_fn: the loss, such as `@SigmoidLoss()`.
      name: what a `MultiHead` calls it.
    """
    return _made("BinaryClassHead", dict(locals()))


def MultiClassHead(
    n_classes: int | None = None,
    weight_column: Any = None,
    label_vocabulary: Sequence[str] | None = None,
    loss_reduction: str = _MEAN,
    loss_fn: Callable[..., Any] | None = None,
    name: str | None = None,
) -> Any:
    """Makes a `tf.estimator.MultiClassHead`: each example is of one of three or more classes.

    Args:
      n_classes: how many classes; None is as many as the label vocabulary or the training data has.
      weight_column: the feature with the weight of each example.
      label_vocabulary: the names of the classes, where labels are texts. None, without `n_classes`,
        is what the training data has: the input's `class_names`, or the labels, sorted; labels that
        are 0, 1, 2 and so on have no names.
      loss_reduction: how the losses of a batch become one.
      loss_fn: the loss, such as `@SoftmaxLoss()`.
      name: what a `MultiHead` calls it.
    """
    return _made("MultiClassHead", dict(locals()))


def MultiLabelHead(
    n_classes: int | None = None,
    weight_column: Any = None,
    thresholds: Sequence[float] | None = None,
    label_vocabulary: Sequence[str] | None = None,
    loss_reduction: str = _MEAN,
    loss_fn: Callable[..., Any] | None = None,
    classes_for_class_based_metrics: Sequence[Any] | None = None,
    name: str | None = None,
) -> Any:
    """Makes a `tf.estimator.MultiLabelHead`: each example is of any of several classes.

    Args:
      n_classes: how many classes; see `MultiClassHead`.
      weight_column: the feature with the weight of each example.
      thresholds: probabilities for which evaluations tell accuracy, precision and recall.
      label_vocabulary: the names of the classes; see `MultiClassHead`.
      loss_reduction: how the losses of a batch become one.
      loss_fn: the loss, such as `@SigmoidLoss()`.
      classes_for_class_based_metrics: classes for which evaluations tell metrics of their own.
      name: what a `MultiHead` calls it.
    """
    return _made("MultiLabelHead", dict(locals()))


def MultiHead(heads: Sequence[Any], head_weights: Sequence[float] | None = None) -> Any:
    """Makes a `tf.estimator.MultiHead`: several heads on one model.

    Args:
      heads: the heads, each with a name of its own.
      head_weights: the weight of each in the loss; None weighs them alike.
    """
    if isinstance(heads, (list, tuple)) and any(isinstance(head, OpenHead) for head in heads):
        if not all(getattr(head, "name", None) for head in heads):
            raise errors.InvalidSettingError(
                "A head of MultiHead.heads has no name. Give each one, as in MultiClassHead.name."
            )
        return OpenMultiHead(heads, head_weights)
    return compat.head_class("MultiHead")(heads, head_weights)


def _made(kind: str, settings: dict[str, Any]) -> Any:
    vocabulary = settings["label_vocabulary"]
    if vocabulary is not None:
        _check_vocabulary(kind, vocabulary)
    if "n_classes" in settings and settings["n_classes"] is None and vocabulary:
        settings["n_classes"] = len(vocabulary)
    _check_loss(kind, settings["loss_fn"])
    if kind == "MultiClassHead" and settings["n_classes"] in (1, 2):
        raise errors.InvalidSettingError(
            f"MultiClassHead.n_classes is {settings['n_classes']}; such a head takes three or more. Leave "
            "n_classes out where the data has so many; for two take BinaryClassHead, in gin files "
            "Model.head = @BinaryClassHead()."
        )
    lacks_classes = "n_classes" in settings and settings["n_classes"] is None
    needs_counts = _needs_counts(settings["loss_fn"])
    if needs_counts and not lacks_classes:
        compat.head_class(kind)(**{**settings, "loss_fn": None})  # says what else does not fit
    if needs_counts or lacks_classes:
        return OpenHead(kind, settings)
    return compat.head_class(kind)(**settings)


def _check_vocabulary(kind: str, vocabulary: Any) -> None:
    if not isinstance(vocabulary, (list, tuple)):
        raise errors.InvalidSettingError(
            f"{kind}.label_vocabulary is {texts.shown(vocabulary)}; it must be a list of names, as in "
            "['bad', 'good']."
        )
    twice = [name for number, name in enumerate(vocabulary) if name in vocabulary[:number]]
    if twice:
        raise errors.InvalidSettingError(
            f"{kind}.label_vocabulary has {texts.shown(twice[0])} twice. Give each class a name of its "
            "own."
        )


def _check_loss(kind: str, loss_fn: Any) -> None:
    if isinstance(loss_fn, type):
        raise errors.InvalidSettingError(
            f"{kind}.loss_fn is @{loss_fn.__name__}, which nothing has called: write "
            f"@{loss_fn.__name__}(), with ()."
        )
    heads = getattr(loss_fn, "heads", (kind,))
    if kind not in heads:
        fitting = next(loss for loss in (SoftmaxLoss, SigmoidLoss) if kind in loss.heads)
        raise errors.InvalidSettingError(
            f"{kind}.loss_fn is @{type(loss_fn).__name__}(), which is a loss for {' and '.join(heads)}. "
            f"Take @{fitting.__name__}() for {kind}."
        )


def _needs_counts(loss_fn: Any) -> bool:
    return bool(getattr(loss_fn, "needs_counts", False))


def closed(head: Any, classes: Mapping[str, Classes]) -> Any:
    """Returns a head with the classes that the training data tells; one that asks nothing as it is.

    Args:
      head: the head of a model.
      classes: the classes of each open head by its name; of a model's only head by "".

    Raises:
      errors.Error: see `OpenHead.closed`.
    """
    if isinstance(head, OpenHead):
        return head.closed(classes[""])
    return head.closed(classes) if isinstance(head, OpenMultiHead) else head


def check_closed(head: Any) -> None:
    """Checks that a model is built with a head whose classes are known.

    Raises:
      errors.PartsMismatchError: it is open.
    """
    if isinstance(head, (OpenHead, OpenMultiHead)):
        raise errors.PartsMismatchError(
            "The model's head takes its classes, or their balanced weights, from the training data "
            "of train_and_evaluate. For an Estimator of your own, give n_classes and numbers as "
            "class_weights."
        )
