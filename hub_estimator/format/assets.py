"""The assets of a stored graph: their files, and the nodes that hold paths or are named by them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import tensorflow as tf

from hub_estimator import errors, files, layout
from hub_estimator.format import collections
from hub_estimator.format.nodes import node_of


def existing_assets(
    folder: str, names: Iterable[str], source: str, remedy: str = "Fetch the module again."
) -> dict[str, str]:
    """Returns the paths of assets by their names.

    Args:
      folder: the folder of the module or SavedModel that they are of.
      names: their names.
      source: what messages call it.
      remedy: what messages say to do where one is not there.

    Raises:
      errors.UnsafeAssetError: a name leads out of the folder.
      errors.BrokenModuleError: a file is not there.
    """
    paths = {name: layout.asset_path(folder, name) for name in names}
    for name, path in sorted(paths.items()):
        if not files.exists(path):
            raise errors.BrokenModuleError(f"{source} lacks its asset {name!r} ({path}). {remedy}")
    return paths


def asset_nodes(meta_graph: Any, asset_paths: Mapping[str, str]) -> dict[str, str]:
    """Returns the path of each asset by the name of the constant node that holds it."""
    return {
        node_of(tensor): asset_paths[name]
        for tensor, name in collections.asset_files(meta_graph).items()
    }


def set_asset_path(node: Any, path: str) -> None:
    """Points the constant node of an asset at a file; the node is changed."""
    node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(path))


def rename_tables(nodes: Iterable[Any], old: bytes, new: bytes) -> None:
    """Replaces the path of a file in the names under which tables are shared; nodes are changed.

    Tables are named after their file, so that programs share them.

    Args:
      nodes: the nodes of a graph.
      old: the path that is there; an empty one is no path.
      new: what to have there.
    """
    for node in nodes if old else ():
        if "shared_name" in node.attr:
            node.attr["shared_name"].s = node.attr["shared_name"].s.replace(old, new)
