"""`load`: a module or a SavedModel as an object, in eager mode or in a graph."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import tensorflow as tf

from hub_estimator import files
from hub_estimator.errors import BrokenModuleError, Error, TagsNotFoundError
from hub_estimator.format import collections, integrity, layout
from hub_estimator.format.errors import SavedModelNotFoundError
from hub_estimator.format.folder import check_files
from hub_estimator.format.loadable import check_loadable, loading_side_effects
from hub_estimator.format.nodes import node_of
from hub_estimator.format.origin import find
from hub_estimator.format.read import read_module, read_saved_model
from hub_estimator.format.side_effects import report
from hub_estimator.format.variant import Variant, as_tags, tags_text
from hub_estimator.graph import origins

# Not a string: TensorFlow then leaves the collection out of saved graphs, where it cannot be.
_LOADED = ("hub_estimator", "loaded")

# By this attribute, programs tell TF1 Hub modules from other SavedModels.
_IS_HUB_MODULE = "_is_hub_module_v1"


def load(
    handle: files.PathLike,
    tags: Iterable[str] | None = None,
    options: Any = None,
    refuse_side_effects: bool | None = None,
) -> Any:
    """Loads what a handle names: a TF2 SavedModel, a TF1 SavedModel or a TF1 Hub module.

    It works in eager mode and in a graph; there, run the variables' and the tables' initializers.
    A warning says what it does beyond computing its outputs; some of that happens here already,
    where TensorFlow initializes what it loads.

    Args:
      handle: a folder or a URL.
      tags: the tags of the graph variant. None is the one graph of a SavedModel, and the variant
        for inference, which has no tags, of a TF1 Hub module.
      options: a `tf.saved_model.LoadOptions`.
      refuse_side_effects: whether to refuse what does more than compute; None is what the
        environment variable `HUB_ESTIMATOR_REFUSE_SIDE_EFFECTS` says.

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
      SideEffectsError: it does more than compute, and that is refused.
      Error: what `load_module_spec` raises for files, assets and sizes.
    """
    origin = find(handle)
    folder = origin.folder
    wanted = None if tags is None else as_tags(tags)
    is_module = files.exists(files.join(folder, layout.MODULE_DEF))
    load_kind = _load_module if is_module else _load_saved_model
    loaded = load_kind(folder, wanted, options, refuse_side_effects)
    setattr(loaded, _IS_HUB_MODULE, is_module)
    if not tf.executing_eagerly():
        # TensorFlow adds operations to the graph when a loaded table is collected as garbage; where
        # that happens inside of `session.run`, it waits for a lock for ever.
        tf.compat.v1.add_to_collection(_LOADED, loaded)
        origins.note(tf.compat.v1.get_default_graph().get_name_scope(), origin)
    return loaded


def _load_module(
    folder: str, wanted: frozenset[str] | None, options: Any, refuse: bool | None
) -> Any:
    spec = read_module(folder)
    spec.check_values(wanted)
    variant = spec.variant(wanted)
    _check(folder, [each.meta_graph for each in spec.variants], spec.source, refuse)
    loaded = _load(folder, sorted(variant.tags), options)
    with integrity.reports_damage(spec.source):
        _add_training(loaded, variant)
    return loaded


def _load_saved_model(
    folder: str, wanted: frozenset[str] | None, options: Any, refuse: bool | None
) -> Any:
    _check_saved_model(folder)
    check_files(folder)
    meta_graphs = read_saved_model(folder).meta_graphs
    _check_tags(folder, wanted, meta_graphs)
    _check(folder, meta_graphs, f"The SavedModel {folder}", refuse)
    return _load(folder, None if wanted is None else sorted(wanted), options)


def _check(folder: str, meta_graphs: Sequence[Any], source: str, refuse: bool | None) -> None:
    check_loadable(folder, meta_graphs, source)
    report(loading_side_effects(meta_graphs), source, refuse)


def _load(folder: str, tags: list[str] | None, options: Any) -> Any:
    try:
        return tf.saved_model.load(folder, tags=tags, options=options)
    except (Error, *integrity.NOT_DAMAGE, ImportError, MemoryError):
        raise
    except Exception as e:  # it trusts what it reads, and fails in all ways
        raise BrokenModuleError(
            f"TensorFlow cannot load {folder} ({type(e).__name__}: {e}). It is damaged, or of a kind "
            "that this TensorFlow does not read: fetch or save it again."
        ) from e


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


def _check_tags(folder: str, wanted: frozenset[str] | None, meta_graphs: Iterable[Any]) -> None:
    found = [frozenset(graph.meta_info_def.tags) for graph in meta_graphs]
    has = ", ".join(sorted(map(tags_text, found)))
    if wanted is None and len(found) > 1:
        raise TagsNotFoundError(
            f"The SavedModel {folder} has several graphs. Pass tags=..., one of: {has}."
        )
    if wanted is not None and wanted not in found:
        raise TagsNotFoundError(
            f"The SavedModel {folder} has no graph with the tags {tags_text(wanted)}. "
            f"It has: {has}."
        )
