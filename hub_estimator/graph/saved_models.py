"""Modules made of TF1 SavedModels, with their tags and signatures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from hub_estimator import compat, files
from hub_estimator.errors import (
    BrokenModuleError,
    DuplicateTagsError,
    NoSignatureError,
    NotAModuleError,
    UnsupportedCollectionError,
)
from hub_estimator.format import collections, integrity, layout
from hub_estimator.format.errors import SavedModelNotFoundError
from hub_estimator.format.folder import check_files
from hub_estimator.format.nodes import node_of
from hub_estimator.format.protos import ModuleAttachment
from hub_estimator.format.read import read_saved_model
from hub_estimator.format.safety import check_program
from hub_estimator.format.side_effects import report
from hub_estimator.format.spec import ModuleSpec
from hub_estimator.format.variant import Variant, quoted, tags_text
from hub_estimator.graph.assets import AssetNames, set_asset_path
from hub_estimator.graph.authoring import make_variant

# What initializes or trains a whole program has no place in a module: its variables are initialized
# where it is used, and its tables by the operations in their own collection.
_DROPPED = (
    tf.compat.v1.GraphKeys.GLOBAL_STEP,
    "legacy_init_op",
    "saved_model_main_op",
    "saved_model_train_op",
)
_DROPPED_SIGNATURES = ("__saved_model_init_op", "__saved_model_train_op")


def create_module_spec_from_saved_model(
    saved_model_path: files.PathLike,
    drop_collections: Iterable[str] | None = None,
    refuse_side_effects: bool | None = None,
) -> ModuleSpec:
    """Makes a module of a TF1 SavedModel, for example one that an Estimator exported.

    Every graph of the SavedModel becomes a variant with the same tags (often `{"serve"}`) and the
    same signatures. Its variables start with the values that the SavedModel has. Operations that
    initialize it as a whole are left out; lookup tables are initialized as those of all modules. A
    warning says what it does beyond computing its outputs, see `ModuleSpec.side_effects`.

    Args:
      saved_model_path: the folder of the SavedModel; it must stay while the spec is used.
      drop_collections: collections of its graphs that the module leaves out.
      refuse_side_effects: whether to refuse what does more than compute; None is what the
        environment variable `HUB_ESTIMATOR_REFUSE_SIDE_EFFECTS` says.

    Returns:
      The spec. Exporting a module made of it writes a TF1 Hub module.

    Raises:
      SavedModelNotFoundError: there is no SavedModel; it is a `tf.errors.NotFoundError`.
      NotAModuleError: it is a TF2 SavedModel, or a TF1 Hub module already.
      BrokenModuleError: its files are damaged.
      DefinitionError: a graph of it cannot be a module; its subclasses tell why.
      SideEffectsError: it does more than compute, and that is refused.
      Error: what `load_module_spec` raises for files, assets and sizes.
    """
    folder = files.as_path(saved_model_path)
    _check_folder(folder)
    names = AssetNames()
    dropped = {*_DROPPED, *collections.as_keys(drop_collections)}
    check_files(folder)
    source = f"The SavedModel {folder}"
    with integrity.reports_damage(source):
        variants = [
            _variant(meta_graph, folder, dropped, names)
            for meta_graph in read_saved_model(folder).meta_graphs
        ]
        _check_tags(folder, variants)
        checkpoint = _checkpoint_path(folder, variants)
        spec = ModuleSpec(variants, names.paths, checkpoint_path=checkpoint, source=source)
        for variant in variants:
            integrity.check_variant(variant, source)
            program = variant.program(checkpoint is not None)
            check_program(program, variant.tags, spec.asset_paths, source)
        integrity.check_checkpoint(spec)
    report(spec.side_effects(), source, refuse_side_effects)
    return spec


def _check_folder(folder: str) -> None:
    if files.exists(files.join(folder, layout.MODULE_DEF)):
        raise NotAModuleError(
            f"{folder} is a TF1 Hub module already. Pass it to hub.Module, or to "
            "hub.load_module_spec for its spec."
        )
    saved_models = (layout.SAVED_MODEL, layout.SAVED_MODEL_TEXT)
    if not any(files.exists(files.join(folder, name)) for name in saved_models):
        raise SavedModelNotFoundError(
            f"There is no SavedModel at {folder}: it has no {layout.SAVED_MODEL}. Give the folder "
            "that has it; an Estimator's exports are in folders named by their time."
        )


def _variant(meta_graph: Any, folder: str, dropped: set[str], names: AssetNames) -> Variant:
    if meta_graph.HasField("object_graph_def"):
        raise NotAModuleError(
            f"{folder} is a TF2 SavedModel, and modules are made of TF1 SavedModels. Use hub.load."
        )
    for key in dropped:
        meta_graph.collection_def.pop(key, None)
    _place_assets(meta_graph, folder)
    _check_collections(meta_graph, folder)
    meta_graph.ClearField("saver_def")
    compat.strip_default_attributes(meta_graph)
    signatures = {
        name: signature
        for name, signature in meta_graph.signature_def.items()
        if name not in _DROPPED_SIGNATURES
    }
    if not signatures:
        raise NoSignatureError(
            f"The SavedModel {folder} has no signature for the tags "
            f"{tags_text(meta_graph.meta_info_def.tags)}. Save it with a signature_def_map."
        )
    # Copies, since `make_variant` clears the field that holds them.
    copies = {
        name: type(each).FromString(each.SerializeToString()) for name, each in signatures.items()
    }
    attachments = [
        ModuleAttachment(key=key, value=value)
        for key, value in collections.attachments(meta_graph).items()
    ]
    tags = frozenset(meta_graph.meta_info_def.tags)
    return make_variant(meta_graph, tags, copies, attachments, names)


def _place_assets(meta_graph: Any, folder: str) -> None:
    """Points the constants with the paths of assets at the SavedModel's own files."""
    assets = collections.listed_assets(meta_graph)
    meta_graph.ClearField("asset_file_def")
    meta_graph.collection_def.pop(collections.ASSETS, None)
    nodes = {node.name: node for node in meta_graph.graph_def.node}
    for tensor, name in assets.items():
        path = layout.asset_path(folder, name)
        if not files.exists(path) or node_of(tensor) not in nodes:
            raise BrokenModuleError(
                f"The SavedModel {folder} lacks its asset {name!r} ({path}). Save it again."
            )
        _rename_tables(meta_graph, nodes[node_of(tensor)], path)
        set_asset_path(nodes[node_of(tensor)], path)
    listed = [*collections.node_names(meta_graph, collections.ASSET_FILEPATHS), *assets]
    if listed:
        collection = meta_graph.collection_def[collections.ASSET_FILEPATHS]
        collection.node_list.value[:] = dict.fromkeys(listed)


