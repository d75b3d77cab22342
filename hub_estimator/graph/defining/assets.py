"""Files that a module carries: naming them, and keeping their authors' paths out of the graph."""

from __future__ import annotations

import os
from typing import Any

import tensorflow as tf

from hub_estimator import errors, files
from hub_estimator.format import collections
from hub_estimator.format.assets import rename_tables
from hub_estimator.format.nodes import node_of

_BLANK = b"SAVEDMODEL-ASSET"


class AssetNames:
    """The file names under `assets/` of one module: one for each source file.

    Attributes:
      paths: the source path by file name.
    """

    def __init__(self) -> None:
        self.paths: dict[str, str] = {}
        self._names: dict[str, str] = {}

    def name(self, path: str) -> str:
        """Returns the file name for a source path; different files get different names."""
        if not files.is_remote(path):
            path = os.path.abspath(path)  # one file under several spellings is stored once
        if path not in self._names:
            stem, ending = os.path.splitext(os.path.basename(path))
            name, number = f"{stem}{ending}", 0
            while name in self.paths:
                number += 1
                name = f"{stem}_{number}{ending}"
            self._names[path] = name
            self.paths[name] = path
        return self._names[path]


def take_assets(meta_graph: Any, names: AssetNames) -> dict[str, str]:
    """Replaces the paths of assets in a graph by what the stored form has there.

    Args:
      meta_graph: a `MetaGraphDef`; changed.
      names: the module's assets; those of this graph are added.

    Returns:
      The file name under `assets/` by the name of the tensor that held the path.

    Raises:
      errors.DefinitionError: an asset's path is not a constant.
    """
    nodes = {node.name: node for node in meta_graph.graph_def.node}
    found = {}
    # A path that is listed twice is one asset.
    for tensor in dict.fromkeys(collections.node_names(meta_graph, collections.ASSET_FILEPATHS)):
        node = nodes[node_of(tensor)]
        path = _path(node)
        found[tensor] = names.name(path)
        node.attr["value"].tensor.string_val[:] = [_BLANK]
        # Other machines' paths tell nothing there.
        rename_tables(nodes.values(), path.encode(), found[tensor].encode())
    return found


def _path(node: Any) -> str:
    value = node.attr["value"].tensor
    is_path = node.op == "Const" and value.dtype == tf.string.as_datatype_enum
    if not is_path or value.tensor_shape.dim or len(value.string_val) != 1:
        raise errors.DefinitionError(
            f"The asset {node.name!r} is a {node.op}, not a scalar string constant. Add the path "
            "itself to the ASSET_FILEPATHS collection: tf.constant(path)."
        )
    return value.string_val[0].decode("utf-8")
