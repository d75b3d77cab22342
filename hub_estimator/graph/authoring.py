"""Defining modules: `create_module_spec`, and what a `module_fn` calls."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import tensorflow as tf

from hub_estimator import compat
from hub_estimator.errors import MessageError, SignatureError
from hub_estimator.format import collections
from hub_estimator.format.protos import ModuleAttachment
from hub_estimator.format.spec import ModuleSpec
from hub_estimator.format.variant import DEFAULT, Variant, as_tags
from hub_estimator.graph import checks
from hub_estimator.graph.assets import AssetNames, take_assets

_MESSAGE_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def create_module_spec(
    module_fn: Callable[..., None],
    tags_and_args: Iterable[tuple[Iterable[str], Mapping[str, Any]]] | None = None,
    drop_collections: Iterable[str] | None = None,
) -> ModuleSpec:
    """Defines a module by a function that builds its graph.

    The function runs once for each graph variant, in a graph of its own in which new variables are
    resource variables unless it says otherwise. It makes placeholders for the inputs, computes the
    outputs and calls `add_signature`.

    Args:
      module_fn: the function; called with a variant's `args`.
      tags_and_args: pairs of the tags of a variant and the keyword arguments that `module_fn` is
        called with for it, for example `[(set(), {}), ({"train"}, {"is_training": True})]`. None is
        one variant for inference, without arguments. Variants share the variables of equal names;
        each may have some of its own.
      drop_collections: collections of the graph that the module leaves out.

    Returns:
      The spec. It has no checkpoint: modules made of it start with the variables' initializers.

    Raises:
      DefinitionError: the graph cannot be a module; its subclasses tell why.
    """
    names = AssetNames()
    given = [((), {})] if tags_and_args is None else tags_and_args
    pairs = [(as_tags(tags), args) for tags, args in given]
    checks.check_tags([tags for tags, _ in pairs])
    variants = [
        _variant(module_fn, tags, args, collections.as_keys(drop_collections), names)
        for tags, args in pairs
    ]
    checks.check_variables(variants)
    return ModuleSpec(variants, names.paths, source=f"The module of {_name(module_fn)}")


def add_signature(name: str | None = None, inputs: Any = None, outputs: Any = None) -> None:
    """Adds a signature to the module that is being defined; called by a `module_fn`.

    Args:
      name: the signature's name; None is `"default"`.
      inputs: a dict from names to the tensors that callers give (dense, sparse or ragged), or one
        such tensor, which gets the name `"default"`. None for no inputs.
      outputs: likewise the tensors that callers get.

    Raises:
      SignatureError: something is not a tensor of this graph, or the name is there already.
    """
    name = DEFAULT if name is None else name
    _check_is_text(name, "The name of a signature")
    graph = tf.compat.v1.get_default_graph()
    signatures = graph.get_collection_ref(collections.SIGNATURES)
    if name in (other for other, _ in signatures):
        raise SignatureError(
            f"The signature {name!r} is added twice. Give each add_signature another name."
        )
    signature = tf.compat.v1.MetaGraphDef().signature_def[name]
    for kind, given, infos in (
        ("input", inputs, signature.inputs),
        ("output", outputs, signature.outputs),
    ):
        for key, tensor in _as_dict(given).items():
            _check_is_text(key, f"The name of an {kind} of the signature {name!r}")
            _check_is_of_graph(tensor, graph, f"The {kind} {key!r} of the signature {name!r}")
            if isinstance(tensor, tf.Variable):
                tensor = tf.convert_to_tensor(tensor)
            infos[key].CopyFrom(_tensor_info(tensor))
    signatures.append((name, signature))


def attach_message(key: str, message: Any) -> None:
    """Attaches a protobuf message to the module that is being defined; called by a `module_fn`.

    Users of the module read it with `get_attached_message`. Of several under one key the last wins.

    Args:
      key: a letter, then letters, digits and underscores.
      message: the message.

    Raises:
      MessageError: the key is not such a name, or the message is no protobuf message.
    """
    if not isinstance(key, str) or not _MESSAGE_KEY.fullmatch(key):
        raise MessageError(
            f"The key {key!r} of an attached message is not a letter followed by letters, digits "
            "and underscores."
        )
    if not hasattr(message, "SerializeToString"):
        raise MessageError(
            f"What is attached under {key!r} is {message!r}, not a protobuf message."
        )
    attachment = ModuleAttachment(key=key, value=message.SerializeToString(deterministic=True))
    tf.compat.v1.add_to_collection(collections.ATTACHMENTS, attachment)


def _variant(
    module_fn: Callable[..., None],
    tags: frozenset[str],
    args: Mapping[str, Any],
    drop_collections: frozenset[str],
    names: AssetNames,
) -> Variant:
    graph = tf.Graph()
    with graph.as_default():
        tf.compat.v1.get_variable_scope().set_use_resource(True)
        module_fn(**args)
    for key in drop_collections:
        graph.clear_collection(key)
    checks.check_collections(graph, _name(module_fn))
    signatures = graph.get_collection(collections.SIGNATURES)
    checks.check_signatures(signatures, _name(module_fn))
    attachments = graph.get_collection(collections.ATTACHMENTS)
    for key in (collections.SIGNATURES, collections.ATTACHMENTS):
        graph.clear_collection(key)
    with graph.as_default():
        meta_graph = tf.compat.v1.train.export_meta_graph(strip_default_attrs=True)
    return make_variant(meta_graph, tags, dict(signatures), attachments, names)


def make_variant(
    meta_graph: Any,
    tags: frozenset[str],
    signatures: Mapping[str, Any],
    attachments: Iterable[Any],
    names: AssetNames,
) -> Variant:
    """Gives a meta graph the form in which it is stored, and checks it.

    Args:
      meta_graph: a `MetaGraphDef`; changed.
      tags: the variant's tags.
      signatures: its `SignatureDef`s by name.
      attachments: its `ModuleAttachment`s.
      names: the module's assets; those of this graph are added.

    Raises:
      DefinitionError: the graph cannot be a module; its subclasses tell why.
    """
    meta_graph.meta_info_def.tags[:] = sorted(tags)
    meta_graph.ClearField("signature_def")
    for name, signature in signatures.items():
        meta_graph.signature_def[name].CopyFrom(signature)
    last = {attachment.key: attachment for attachment in attachments}
    collections.set_bytes(meta_graph, collections.ATTACHMENTS, last.values())
    collections.set_asset_files(meta_graph, take_assets(meta_graph, names))
    variant = Variant(tags, meta_graph)
    checks.check_colocation(variant)
    checks.check_inputs(variant)
    return variant


def _name(module_fn: Callable[..., None]) -> str:
    while isinstance(module_fn, functools.partial):
        module_fn = module_fn.func
    return getattr(module_fn, "__qualname__", type(module_fn).__qualname__)


def _as_dict(given: Any) -> Mapping[str, Any]:
    if given is None:
        return {}
    return given if isinstance(given, Mapping) else {DEFAULT: given}


def _check_is_text(name: Any, what: str) -> None:
    if not isinstance(name, str):
        raise SignatureError(f"{what} is {name!r}, not a str.")


def _check_is_of_graph(tensor: Any, graph: tf.Graph, what: str) -> None:
    components: list[Any] = [None]
    if tf.is_tensor(tensor):
        if not isinstance(tensor, (tf.Tensor, tf.Variable, tf.SparseTensor, tf.RaggedTensor)):
            raise SignatureError(
                f"{what} is of the type {type(tensor).__name__}, but signatures have dense, sparse "
                "and ragged tensors. Convert it first, or give its parts."
            )
        components = tf.nest.flatten(tensor, expand_composites=True)
    if not all(hasattr(component, "graph") for component in components):
        raise SignatureError(
            f"{what} is {tensor!r}, not a tensor. Give tensors, or convert with "
            "tf.convert_to_tensor first."
        )
    if any(component.graph is not graph for component in components):
        raise SignatureError(
            f"{what}, {tensor!r}, is of another graph. Make all tensors inside of module_fn."
        )


def _tensor_info(tensor: Any) -> Any:
    info = tf.compat.v1.MetaGraphDef().signature_def[""].inputs[""]
    if isinstance(tensor, tf.Tensor):
        info.name = tensor.name
    elif isinstance(tensor, tf.SparseTensor):
        info.coo_sparse.indices_tensor_name = tensor.indices.name
        info.coo_sparse.values_tensor_name = tensor.values.name
        info.coo_sparse.dense_shape_tensor_name = tensor.dense_shape.name
    else:
        spec = tf.type_spec_from_value(tensor)
        info.composite_tensor.type_spec.CopyFrom(compat.encode_type_spec(spec))
        for component in tf.nest.flatten(tensor, expand_composites=True):
            info.composite_tensor.components.add().CopyFrom(_tensor_info(component))
        return info
    info.dtype = tensor.dtype.base_dtype.as_datatype_enum
    info.tensor_shape.CopyFrom(tensor.shape.as_proto())
    return info
