"""The collections of a module's meta graph: which are carried, and how each is stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import tensorflow as tf
from tensorflow.core.framework import variable_pb2
from tensorflow.core.protobuf import control_flow_pb2, meta_graph_pb2

from hub_estimator.format.protos import ModuleAttachment

_KEYS = tf.compat.v1.GraphKeys

VARIABLES = _KEYS.GLOBAL_VARIABLES
TRAINABLE_VARIABLES = _KEYS.TRAINABLE_VARIABLES
MODEL_VARIABLES = _KEYS.MODEL_VARIABLES
TABLE_INITIALIZERS = _KEYS.TABLE_INITIALIZERS
UPDATE_OPS = _KEYS.UPDATE_OPS
REGULARIZATION_LOSSES = _KEYS.REGULARIZATION_LOSSES
ASSET_FILEPATHS = _KEYS.ASSET_FILEPATHS
COND_CONTEXT = _KEYS.COND_CONTEXT
WHILE_CONTEXT = _KEYS.WHILE_CONTEXT

ATTACHMENTS = "hub_module_attachments"
ASSETS = "saved_model_assets"
# While `module_fn` runs, its signatures wait here; on disk they are in `signature_def`.
SIGNATURES = "hub_module_signatures"

CONTEXTS = {
    COND_CONTEXT: control_flow_pb2.CondContextDef,
    WHILE_CONTEXT: control_flow_pb2.WhileContextDef,
}
"""The protos of the contexts of v1 control flow, by collection."""

CARRIED = frozenset(
    {
        VARIABLES,
        TRAINABLE_VARIABLES,
        MODEL_VARIABLES,
        TABLE_INITIALIZERS,
        UPDATE_OPS,
        REGULARIZATION_LOSSES,
        ASSET_FILEPATHS,
        COND_CONTEXT,
        WHILE_CONTEXT,
        ATTACHMENTS,
        SIGNATURES,
    }
)
"""Every other collection in the graph of a `module_fn` is refused."""


def as_keys(keys: str | Iterable[str] | None) -> frozenset[str]:
    """Returns the keys of collections; one string is one key, None is none."""
    return frozenset([keys] if isinstance(keys, str) else keys or ())


def node_names(meta_graph: Any, key: str) -> list[str]:
    """Returns the names of tensors or operations in a collection."""
    return list(meta_graph.collection_def[key].node_list.value) if has(meta_graph, key) else []


def has(meta_graph: Any, key: str) -> bool:
    """Whether the meta graph has a collection; asking must not make an empty one."""
    return key in meta_graph.collection_def


def variable_defs(meta_graph: Any, key: str = VARIABLES) -> list[variable_pb2.VariableDef]:
    """Returns the `VariableDef`s in a collection of variables."""
    return [variable_pb2.VariableDef.FromString(value) for value in _bytes(meta_graph, key)]


def distinct_variable_defs(meta_graph: Any, keys: Iterable[str]) -> list[variable_pb2.VariableDef]:
    """Returns the `VariableDef`s in several collections, those in more than one of them once."""
    values = dict.fromkeys(value for key in keys for value in _bytes(meta_graph, key))
    return [variable_pb2.VariableDef.FromString(value) for value in values]


def _bytes(meta_graph: Any, key: str) -> Iterable[bytes]:
    return meta_graph.collection_def[key].bytes_list.value if has(meta_graph, key) else ()


def contexts(meta_graph: Any, keys: Iterable[str] = tuple(CONTEXTS)) -> list[Any]:
    """Returns the protos of the contexts of v1 control flow, without those nested in others."""
    return [CONTEXTS[key].FromString(value) for key in keys for value in _bytes(meta_graph, key)]


def names_in_context(context: Any) -> Iterator[str]:
    """Yields the names of operations and tensors that a context, or one nested in it, looks up."""
    yield from context.values_def.values
    yield from context.values_def.external_values.values()
    if isinstance(context, control_flow_pb2.CondContextDef):
        yield from (context.pred_name, context.pivot_name)
    else:
        yield from (context.pivot_name, context.pivot_for_pred_name, context.pivot_for_body_name)
        yield from context.loop_exit_names
        yield from context.loop_enter_names
    for nested in context.nested_contexts:
        yield from names_in_context(getattr(nested, nested.WhichOneof("ctxt")))


def set_bytes(meta_graph: Any, key: str, messages: Iterable[Any]) -> None:
    """Makes a collection hold the serialized `messages`; none removes it."""
    meta_graph.collection_def.pop(key, None)
    values = [message.SerializeToString(deterministic=True) for message in messages]
    if values:
        meta_graph.collection_def[key].bytes_list.value.extend(values)


def attachments(meta_graph: Any) -> dict[str, bytes]:
    """Returns the attached messages by key; the last one under a key wins."""
    if not has(meta_graph, ATTACHMENTS):
        return {}
    values = meta_graph.collection_def[ATTACHMENTS].bytes_list.value
    messages = [ModuleAttachment.FromString(value) for value in values]
    return {message.key: message.value for message in messages}


def asset_files(meta_graph: Any) -> dict[str, str]:
    """Returns the file name under `assets/` by the name of the tensor that holds its path."""
    files = {}
    if has(meta_graph, ASSETS):
        for value in meta_graph.collection_def[ASSETS].any_list.value:
            asset = meta_graph_pb2.AssetFileDef.FromString(value.value)
            files[asset.tensor_info.name] = asset.filename
    return files


def listed_assets(meta_graph: Any) -> dict[str, str]:
    """Returns `asset_files` of a SavedModel, which later ones have in a field of their own."""
    listed = {asset.tensor_info.name: asset.filename for asset in meta_graph.asset_file_def}
    return listed or asset_files(meta_graph)


def set_asset_files(meta_graph: Any, files: dict[str, str]) -> None:
    """Stores the file name under `assets/` of each path-holding tensor."""
    meta_graph.collection_def.pop(ASSETS, None)
    for name, filename in sorted(files.items()):
        asset = meta_graph_pb2.AssetFileDef(filename=filename)
        asset.tensor_info.name = name
        meta_graph.collection_def[ASSETS].any_list.value.add().Pack(asset)
