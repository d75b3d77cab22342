"""Values that gin files can have."""

from __future__ import annotations

import ast
from typing import Any


def is_literal(value: Any) -> bool:
    """Whether the text of a value is read as the same value."""
    try:
        return bool(ast.literal_eval(repr(value)) == value)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return False
