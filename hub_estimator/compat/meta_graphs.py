"""What stored graphs need beyond TensorFlow's public API."""

from __future__ import annotations

from typing import Any

from tensorflow.python.framework import meta_graph as internal


def strip_default_attributes(meta_graph: Any) -> None:
    """Removes from a `MetaGraphDef` the attributes that have their defaults.

    Older releases that do not know an attribute can then read the graph.
    """
    internal.strip_graph_default_valued_attrs(meta_graph)
