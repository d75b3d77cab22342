"""The types of a stored graph's operations."""

from __future__ import annotations

from collections.abc import Iterable

import tensorflow as tf

from hub_estimator import compat, texts
from hub_estimator.format.errors import UnknownOperationError


def check_known(op_types: Iterable[str]) -> None:
    """Checks that TensorFlow knows the types of operations that a module uses.

    Raises:
      UnknownOperationError: it does not know one.
    """
    for op_type in sorted(op_types):
        if not compat.knows_op(op_type):
            raise UnknownOperationError(
                f"TensorFlow {tf.__version__} knows no operation {texts.shown(op_type)}, which the "
                "module uses. Where a library defines it, load that with tf.load_op_library, or "
                "import its package first."
            )
