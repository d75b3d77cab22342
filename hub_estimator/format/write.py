"""Writing a module's folder, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from hub_estimator import errors, files, layout
from hub_estimator.format import tf_errors
from hub_estimator.format.nodes import NodeIndex, node_of
from hub_estimator.format.protos import FORMAT_V3, ModuleDef
from hub_estimator.format.tensor_infos import component_names


def write_module(
    path: str,
    meta_graphs: Sequence[Any],
    asset_paths: Mapping[str, str],
    write_variables: Callable[[str], None] | None,
) -> None:
    """Writes a module's folder.

    Args:
      path: the folder; it may exist where it holds no module yet.
      meta_graphs: the `MetaGraphDef` of each variant, as it is to be stored.
      asset_paths: the path of each asset's content by its file name under `assets/`.
      write_variables: writes the checkpoint to the prefix that it is given; None without variables.

    Raises:
      tf_errors.ModuleExistsError: a module is there already.
      errors.ExportError: the content of an asset cannot be read.
    """
    if _is_module(path):
        raise _exists(path)
    try:
        with files.whole_folder(path, last=layout.MODULE_DEF) as scratch:
            _write_into(scratch, meta_graphs, asset_paths, write_variables)
    except FileExistsError as error:
        if _is_module(path):
            raise _exists(path) from error
        raise errors.ExportError(
            f"A module cannot be written to {path}: {error} Give another folder."
        ) from error


def _is_module(path: str) -> bool:
    return layout.kind_of(path) is layout.FolderKind.HUB_MODULE


def _exists(path: str) -> tf_errors.ModuleExistsError:
    return tf_errors.ModuleExistsError(
        f"There is a module at {path} already, and it is never overwritten. Export to another "
        "folder, or remove that one first."
    )


def _write_into(
    folder: str,
    meta_graphs: Sequence[Any],
    asset_paths: Mapping[str, str],
    write_variables: Callable[[str], None] | None,
) -> None:
    _copy_assets(folder, asset_paths)
    if write_variables is not None:
        files.make_folder(files.join(folder, layout.VARIABLES))
        write_variables(layout.checkpoint_prefix(folder))
    saved_model = saved_model_pb2.SavedModel(meta_graphs=meta_graphs)
    files.write_bytes(
        files.join(folder, layout.SAVED_MODEL), saved_model.SerializeToString(deterministic=True)
    )
    module_def = ModuleDef(format=FORMAT_V3)
    files.write_bytes(files.join(folder, layout.MODULE_DEF), module_def.SerializeToString())


def without_checkpoint_paths(meta_graph: Any) -> Any:
    """Returns a `MetaGraphDef` in which no initializer names a checkpoint to restore from.

    Those of modules that were used in a `module_fn` do; readers of the written module take all
    values from its own checkpoint, and the author's paths are nobody's business. What a signature
    restores stays.
    """
    blank = type(meta_graph)()
    blank.CopyFrom(meta_graph)
    nodes = NodeIndex(blank.graph_def)
    outputs = {
        node_of(name)
        for signature in blank.signature_def.values()
        for info in signature.outputs.values()
        for name in component_names(info)
    }
    used = nodes.ancestors(outputs & set(nodes.by_name), lambda edge: node_of(edge) not in nodes)
    prefixes = {
        node_of(node.input[0])
        for node in blank.graph_def.node
        if node.op == "RestoreV2" and node.name not in used
    }
    for node in blank.graph_def.node:
        if node.name in prefixes - used and node.op == "Const":
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(""))
    return blank


def _copy_assets(folder: str, asset_paths: Mapping[str, str]) -> None:
    for name, source in sorted(asset_paths.items()):
        target = layout.asset_path(folder, name)
        files.make_folder(target.rpartition("/")[0])
        try:
            files.copy_file(source, target)
        except (OSError, tf.errors.OpError) as error:
            raise errors.ExportError(
                f"The module's asset {name!r} cannot be copied from {source}: {error}. Its file must "
                "be there until the module is exported."
            ) from error
