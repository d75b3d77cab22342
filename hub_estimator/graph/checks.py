"""What must hold of a module's graphs when it is defined; each failure says what to change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from hub_estimator.errors import (
    ColocationError,
    DefinitionError,
    DuplicateTagsError,
    NoSignatureError,
    UnsupportedCollectionError,
    VariablesDifferError,
)
from hub_estimator.format import collections
from hub_estimator.format.nodes import colocated_with, node_of
from hub_estimator.format.tensor_infos import component_names
from hub_estimator.format.variant import Variant, quoted, tags_text


def check_tags(all_tags: Sequence[frozenset[str]]) -> None:
    """Checks that no two variants have the same tags, and that there is one at all."""
    if not all_tags:
        raise DefinitionError(
            "tags_and_args is empty. Give at least one pair, for example [(set(), {})]."
        )
    for tags in all_tags:
        if all_tags.count(tags) > 1:
            raise DuplicateTagsError(
                f"Two graph variants have the tags {tags_text(tags)}. Give each pair in "
                "tags_and_args another set of tags."
            )


def check_collections(graph: tf.Graph, name: str) -> None:
    """Checks that a graph has only collections that a module can carry."""
    used = {key for key in graph.get_all_collection_keys() if graph.get_collection(key)}
    unsupported = {str(key) for key in used - collections.CARRIED}
    if unsupported:
        raise UnsupportedCollectionError(
            f"The graph of {name} has the collections {quoted(unsupported)}, which a module cannot "
            f"carry. Do not add to them, or pass drop_collections=[{quoted(unsupported)}]."
        )


def check_signatures(signatures: Sequence[Any], name: str) -> None:
    """Checks that there is a signature."""
    if not signatures:
        raise NoSignatureError(
            f"{name} added no signature. Call hub.add_signature(inputs=..., outputs=...) in it."
        )


def check_variables(variants: Sequence[Variant]) -> None:
    """Checks that variants which have a variable of one name can share its value."""
    shapes: dict[str, str] = {}
    for variant in variants:
        for entry in variant.variables:
            shape = f"{entry.spec.dtype.name} {entry.spec.shape}"
            if shapes.setdefault(entry.key, shape) != shape:
                raise VariablesDifferError(
                    f"The variable {entry.key!r} is {shapes[entry.key]} in one graph variant and "
                    f"{shape} in that with the tags {tags_text(variant.tags)}. Variants share their "
                    "variables: give it one type and shape, or two names."
                )


def check_colocation(variant: Variant) -> None:
    """Checks that what holds state is colocated only with what holds state."""
    for name in sorted(variant.state_nodes):
        for other in colocated_with(variant.nodes[name]):
            if other not in variant.state_nodes:
                raise ColocationError(
                    f"The variable or table {name!r} is colocated with {other!r}, which holds "
                    "no state and is not there when the module is instantiated. Make it outside of "
                    "tf.colocate_with."
                )


def check_inputs(variant: Variant) -> None:
    """Checks that each signature's inputs can be replaced by the caller's tensors."""
    for name, signature in variant.signatures.items():
        tensors = [tensor for info in signature.inputs.values() for tensor in component_names(info)]
        makers = [node_of(tensor) for tensor in tensors]
        for maker in makers:
            if makers.count(maker) > 1:
                raise ColocationError(
                    f"The signature {name!r} has several inputs from the one operation {maker!r}. "
                    "Make a placeholder for each input."
                )
            others = set(colocated_with(variant.nodes[maker])) - {maker}
            if others:
                raise ColocationError(
                    f"The input {maker!r} of the signature {name!r} is colocated with "
                    f"{quoted(others)}, but the caller's tensor takes its place. Make it outside "
                    "of tf.colocate_with."
                )
