"""`load`: a module or a SavedModel as an object, in eager mode or in a graph."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import tensorflow as tf

from hub_estimator import errors, files, layout
from hub_estimator.format import collections, integrity, tf_errors
from hub_estimator.format.folder import check_files
from hub_estimator.format.loadable import check_loadable, loading_side_effects
from hub_estimator.format.nodes import node_of
from hub_estimator.format.origin import Origin, find
from hub_estimator.format.read import read_module
from hub_estimator.format.side_effects import report
from hub_estimator.format.stored_graphs import SAVED_MODEL, read_saved_model
from hub_estimator.format.variant import Variant, as_tags, some_of, tags_text
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
      errors.TagsNotFoundError: there is no graph with these tags.
      errors.ValuesNotFoundError: a TF1 Hub module has no values for variables of this graph.
      errors.SideEffectsError: it does more than compute, and that is refused.
      errors.Error: what `load_module_spec` raises for files, assets and sizes.
    """
    return load_at(find(handle), tags, options, refuse_side_effects)


def load_at(
    origin: Origin,
    tags: Iterable[str] | None = None,
    options: Any = None,
    refuse_side_effects: bool | None = None,
    source: str | None = None,
) -> Any:
    """Loads the TF2 SavedModel, TF1 SavedModel or TF1 Hub module at a place; see `load`.

    Args:
      origin: the place.
      tags: as for `load`.
      options: as for `load`.
      refuse_side_effects: as for `load`.
      source: what the message about side effects calls a SavedModel; None names its folder.
    """
    wanted = None if tags is None else as_tags(tags)
    kind = layout.kind_of(origin.folder)
    if kind is layout.FolderKind.OTHER:
        raise _no_saved_model(origin.folder)
    is_module = kind is layout.FolderKind.HUB_MODULE
    if is_module:
        loaded = _load_module(origin.folder, wanted, options, refuse_side_effects)
    else:
        named = source or SAVED_MODEL.source(origin.folder)
        loaded = _load_saved_model(origin.folder, wanted, options, refuse_side_effects, named)
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
    _check(folder, [other.meta_graph for other in spec.variants], spec.source, refuse)
    loaded = _load(folder, sorted(variant.tags), options)
    with integrity.reports_damage(spec.source):
        _add_training(loaded, variant)
    return loaded


def _load_saved_model(
    folder: str, wanted: frozenset[str] | None, options: Any, refuse: bool | None, source: str
) -> Any:
    check_files(folder)
    meta_graphs = read_saved_model(folder).meta_graphs
    _check_tags(folder, wanted, meta_graphs)
    _check(folder, meta_graphs, source, refuse)
    return _load(folder, None if wanted is None else sorted(wanted), options)


def _check(folder: str, meta_graphs: Sequence[Any], source: str, refuse: bool | None) -> None:
    check_loadable(folder, meta_graphs, source)
    report(loading_side_effects(meta_graphs), source, refuse)


def _load(folder: str, tags: list[str] | None, options: Any) -> Any:
    try:
        return tf.saved_model.load(folder, tags=tags, options=options)
    except (errors.Error, *integrity.NOT_DAMAGE, ImportError, MemoryError):
        raise
    except Exception as error:  # it trusts what it reads, and fails in all ways
        raise errors.BrokenModuleError(
            f"TensorFlow cannot load {folder} ({type(error).__name__}: {error}). It is damaged, or of a "
            "kind that this TensorFlow does not read: fetch or save it again."
        ) from error


def _add_training(loaded: Any, variant: Variant) -> None:
    """Adds what a TF1 Hub module offers for training and TensorFlow does not look at."""
    graph = loaded.graph
    # Not those of the graph's collection: its functions read others, which were lifted out of it.
    loaded.trainable_variables = [variable for variable in loaded.variables if variable.trainable]
    losses = collections.node_names(variant.meta_graph, collections.REGULARIZATION_LOSSES)
    loaded.regularization_losses = [
        loaded.prune([], graph.get_tensor_by_name(loss))
        for loss in losses
        if node_of(loss) not in variant.fed_nodes
    ]


def _no_saved_model(folder: str) -> errors.Error:
    there = some_of(files.listing(folder))
    return tf_errors.SavedModelNotFoundError(
        f"{folder} is neither a SavedModel nor a TF1 Hub module: it has no {layout.SAVED_MODEL}. "
        f"It holds: {there or 'nothing'}. Give the folder that has the {layout.SAVED_MODEL}."
    )


def _check_tags(folder: str, wanted: frozenset[str] | None, meta_graphs: Iterable[Any]) -> None:
    found = [frozenset(graph.meta_info_def.tags) for graph in meta_graphs]
    has = ", ".join(sorted(map(tags_text, found)))
    if wanted is None and len(found) > 1:
        raise errors.TagsNotFoundError(
            f"The SavedModel {folder} has several graphs. Pass tags=..., one of: {has}."
        )
    if wanted is not None and wanted not in found:
        raise errors.TagsNotFoundError(
            f"The SavedModel {folder} has no graph with the tags {tags_text(wanted)}. "
            f"It has: {has}."
        )
