"""A graph variant of a module or SavedModel, described."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hub_estimator import compat
from hub_estimator.format import collections
from hub_estimator.format.description import signatures
from hub_estimator.format.description.module_description import (
    MessageDescription,
    SignatureDescription,
    VariantDescription,
)
from hub_estimator.format.description.object_graph import ObjectGraph
from hub_estimator.format.description.tables import TableFinder
from hub_estimator.format.image_inputs import IMAGES, attached_size
from hub_estimator.format.programs import Program
from hub_estimator.format.side_effects import side_effects
from hub_estimator.format.variant import DEFAULT


def describe_variant(
    meta_graph: Any,
    program: Program,
    asset_paths: Mapping[str, str],
    objects: ObjectGraph | None = None,
    without_values: Iterable[str] = (),
) -> VariantDescription:
    """Returns the description of a graph variant.

    Args:
      meta_graph: its `MetaGraphDef`.
      program: what of it runs.
      asset_paths: the paths of its assets by their names.
      objects: the objects of a TF2 SavedModel; None of anything else.
      without_values: the names of its variables that have no value on disk.

    Raises:
      errors.BrokenModuleError: a signature has a tensor in no encoding that there is.
    """
    tables = TableFinder(meta_graph, program, asset_paths)
    attached = collections.attachments(meta_graph)
    found = signatures.of_graph(meta_graph)
    functions = () if objects is None else objects.functions()
    tags = sorted(set(meta_graph.meta_info_def.tags))
    losses = _number(meta_graph, collections.REGULARIZATION_LOSSES)
    return VariantDescription(
        tags=tuple(tags),
        tensorflow_version=meta_graph.meta_info_def.tensorflow_version or None,
        operations=sum(map(len, program.bodies.values())),
        signatures=found,
        functions=functions,
        regularization_losses=losses if objects is None else objects.losses,
        update_operations=_number(meta_graph, collections.UPDATE_OPS),
        tables=tables.of_graph() if objects is None else tables.of_objects(objects),
        messages=tuple(
            MessageDescription(key, len(value), hashlib.sha256(value).hexdigest())
            for key, value in sorted(attached.items())
        ),
        image_size=attached_size(attached) or _static_size([*found, *functions]),
        side_effects=tuple(side_effects(program, tags)),
        library_operations=_of_libraries(program),
        without_values=tuple(without_values),
    )


def _number(meta_graph: Any, key: str) -> int:
    return len(set(collections.node_names(meta_graph, key)))


def _of_libraries(program: Program) -> tuple[str, ...]:
    types = program.op_types - set(program.library.functions)
    return tuple(sorted(name for name in types if not compat.is_own_op(name)))


def _static_size(found: Sequence[SignatureDescription]) -> tuple[int, int] | None:
    """The size of images by the shape of an input, that of the default signature before others."""
    in_order = sorted(found, key=lambda signature: signature.name not in (DEFAULT, signatures.CALL))
    for tensor in (tensor for signature in in_order for tensor in signature.inputs):
        if tensor.name == IMAGES and tensor.shape is not None and len(tensor.shape) == 4:
            height, width = tensor.shape[1:3]
            if height and width:
                return height, width
    return None
