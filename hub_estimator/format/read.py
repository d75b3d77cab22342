"""Reading a module's folder."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from google.protobuf import message as protobuf_message
from google.protobuf import text_format
from tensorflow.core.protobuf import saved_model_pb2

from hub_estimator import files
from hub_estimator.errors import (
    BrokenModuleError,
    DuplicateTagsError,
    NotAModuleError,
    UnsupportedModuleError,
)
from hub_estimator.format import collections, integrity, layout
from hub_estimator.format.folder import check_files
from hub_estimator.format.origin import Origin, find
from hub_estimator.format.protos import FORMAT_V3, ModuleDef
from hub_estimator.format.safety import check_program
from hub_estimator.format.side_effects import report
from hub_estimator.format.spec import ModuleSpec
from hub_estimator.format.variant import Variant, tags_text

# What a protobuf message can have, and far more than the few words of a `ModuleDef` ever take.
_MOST_BYTES = (1 << 31) - 1
_MOST_BYTES_OF_MODULE_DEF = 1 << 20
_NOT_PARSED = (
    protobuf_message.DecodeError,
    protobuf_message.EncodeError,
    text_format.ParseError,
    RecursionError,
)


def load_module_spec(path: files.PathLike, refuse_side_effects: bool | None = None) -> ModuleSpec:
    """Returns the spec of the module that a handle names.

    A warning says what the module does beyond computing its outputs, see `ModuleSpec.side_effects`.

    Args:
      path: a handle: a folder on any filesystem that TensorFlow knows, or a URL.
      refuse_side_effects: whether to refuse modules that do more than compute; None is what the
        environment variable `HUB_ESTIMATOR_REFUSE_SIDE_EFFECTS` says.

    Raises:
      OSError: there is nothing under the handle, it is not a module (`NotAModuleError`), its files
        are damaged (`BrokenModuleError`) or are no files of its own (`UnsafeLinkError`,
        `NotAFileError`, `LfsPointerError`).
      UnsupportedModuleError: the module is of a later format, or needs an unknown feature.
      UnsafeAssetError: an asset's name leads out of the module's folder.
      ModuleTooLargeError: it would take more memory than the settings allow.
      SideEffectsError: it does more than compute, and such modules are refused.
    """
    origin = find(path)
    spec = read_module(origin.folder, origin)
    report(spec.side_effects(), spec.source, refuse_side_effects)
    return spec


def read_module(folder: str, origin: Origin | None = None) -> ModuleSpec:
    """Returns the spec of the module in a folder; errors are those of `load_module_spec`.

    Args:
      folder: the folder.
      origin: by which handle it was found; None is by its path.
    """
    if not files.exists(files.join(folder, layout.MODULE_DEF)):
        raise NotAModuleError(_what_it_is(folder))
    check_files(folder)
    _check_module_def(files.join(folder, layout.MODULE_DEF))
    source = f"The module {folder}"
    with integrity.reports_damage(source):
        meta_graphs = read_saved_model(folder).meta_graphs
        spec = ModuleSpec(
            _variants(folder, meta_graphs),
            asset_paths=_asset_paths(folder, meta_graphs),
            checkpoint_path=_checkpoint_path(folder, meta_graphs),
            source=source,
            origin=origin or Origin(folder, folder),
        )
        for variant in spec.variants:
            integrity.check_variant(variant, source)
            program = variant.program(spec.checkpoint_path is not None)
            check_program(program, variant.tags, spec.asset_paths, source)
        integrity.check_checkpoint(spec)
    return spec


def read_saved_model(folder: str) -> Any:
    """Returns the `SavedModel` proto in a folder.

    Raises:
      BrokenModuleError: there is none, or it cannot be parsed.
    """
    path = files.join(folder, layout.SAVED_MODEL)
    is_text = not files.exists(path)
    if is_text:
        path = files.join(folder, layout.SAVED_MODEL_TEXT)
    if not files.exists(path):
        raise BrokenModuleError(f"{folder} has no {layout.SAVED_MODEL}. Fetch the module again.")
    content = _read(path, _MOST_BYTES)
    try:
        saved_model = (
            _parse_text(content) if is_text else saved_model_pb2.SavedModel.FromString(content)
        )
    except (*_NOT_PARSED, UnicodeDecodeError) as e:
        # What Python says of its limit depends on where that was met.
        why = "it is nested too deeply" if isinstance(e, RecursionError) else e
        raise BrokenModuleError(
            f"{path} is not a SavedModel, or it is damaged ({why}). Fetch the module again."
        ) from e
    if not saved_model.meta_graphs:
        raise BrokenModuleError(f"{path} holds no graph. Fetch or export the module again.")
    return saved_model


def _parse_text(content: bytes) -> Any:
    saved_model = text_format.Parse(content.decode("utf-8"), saved_model_pb2.SavedModel())
    # Text may be nested deeper than bytes, and than what reads them without end.
    return saved_model_pb2.SavedModel.FromString(saved_model.SerializeToString())


def _read(path: str, most_bytes: int) -> bytes:
    if files.size(path) > most_bytes:
        raise BrokenModuleError(
            f"{path} has {files.size(path):,} bytes, and such files have {most_bytes:,} at most. "
            "Fetch the module again."
        )
    return files.read_bytes(path)


def _check_module_def(path: str) -> None:
    try:
        module_def = ModuleDef.FromString(_read(path, _MOST_BYTES_OF_MODULE_DEF))
    except protobuf_message.DecodeError as e:
        raise BrokenModuleError(
            f"{path} is not a ModuleDef, or it is damaged ({e}). Fetch the module again."
        ) from e
    if module_def.format != FORMAT_V3:
        raise UnsupportedModuleError(
            f"{path} says that the module is of format {module_def.format}; this release reads "
            f"format {FORMAT_V3}. Where the number is a later one, update hub_estimator."
        )
    if module_def.required_features:
        features = ", ".join(map(repr, module_def.required_features))
        raise UnsupportedModuleError(
            f"{path} says that the module requires {features}, which this release does not know. "
            "Update hub_estimator, or ask the module's publisher for a plain module."
        )


def _variants(folder: str, meta_graphs: Any) -> list[Variant]:
    variants: dict[frozenset[str], Variant] = {}
    for meta_graph in meta_graphs:
        tags = frozenset(meta_graph.meta_info_def.tags)
        if tags in variants:
            raise DuplicateTagsError(
                f"The module {folder} has two graph variants with the tags {tags_text(tags)}. "
                "Ask its publisher for one with different tags."
            )
        variants[tags] = Variant(tags, meta_graph)
    return list(variants.values())


def _asset_paths(folder: str, meta_graphs: Any) -> dict[str, str]:
    names = {name for graph in meta_graphs for name in collections.asset_files(graph).values()}
    return existing_assets(folder, names, f"The module {folder}")


def existing_assets(folder: str, names: Iterable[str], source: str) -> dict[str, str]:
    """Returns the paths of a module's assets by their names.

    Raises:
      UnsafeAssetError: a name leads out of the module's folder.
      BrokenModuleError: a file is not there.
    """
    paths = {name: layout.asset_path(folder, name) for name in names}
    for name, path in sorted(paths.items()):
        if not files.exists(path):
            raise BrokenModuleError(
                f"{source} lacks its asset {name!r} ({path}). Fetch the module again."
            )
    return paths


def _checkpoint_path(folder: str, meta_graphs: Any) -> str | None:
    have_variables = [collections.has(graph, collections.VARIABLES) for graph in meta_graphs]
    if not any(have_variables):
        return None
    prefix = layout.checkpoint_prefix(folder)
    # Exported from a graph without variables, a module has no values for the other ones.
    if all(have_variables) and not files.exists(f"{prefix}.index"):
        raise BrokenModuleError(
            f"The module {folder} lacks the values of its variables ({prefix}.index). Fetch the "
            "module again."
        )
    return prefix


def _what_it_is(folder: str) -> str:
    start = f"{folder} is not a TF1 Hub module: it has no {layout.MODULE_DEF}. "
    if not files.is_folder(folder):
        return f"{folder} is not a TF1 Hub module: it is a file, and a module is a folder."
    names = files.listing(folder)
    if not names:
        return f"{start}The folder is empty."
    if layout.SAVED_MODEL in names or layout.SAVED_MODEL_TEXT in names:
        return start + _which_saved_model(folder)
    if "checkpoint" in names or any(name.endswith(".index") for name in names):
        return (
            f"{start}It holds a checkpoint. To make a module of it, define the module with "
            "create_module_spec and call spec.export(path, checkpoint_path=...)."
        )
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return f"{start}It holds: {shown}. Give the folder that has the {layout.MODULE_DEF}."


def _which_saved_model(folder: str) -> str:
    meta_graph = read_saved_model(folder).meta_graphs[0]
    if meta_graph.HasField("object_graph_def"):
        return "It is a TF2 SavedModel: use hub.load, which reads both formats."
    return (
        "It is a TF1 SavedModel: use hub.create_module_spec_from_saved_model, "
        "and pass its result to hub.Module."
    )
