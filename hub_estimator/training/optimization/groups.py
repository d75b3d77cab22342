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
    own = [group for group in groups if not group.is_plain]
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
    plain = [variable for variable in trainable if _is_plain(owner.get(variable.ref()))]
    divided = [VariableGroup("", plain)]
    for group in own:
        variables = [variable for variable in trainable if owner.get(variable.ref()) is group]
        divided.append(dataclasses.replace(group, variables=variables))
    return [group for group in divided if group.variables]


def _is_plain(group: VariableGroup | None) -> bool:
    return group is None or group.is_plain


def _check_names(groups: Sequence[VariableGroup]) -> None:
    names = [group.name for group in groups]
    for name in names:
        if names.count(name) > 1:
            raise errors.DuplicateNameError(
                f"Two groups of variables are called {name!r}. Give each a name of its own."
            )


def _flat(variables: Iterable[Any]) -> list[tf.Variable]:
    """Returns variables, partitioned ones by their parts."""
    return [
        part
        for variable in variables
        for part in ([variable] if isinstance(variable, tf.Variable) else list(variable))
    ]
