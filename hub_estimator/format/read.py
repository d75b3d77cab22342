"""Reading a module's folder."""

from __future__ import annotations

from google.protobuf import message as protobuf_message

from hub_estimator import errors, files, layout
from hub_estimator.format import collections, integrity
from hub_estimator.format.assets import existing_assets
from hub_estimator.format.folder import check_files
from hub_estimator.format.origin import Origin, find
from hub_estimator.format.protos import FORMAT_V3, ModuleDef
from hub_estimator.format.side_effects import report
from hub_estimator.format.spec import ModuleSpec
from hub_estimator.format.stored_graphs import (
    MODULE,
    is_tf2,
    make_spec,
    read_bytes,
    read_saved_model,
)
from hub_estimator.format.variant import Variant, some_of

_MOST_BYTES_OF_MODULE_DEF = 1 << 20  # far more than its few words ever take


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
      errors.UnsupportedModuleError: the module is of a later format, or needs an unknown feature.
      errors.UnsafeAssetError: an asset's name leads out of the module's folder.
      errors.ModuleTooLargeError: it would take more memory than the settings allow.
      errors.SideEffectsError: it does more than compute, and such modules are refused.
    """
    return spec_at(find(path), refuse_side_effects)


def spec_at(origin: Origin, refuse_side_effects: bool | None = None) -> ModuleSpec:
    """Returns the spec of the module at a place; see `load_module_spec`."""
    spec = read_module(origin.folder, origin)
    report(spec.side_effects(), spec.source, refuse_side_effects)
    return spec


def read_module(folder: str, origin: Origin | None = None) -> ModuleSpec:
    """Returns the spec of the module in a folder; errors are those of `load_module_spec`.

    Args:
      folder: the folder.
      origin: by which handle it was found; None is by its path.
    """
    if layout.kind_of(folder) is not layout.FolderKind.HUB_MODULE:
        raise errors.NotAModuleError(_what_it_is(folder))
    check_files(folder)
    _check_module_def(files.join(folder, layout.MODULE_DEF))
    source = MODULE.source(folder)
    with integrity.reports_damage(source):
        variants = [
            Variant(frozenset(meta_graph.meta_info_def.tags), meta_graph)
            for meta_graph in read_saved_model(folder).meta_graphs
        ]
        names = {
            name
            for variant in variants
            for name in collections.asset_files(variant.meta_graph).values()
        }
        paths = existing_assets(folder, names, source)
        return make_spec(folder, variants, paths, MODULE, origin or Origin(folder, folder))


def _check_module_def(path: str) -> None:
    try:
        module_def = ModuleDef.FromString(read_bytes(path, _MOST_BYTES_OF_MODULE_DEF))
    except protobuf_message.DecodeError as error:
        raise errors.BrokenModuleError(
            f"{path} is not a ModuleDef, or it is damaged ({error}). Fetch the module again."
        ) from error
    if module_def.format != FORMAT_V3:
        raise errors.UnsupportedModuleError(
            f"{path} says that the module is of format {module_def.format}; this release reads "
            f"format {FORMAT_V3}. Where the number is a later one, update hub_estimator."
        )
    if module_def.required_features:
        features = ", ".join(map(repr, module_def.required_features))
        raise errors.UnsupportedModuleError(
            f"{path} says that the module requires {features}, which this release does not know. "
            "Update hub_estimator, or ask the module's publisher for a plain module."
        )


def _what_it_is(folder: str) -> str:
    start = f"{folder} is not a TF1 Hub module: it has no {layout.MODULE_DEF}. "
    if not files.is_folder(folder):
        return f"{folder} is not a TF1 Hub module: it is a file, and a module is a folder."
    names = files.listing(folder)
    if not names:
        return f"{start}The folder is empty."
    if layout.kind_of(folder) is layout.FolderKind.SAVED_MODEL:
        return start + _which_saved_model(folder)
    modules = layout.modules_below(folder)
    if modules:
        return f"{start}There are modules in it: {some_of(modules)}. Give one of these."
    if "checkpoint" in names or any(name.endswith(".index") for name in names):
        return (
            f"{start}It holds a checkpoint. To make a module of it, define the module with "
            "create_module_spec and call spec.export(path, checkpoint_path=...)."
        )
    return f"{start}It holds: {some_of(names)}. Give the folder that has the {layout.MODULE_DEF}."


def _which_saved_model(folder: str) -> str:
    meta_graph = read_saved_model(folder).meta_graphs[0]
    if is_tf2(meta_graph):
        return "It is a TF2 SavedModel: use hub.load, which reads both formats."
    return (
        "It is a TF1 SavedModel: use hub.create_module_spec_from_saved_model, "
        "and pass its result to hub.Module."
    )
