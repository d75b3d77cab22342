"""What must hold of a stored module before any of it goes into a graph.

The format has no checksums but those of the checkpoint, so a damaged file may still be parsed. What
is checked here is cheap: that names refer to something, and that the checkpoint holds the variables.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping

import tensorflow as tf
from google.protobuf import message as protobuf_message

from hub_estimator import files, texts
from hub_estimator.errors import BrokenModuleError, CheckpointMismatchError, Error
from hub_estimator.format import collections
from hub_estimator.format.checkpoint import check_variable, contents, open_checkpoint
from hub_estimator.format.nodes import colocated_with, node_of
from hub_estimator.format.spec import ModuleSpec
from hub_estimator.format.tensor_infos import component_names, parse
from hub_estimator.format.variant import Variant, inside_sentence, tags_text

_SHARD = re.compile(r"\.data-(\d{5})-of-(\d{5})$")
_OF_NODES = (
    collections.TABLE_INITIALIZERS,
    collections.UPDATE_OPS,
    collections.REGULARIZATION_LOSSES,
    collections.ASSET_FILEPATHS,
)
_OF_VARIABLES = (
    collections.VARIABLES,
    collections.TRAINABLE_VARIABLES,
    collections.MODEL_VARIABLES,
)
# What the parsers of protos and of TensorFlow's types raise for values that mean nothing.
_MEANINGLESS = (
    protobuf_message.DecodeError,
    UnicodeDecodeError,
    AttributeError,
    IndexError,
    KeyError,
    NotImplementedError,
    TypeError,
    ValueError,
    tf.errors.OpError,
)

NOT_DAMAGE = (
    tf.errors.DeadlineExceededError,
    tf.errors.PermissionDeniedError,
    tf.errors.ResourceExhaustedError,
    tf.errors.UnauthenticatedError,
    tf.errors.UnavailableError,
)
"""What filesystems, and machines without room, say of whole and damaged files alike."""


@contextlib.contextmanager
def reports_damage(source: str) -> Iterator[None]:
    """Makes what parsers raise for meaningless values an error that names the module.

    Args:
      source: what messages call the module, or one of its files.

    Raises:
      BrokenModuleError: the block raised one of those.
    """
    try:
        yield
    except (Error, *NOT_DAMAGE):
        raise
    except _MEANINGLESS as e:
        raise BrokenModuleError(
            f"{source} is damaged ({type(e).__name__}: {e}). Fetch or export the module again."
        ) from e


def check_variant(variant: Variant, source: str) -> None:
    """Checks that a graph's edges, collections and signatures refer to nodes that are there.

    Raises:
      BrokenModuleError: one does not; the message names it.
    """
    with reports_damage(source):
        for node in variant.nodes.by_name.values():
            colocated_with(node)
        references = list(_references(variant))
        there = variant.nodes.by_name
        for name in collections.node_names(variant.meta_graph, collections.TABLE_INITIALIZERS):
            if name not in there:
                raise BrokenModuleError(
                    f"{source} is damaged: in the graph with the tags {tags_text(variant.tags)}, the "
                    f"collection {collections.TABLE_INITIALIZERS!r} has {texts.shown(name)}, which is "
                    "no operation of it. Fetch or export the module again."
                )
        unknown = {
            name
            for name in {name for _, names in references for name in names}
            if name not in there and node_of(name) not in there
        }
        for (kind, owner), names in references if unknown else ():
            for name in unknown.intersection(names):
                raise BrokenModuleError(
                    f"{source} is damaged: in the graph with the tags {tags_text(variant.tags)}, "
                    f"the {kind} {owner!r} refers to {node_of(name)!r}, which is not there. Fetch "
                    "or export the module again."
                )


def check_checkpoint(spec: ModuleSpec) -> None:
    """Checks that a module's checkpoint can be read, has all its files, and is of the module.

    It is where a graph variant finds all its values; others may lack some of theirs.

    Raises:
      BrokenModuleError: it is not.
    """
    prefix, source = spec.checkpoint_path, spec.source
    if prefix is None:
        return
    with reports_damage(f"The checkpoint {prefix} of {inside_sentence(source)}"):
        if len(spec.unusable) == len(spec.variants):
            _raise_contradiction(spec, prefix)
        if spec.stored:
            _check_shards(prefix, _size(spec.stored), source)


def _raise_contradiction(spec: ModuleSpec, prefix: str) -> None:
    try:
        for variable in spec.variables:
            check_variable(spec.stored, prefix, variable, variable.key)
    except CheckpointMismatchError as e:
        raise BrokenModuleError(f"{spec.source} contradicts itself. {e}") from e


def check_values(prefix: str, source: str) -> None:
    """Checks that a SavedModel's checkpoint, if it has one, can be read and has all its files.

    Args:
      prefix: the path of the checkpoint without endings.
      source: what messages call the SavedModel.

    Raises:
      BrokenModuleError: it cannot, or has not.
    """
    if files.exists(f"{prefix}.index"):
        with reports_damage(f"The checkpoint {prefix} of {inside_sentence(source)}"):
            _check_shards(prefix, _size(contents(open_checkpoint(prefix))), source)


def _references(variant: Variant) -> Iterator[tuple[tuple[str, str], Iterable[str]]]:
    """What refers to nodes of a graph: its kind and its name, and the edges that it names."""
    meta_graph = variant.meta_graph
    for name, edges in variant.nodes.inputs.items():
        yield ("node", name), edges
    for key in _OF_NODES:
        yield ("collection", key), collections.node_names(meta_graph, key)
    for proto in collections.distinct_variable_defs(meta_graph, _OF_VARIABLES):
        yield (
            ("variable", proto.variable_name),
            (
                proto.variable_name,
                proto.initializer_name,
                proto.snapshot_name,
                proto.initial_value_name or proto.variable_name,
            ),
        )
    yield ("collection", collections.ASSETS), collections.asset_files(meta_graph)
    for name, signature in meta_graph.signature_def.items():
        for info in (*signature.inputs.values(), *signature.outputs.values()):
            parse(info)
            yield ("signature", name), component_names(info)


def _size(there: Mapping[str, tf.TensorSpec]) -> int:
    """The least number of bytes that a checkpoint's data can have."""
    return sum(
        tensor.shape.num_elements() * tensor.dtype.size
        for tensor in there.values()
        if tensor.dtype not in (tf.string, tf.variant, tf.resource)
    )


def _check_shards(prefix: str, size: int, source: str) -> None:
    folder, _, start = prefix.rpartition("/")
    found = {
        match.groups(): name
        for name in files.listing(folder)
        if name.startswith(start) and (match := _SHARD.fullmatch(name[len(start) :]))
    }
    expected = {(f"{index:05}", count) for _, count in found for index in range(int(count))}
    if not found or expected - set(found):
        raise BrokenModuleError(
            f"{source} lacks values of its variables: the data files beside {prefix}.index are "
            "not all there. Fetch the module again."
        )
    there = sum(files.size(files.join(folder, name)) for name in found.values())
    if there < size:
        raise BrokenModuleError(
            f"{source} lacks values of its variables: the data files beside {prefix}.index have "
            f"{there} bytes and should have {size} or more. Fetch the module again."
        )
