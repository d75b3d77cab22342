"""Variables that are trained in a way of their own."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

import tensorflow as tf

from hub_estimator import errors


@dataclasses.dataclass(frozen=True)
class VariableGroup:
    """Variables that are trained in a way of their own: those of one encoder.

    Attributes:
      name: what messages, summaries and checkpoints call it.
      variables: the variables; those that are not trainable stay as they are.
      multiplier: what the learning rate is multiplied by for them.
      start_step: the global step from which they are trained; before it they stay as they are.
    """

    name: str
    variables: Sequence[tf.Variable]
    multiplier: float = 1.0
    start_step: int = 0

    @property
    def is_plain(self) -> bool:
        """Whether its variables are trained as all others are."""
        return self.multiplier == 1 and self.start_step == 0

    def is_training(self, step: Any) -> tf.Tensor:
        """Whether the step with this number trains the variables.

        What changes them by other ways than gradients, like the moving averages of batch
        normalization, asks it too.

        Args:
          step: int64 scalar, the global step.

        Returns:
          bool scalar.
        """
        return tf.greater_equal(step, tf.cast(self.start_step, step.dtype))


def divide(
    trainable: Sequence[tf.Variable], groups: Sequence[VariableGroup]
) -> list[VariableGroup]:
    """Divides the trainable variables into those that are trained alike.

    Args:
      trainable: the variables.
      groups: those that are trained in ways of their own.

    Returns:
      A nameless group of all variables that are trained plainly, and the groups that are not;
      without groups that have no trainable variable.

    Raises:
      errors.DuplicateNameError: two groups have one name, or one variable.
    """
    own = [each for each in groups if not each.is_plain]
    _check_names(own)
    owner: dict[Any, VariableGroup] = {}
    for group in groups:
        for variable in _flat(group.variables):
            first = owner.setdefault(variable.ref(), group)
            if first is not group:
                raise errors.DuplicateNameError(
                    f"The variable {variable.op.name!r} is in two groups of variables, "
                    f"{first.name!r} and {group.name!r}. Train it in one of them."
                )
    plain = [each for each in trainable if _is_plain(owner.get(each.ref()))]
    divided = [VariableGroup("", plain)]
    for group in own:
        variables = [each for each in trainable if owner.get(each.ref()) is group]
        divided.append(dataclasses.replace(group, variables=variables))
    return [each for each in divided if each.variables]


def _is_plain(group: VariableGroup | None) -> bool:
    return group is None or group.is_plain


def _check_names(groups: Sequence[VariableGroup]) -> None:
    names = [each.name for each in groups]
    for name in names:
        if names.count(name) > 1:
            raise errors.DuplicateNameError(
                f"Two groups of variables are called {name!r}. Give each a name of its own."
            )


def _flat(variables: Iterable[Any]) -> list[tf.Variable]:
    """Returns variables, partitioned ones by their parts."""
    return [
        part
        for each in variables
        for part in ([each] if isinstance(each, tf.Variable) else list(each))
    ]
