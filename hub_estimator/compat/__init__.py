"""Every difference between TensorFlow releases, and every private TensorFlow name."""

from __future__ import annotations

import importlib
from typing import Any

_WHERE = {
    "capture": "graphs",
    "decode_type_spec": "nested",
    "is_function_graph": "graphs",
    "is_inside": "graphs",
    "op_outputs_state": "op_defs",
}

__all__ = [*sorted(_WHERE)]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_WHERE[name]}"), name)
