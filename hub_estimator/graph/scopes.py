"""Where a module's state goes in a graph."""

from __future__ import annotations

import dataclasses
import re

import tensorflow as tf

from hub_estimator.errors import InvalidNameError, NameTakenError
from hub_estimator.graph import replicas

_NAME = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*")


@dataclasses.dataclass(frozen=True)
class Scope:
    """Where a module's state goes: absolute scopes, each ending in a slash.

    Attributes:
      variables: the name scope of the variables.
      rest: that of all else; another one in the second and later replicas of a strategy.
      resources: the scope of the names under which sessions keep tables.
    """

    variables: str
    rest: str
    resources: str


def fresh_scope(name: str) -> Scope:
    """Returns fresh scopes for a module's state, and reserves them.

    The name is that of a fresh variable scope inside of the current one: `name`, then `name_1`, ...

    Raises:
      NameTakenError: operations have the name scope of the fresh variable scope.
      InvalidNameError: the name cannot be that of a variable scope.
    """
    # TensorFlow's variables from protos fail in a scope that starts with a digit.
    starts_with_digit = (tf.compat.v1.get_variable_scope().name or str(name))[:1].isdigit()
    if not isinstance(name, str) or not _NAME.fullmatch(name) or starts_with_digit:
        raise InvalidNameError(
            "A module's name is that of a variable scope: a letter, then letters, digits and the "
            f"characters _ . - /. {name!r} is not."
        )
    graph = tf.compat.v1.get_default_graph()
    with tf.compat.v1.variable_scope(None, default_name=name, auxiliary_name_scope=False) as scope:
        path = rest = scope.name
    with tf.compat.v1.name_scope(None):
        if replicas.index():
            # The first replica made the variables; this one gets its parts of them.
            rest = graph.unique_name(f"replica_{replicas.index()}/{path}")
        elif graph.unique_name(path) != path:
            raise NameTakenError(
                f"The variable scope {path!r} is free, but operations have the name scope "
                f"{path!r}. Make the module before them, or give it another name."
            )
    return Scope(f"{path}/", f"{rest}/", f"{rest}/")
