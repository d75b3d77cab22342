"""`load`: a module or a SavedModel as an object, in eager mode or in a graph."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from hub_estimator import files, resolver
from hub_estimator.errors import TagsNotFoundError
from hub_estimator.format import collections, layout
from hub_estimator.format.errors import SavedModelNotFoundError
from hub_estimator.format.nodes import node_of
from hub_estimator.format.read import read_module, read_saved_model
from hub_estimator.format.variant import Variant, as_tags, tags_text

# Not a string: TensorFlow then leaves the collection out of saved graphs, where it cannot be.
_LOADED = ("hub_estimator", "loaded")

# By this attribute, programs tell TF1 Hub modules from other SavedModels.
_IS_HUB_MODULE = "_is_hub_module_v1"


def load(handle: files.PathLike, tags: Iterable[str] | None = None, options: Any = None) -> Any:
    """Loads what a handle names: a TF2 SavedModel, a TF1 SavedModel or a TF1 Hub module.

    It works in eager mode and in a graph; there, run the variables' and the tables' initializers.

    Args:
      handle: a folder or a URL.
      tags: the tags of the graph variant. None is the one graph of a SavedModel, and the variant
        for inference, which has no tags, of a TF1 Hub module.
      options: a `tf.saved_model.LoadOptions`.

    Returns:
      What `tf.saved_model.load` returns. For TF1 graphs that has `signatures`, functions by name,
      `variables`, and `prune` and `graph` for anything else. For a TF1 Hub module it has also
      `trainable_variables` and `regularization_losses`, functions without arguments. Where one
      trains on it in a TF1 graph, `hub.Module` does more: update operations and re-export. The
      attribute `_is_hub_module_v1` tells whether it is a TF1 Hub module.

    Raises:
      OSError: there is nothing under the handle, or no SavedModel (`SavedModelNotFoundError`), or
        its files are damaged (`BrokenModuleError`).
      TagsNotFoundError: there is no graph with these tags.
      ValuesNotFoundError: a TF1 Hub module has no values for variables of this graph.
    """
    folder = resolver.resolve(handle)
    wanted = None if tags is None else as_tags(tags)
    is_module = files.exists(files.join(folder, layout.MODULE_DEF))
    loaded = (_load_module if is_module else _load_saved_model)(folder, wanted, options)
    setattr(loaded, _IS_HUB_MODULE, is_module)
    if not tf.executing_eagerly():
        # TensorFlow adds operations to the graph when a loaded table is collected as garbage; where
        # that happens inside of `session.run`, it waits for a lock for ever.
        tf.compat.v1.add_to_collection(_LOADED, loaded)
    return loaded


def _load_module(folder: str, wanted: frozenset[str] | None, options: Any) -> Any:
    spec = read_module(folder)
    spec.check_values(wanted)
    variant = spec.variant(wanted)
    loaded = tf.saved_model.load(folder, tags=sorted(variant.tags), options=options)
    _add_training(loaded, variant)
    return loaded


def _load_saved_model(folder: str, wanted: frozenset[str] | None, options: Any) -> Any:
    _check_saved_model(folder)
    try:
        tags = None if wanted is None else sorted(wanted)
        return tf.saved_model.load(folder, tags=tags, options=options)
    except (RuntimeError, ValueError) as e:
        _check_tags(folder, wanted, e)
        raise


def _add_training(loaded: Any, variant: Variant) -> None:
    """Adds what a TF1 Hub module offers for training and TensorFlow does not look at."""
    graph = loaded.graph
    # Not those of the graph's collection: its functions read others, which were lifted out of it.
    loaded.trainable_variables = [each for each in loaded.variables if each.trainable]
    losses = collections.node_names(variant.meta_graph, collections.REGULARIZATION_LOSSES)
    loaded.regularization_losses = [
        loaded.prune([], graph.get_tensor_by_name(loss))
        for loss in losses
        if node_of(loss) not in variant.fed_nodes
    ]


def _check_saved_model(folder: str) -> None:
    names = (layout.SAVED_MODEL, layout.SAVED_MODEL_TEXT)
    if any(files.exists(files.join(folder, name)) for name in names):
        return
    listing = files.listing(folder)
    shown = ", ".join(listing[:5]) + (", ..." if len(listing) > 5 else "")
    raise SavedModelNotFoundError(
        f"{folder} is neither a SavedModel nor a TF1 Hub module: it has no {layout.SAVED_MODEL}. "
        f"It holds: {shown or 'nothing'}. Give the folder that has the {layout.SAVED_MODEL}."
    )


def _check_tags(folder: str, wanted: frozenset[str] | None, error: Exception) -> None:
    found = [frozenset(graph.meta_info_def.tags) for graph in read_saved_model(folder).meta_graphs]
    has = ", ".join(sorted(map(tags_text, found)))
    if wanted is None and len(found) > 1:
        raise TagsNotFoundError(
            f"The SavedModel {folder} has several graphs. Pass tags=..., one of: {has}."
        ) from error
    if wanted is not None and wanted not in found:
        raise TagsNotFoundError(
            f"The SavedModel {folder} has no graph with the tags {tags_text(wanted)}. "
            f"It has: {has}."
        ) from error
