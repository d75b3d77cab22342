"""One graph variant of a module, as stored."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Sequence
from typing import Any

import tensorflow as tf

from hub_estimator import compat, errors
from hub_estimator.format import collections
from hub_estimator.format.nodes import NodeIndex, node_of
from hub_estimator.format.operations import check_known
from hub_estimator.format.programs import Program, of_variant
from hub_estimator.format.tensor_infos import component_names

DEFAULT = "default"
"""The name of the signature, and of the output, that is meant where none is given."""
TRAIN_TAGS = frozenset({"train"})
"""The tags of the variant for training, by custom."""


def quoted(names: Any) -> str:
    """Returns names as a readable list for messages, sorted."""
    return ", ".join(repr(name) for name in sorted(names)) or "none"


def some_of(texts: Sequence[str]) -> str:
    """Returns the first few of texts for messages, and how many more there are."""
    more = f" and {len(texts) - 5} more" if len(texts) > 5 else ""
    return ", ".join(texts[:5]) + more


def tags_text(tags: Any) -> str:
    """Returns a set of tags as a literal for messages; `set()` is the inference variant."""
    return f"{{{quoted(tags)}}}" if tags else "set()"


def inside_sentence(what: str) -> str:
    """Returns what messages call something, as it stands inside of a sentence."""
    return what[:1].lower() + what[1:]


def as_tags(tags: str | Iterable[str] | None) -> frozenset[str]:
    """Returns a set of tags; one string is one tag, None is the empty set."""
    return frozenset([tags] if isinstance(tags, str) else tags or ())


@dataclasses.dataclass(frozen=True)
class VariableEntry:
    """One variable of a variant, or one part of a partitioned one.

    Attributes:
      proto: its `VariableDef`.
      key: its name in checkpoints, and in `variable_map`; parts share that of the whole.
      slice_spec: which part of the whole it is, as `tf.raw_ops.RestoreV2` takes it; else empty.
      node: the node that holds it.
    """

    proto: Any
    key: str
    slice_spec: str
    node: Any

    @functools.cached_property
    def dtype(self) -> tf.DType:
        """Its element type."""
        return tf.as_dtype(self.node.attr["dtype"].type)

    @functools.cached_property
    def shape(self) -> tf.TensorShape:
        """Its static shape."""
        return tf.TensorShape(self.node.attr["shape"].shape)

    @property
    def size(self) -> int:
        """About how many bytes its value has; 0 where that is not known."""
        return (self.shape.num_elements() or 0) * self.dtype.size

    @functools.cached_property
    def op_name(self) -> str:
        """The name of the node that holds it."""
        return node_of(self.proto.variable_name)

    @functools.cached_property
    def spec(self) -> tf.TensorSpec:
        """The type and the shape of the whole variable that it is a part of, or of itself."""
        slice_info = self.proto.save_slice_info_def
        shape = list(slice_info.full_shape) if self.slice_spec else self.shape
        return tf.TensorSpec(shape, self.dtype.base_dtype)


@dataclasses.dataclass(frozen=True, eq=False)
class Variant:
    """A graph of a module with the tags that choose it.

    Attributes:
      tags: the tags; the empty set is the variant for inference.
      meta_graph: its `MetaGraphDef` exactly as stored: paths of assets are blank.
    """

    tags: frozenset[str]
    meta_graph: Any

    @functools.cached_property
    def nodes(self) -> NodeIndex:
        """The nodes of the graph by name."""
        return NodeIndex(self.meta_graph.graph_def)

    @functools.cached_property
    def variables(self) -> tuple[VariableEntry, ...]:
        """The variables, in the order of the module's collection."""
        return tuple(self._variable(proto) for proto in collections.variable_defs(self.meta_graph))

    @functools.cached_property
    def instance_nodes(self) -> frozenset[str]:
        """The names of the nodes that an instance has once, and its applications take from it.

        They hold state, or the path of an asset; their output 0 is what is taken.
        """
        assets = map(node_of, collections.asset_files(self.meta_graph))
        return self.state_nodes | {name for name in assets if name in self.nodes}

    @functools.cached_property
    def state_nodes(self) -> frozenset[str]:
        """The names of the nodes that hold state: variables, tables and the like.

        Raises:
          tf_errors.UnknownOperationError: TensorFlow does not know a node's type.
        """
        library = self.meta_graph.graph_def.library.function
        functions = {function.signature.name for function in library}
        # A call of a function holds no state.
        types = {node.op for node in self.nodes.by_name.values()} - functions
        check_known(types)
        stateful = {op_type for op_type in types if compat.op_outputs_state(op_type)}
        return frozenset(name for name, node in self.nodes.by_name.items() if node.op in stateful)

    @functools.cached_property
    def prepared(self) -> dict[Any, Any]:
        """A place for what is worked out of this variant once and used for each instance."""
        return {}

    def program(self, restores: bool) -> Program:
        """Returns what of the graph runs.

        Args:
          restores: whether the values of its variables come from a checkpoint.
        """
        key = ("program", restores)
        if key not in self.prepared:
            self.prepared[key] = of_variant(self.meta_graph, self.nodes, restores)
        return self.prepared[key]

    @property
    def signatures(self) -> dict[str, Any]:
        """The `SignatureDef`s by name."""
        return dict(self.meta_graph.signature_def)

    def signature(self, name: str | None, source: str) -> Any:
        """Returns the `SignatureDef` of a name; None is the default one.

        Raises:
          errors.SignatureNotFoundError: there is none of this name.
        """
        name = name or DEFAULT
        if name not in self.meta_graph.signature_def:
            raise errors.SignatureNotFoundError(
                f"{source} has no signature {name!r} for the tags {tags_text(self.tags)}. "
                f"It has: {quoted(self.meta_graph.signature_def)}."
            )
        return self.meta_graph.signature_def[name]

    @functools.cached_property
    def fed_nodes(self) -> frozenset[str]:
        """The names of the nodes whose values depend on what callers give."""
        infos = [
            info for signature in self.signatures.values() for info in signature.inputs.values()
        ]
        tensors = {name for info in infos for name in component_names(info)}
        placeholders = [node for node in self.nodes.by_name.values() if node.op == "Placeholder"]
        tensors |= {f"{node.name}:0" for node in placeholders}
        return frozenset({*map(node_of, tensors), *self.nodes.descendants(tensors)})

    def _variable(self, proto: Any) -> VariableEntry:
        name = node_of(proto.variable_name)
        if name not in self.nodes:
            raise errors.BrokenModuleError(
                f"The module's graph with the tags {tags_text(self.tags)} lists a variable "
                f"{name!r} but has no such node. Its saved_model.pb is damaged: fetch or export "
                "the module again."
            )
        key, slice_spec = name, ""
        if proto.HasField("save_slice_info_def"):
            info = tf.compat.v1.Variable.SaveSliceInfo(
                save_slice_info_def=proto.save_slice_info_def
            )
            key, slice_spec = info.full_name, info.spec
        return VariableEntry(proto, key, slice_spec, self.nodes[name])
