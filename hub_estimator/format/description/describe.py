"""`describe`: from a handle to what a module is, by reading its files alone."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from hub_estimator import digests, errors, files, layout, resolver
from hub_estimator.format import collections, integrity
from hub_estimator.format.assets import existing_assets
from hub_estimator.format.checkpoint import contents, open_checkpoint
from hub_estimator.format.checkpoint_damage import naming_damage
from hub_estimator.format.checkpoint_paths import as_prefix, what_is_there
from hub_estimator.format.description import common_signatures, values
from hub_estimator.format.description.module_description import (
    AssetDescription,
    ModuleDescription,
    ModuleKind,
    VariantDescription,
)
from hub_estimator.format.description.object_graph import ObjectGraph
from hub_estimator.format.description.variants import describe_variant
from hub_estimator.format.folder import check_files
from hub_estimator.format.loadable import check_programs
from hub_estimator.format.origin import Origin, find
from hub_estimator.format.programs import Program
from hub_estimator.format.read import read_module
from hub_estimator.format.spec import ModuleSpec
from hub_estimator.format.stored_graphs import SAVED_MODEL, is_tf2, make_spec, read_saved_model
from hub_estimator.format.variant import Variant, some_of

_SERVING = ("serve",)


def describe(handle: files.PathLike) -> ModuleDescription:
    """Returns what a module, SavedModel or checkpoint is; nothing of it is run.

    It reads what tells what is there: graphs, assets and the index of the variables' values. Values
    are not read.

    Args:
      handle: a folder, an archive or a URL, as `resolve` takes it; the prefix of a checkpoint, or one
        of its files; or a folder of checkpoints, for the latest one.

    Raises:
      OSError: there is nothing under the handle, or nothing of these kinds (`NotAModuleError`), or its
        files are damaged (`BrokenModuleError`, `DamagedCheckpointError`) or are no files of its own.
      errors.Error: what `load_module_spec` raises for handles, files, assets and sizes.
    """
    parsed = resolver.Handle.parse(handle)
    if not parsed.is_url and not files.is_folder(parsed.text):
        prefix = as_prefix(parsed.text)
        if files.exists(f"{prefix}.index"):
            return _describe_checkpoint(Origin(str(parsed), prefix))
    try:
        origin = find(handle)
    except errors.HandleNotFoundError as error:
        beside = "" if parsed.is_url else what_is_there(parsed.text)
        raise errors.HandleNotFoundError(f"{error}{beside}") from error
    kind = layout.kind_of(origin.folder)
    if kind is layout.FolderKind.HUB_MODULE:
        return _describe_module(origin)
    if kind is layout.FolderKind.SAVED_MODEL:
        return _describe_saved_model(origin)
    prefix = as_prefix(origin.folder)
    if not files.exists(f"{prefix}.index"):
        raise errors.NotAModuleError(_nothing_known(origin.folder))
    return _describe_checkpoint(Origin(origin.handle, prefix))


def _describe_module(origin: Origin) -> ModuleDescription:
    spec = read_module(origin.folder, origin)
    restores = spec.checkpoint_path is not None
    with integrity.reports_damage(spec.source):
        programs = {variant.tags: variant.program(restores) for variant in spec.variants}
        return _of_spec(spec, origin, ModuleKind.HUB_MODULE, programs)


def _describe_saved_model(origin: Origin) -> ModuleDescription:
    folder, source = origin.folder, SAVED_MODEL.source(origin.folder)
    check_files(folder)
    meta_graphs = read_saved_model(folder).meta_graphs
    programs = check_programs(folder, meta_graphs, source)
    with integrity.reports_damage(source):
        if is_tf2(meta_graphs[0]):
            return _of_objects(meta_graphs[0], programs[0], origin)
        variants = [Variant(frozenset(graph.meta_info_def.tags), graph) for graph in meta_graphs]
        paths = _asset_paths(folder, meta_graphs, source)
        spec = make_spec(folder, variants, paths, SAVED_MODEL, origin)
        by_tags = {
            variant.tags: program for variant, program in zip(variants, programs, strict=True)
        }
        return _of_spec(spec, origin, ModuleKind.TF1_SAVED_MODEL, by_tags)


def _of_spec(
    spec: ModuleSpec, origin: Origin, kind: ModuleKind, programs: Mapping[frozenset[str], Program]
) -> ModuleDescription:
    variables = values.of_spec(spec)
    stored = {variable.name for variable in variables if variable.key is not None}
    variants = [
        describe_variant(
            variant.meta_graph,
            programs[variant.tags],
            spec.asset_paths,
            without_values=sorted({entry.key for entry in variant.variables} - stored),
        )
        for variant in spec.variants
    ]
    return _of_folder(
        origin,
        kind,
        variants,
        variables,
        spec.stored,
        spec.asset_paths,
        common_signatures.of_module(_chosen(variants)),
    )


def _of_objects(meta_graph: Any, program: Program, origin: Origin) -> ModuleDescription:
    folder, objects = origin.folder, ObjectGraph(meta_graph)
    prefix = layout.checkpoint_prefix(folder)
    stored, object_graph = {}, b""
    if files.exists(f"{prefix}.index"):
        reader = open_checkpoint(prefix)
        stored = contents(reader)
        if values.OBJECT_GRAPH in stored:
            object_graph = reader.get_tensor(values.OBJECT_GRAPH)
    variables = values.of_objects(objects, stored, object_graph)
    paths = _asset_paths(folder, [meta_graph], SAVED_MODEL.source(folder))
    without = sorted(variable.name for variable in variables if variable.key is None)
    variant = describe_variant(meta_graph, program, paths, objects, without)
    return _of_folder(
        origin,
        ModuleKind.TF2_SAVED_MODEL,
        [variant],
        variables,
        stored,
        paths,
        common_signatures.of_saved_model(variant),
    )


def _of_folder(
    origin: Origin,
    kind: ModuleKind,
    variants: list[VariantDescription],
    variables: values.Variables,
    stored: Mapping[str, tf.TensorSpec],
    asset_paths: Mapping[str, str],
    common: tuple[common_signatures.CommonSignature, ...],
) -> ModuleDescription:
    folder = origin.folder
    prefix = layout.checkpoint_prefix(folder)
    return ModuleDescription(
        handle=origin.handle,
        path=folder,
        kind=kind,
        digest=digests.of_module(folder),
        checkpoint=prefix if stored else None,
        graph_bytes=files.size(str(layout.saved_model_file(folder))),
        value_bytes=_size(prefix) if stored else 0,
        variants=tuple(sorted(variants, key=lambda variant: variant.tags)),
        variables=variables,
        other_values=values.others(variables, stored),
        assets=tuple(
            AssetDescription(name, files.size(path), digests.of_file(path))
            for name, path in sorted(asset_paths.items())
        ),
        common_signatures=common,
    )


def _describe_checkpoint(origin: Origin) -> ModuleDescription:
    prefix = origin.folder
    for name in _file_names(prefix):
        files.check_file(files.join(files.parent(prefix), name))
    with naming_damage(prefix):
        stored = contents(open_checkpoint(prefix))
    variables, other_values = values.of_checkpoint(stored)
    return ModuleDescription(
        handle=origin.handle,
        path=prefix,
        kind=ModuleKind.CHECKPOINT,
        digest=digests.of_checkpoint(prefix),
        checkpoint=prefix,
        graph_bytes=0,
        value_bytes=_size(prefix),
        variants=(),
        variables=variables,
        other_values=other_values,
        assets=(),
        common_signatures=(),
    )


def _chosen(variants: list[VariantDescription]) -> VariantDescription:
    """Returns the variant that programs use where they name no tags."""
    in_order = sorted(
        variants, key=lambda variant: (variant.tags not in ((), _SERVING), variant.tags)
    )
    return in_order[0]


def _asset_paths(folder: str, meta_graphs: Any, source: str) -> dict[str, str]:
    names = {name for graph in meta_graphs for name in collections.listed_assets(graph).values()}
    return existing_assets(folder, names, source)


def _size(prefix: str) -> int:
    folder = files.parent(prefix)
    return sum(files.size(files.join(folder, name)) for name in _file_names(prefix))


def _file_names(prefix: str) -> list[str]:
    """Returns the names of the files of a checkpoint, that of its graph left out."""
    start = os.path.basename(prefix)
    names = files.listing(files.parent(prefix) or ".")
    return [name for name in names if name.startswith((f"{start}.index", f"{start}.data-"))]


def _nothing_known(folder: str) -> str:
    there = what_is_there(folder)
    if there:
        return f"{folder} is a folder of checkpoints. Give the prefix of one.{there}"
    holds = some_of(files.listing(folder)) or "nothing"
    return (
        f"{folder} is no module, SavedModel or checkpoint: it has no {layout.SAVED_MODEL} and no "
        f"checkpoint's index. It holds: {holds}. Give the folder that has the {layout.SAVED_MODEL}, or "
        "the prefix of a checkpoint."
    )