def _rename_tables(meta_graph: Any, node: Any, path: str) -> None:
    """Replaces the path that the SavedModel's author had in the shared names of tables."""
    for old in node.attr["value"].tensor.string_val:
        for table in meta_graph.graph_def.node:
            if old and "shared_name" in table.attr:
                shared = table.attr["shared_name"].s
                table.attr["shared_name"].s = shared.replace(old, path.encode())


def _check_collections(meta_graph: Any, folder: str) -> None:
    used = {
        key
        for key, collection in meta_graph.collection_def.items()
        if (kind := collection.WhichOneof("kind")) and getattr(collection, kind).value
    }
    unsupported = used - collections.CARRIED
    if unsupported:
        raise UnsupportedCollectionError(
            f"The SavedModel {folder} has the collections {quoted(unsupported)}, which a module "
            f"cannot carry. Pass drop_collections=[{quoted(unsupported)}]."
        )


def _check_tags(folder: str, variants: list[Variant]) -> None:
    tags = [variant.tags for variant in variants]
    for each in tags:
        if tags.count(each) > 1:
            raise DuplicateTagsError(
                f"The SavedModel {folder} has two graphs with the tags {tags_text(each)}. Save it "
                "with different tags."
            )


def _checkpoint_path(folder: str, variants: list[Variant]) -> str | None:
    have_variables = [bool(variant.variables) for variant in variants]
    if not any(have_variables):
        return None
    prefix = layout.checkpoint_prefix(folder)
    if all(have_variables) and not files.exists(f"{prefix}.index"):
        raise BrokenModuleError(
            f"The SavedModel {folder} lacks the values of its variables ({prefix}.index). Save it "
            "again."
        )
    return prefix
