"""What must hold of a module or SavedModel before TensorFlow's own loader is given it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hub_estimator import layout
from hub_estimator.format import collections, integrity
from hub_estimator.format.assets import existing_assets
from hub_estimator.format.operations import check_known
from hub_estimator.format.programs import Program, of_saved_model
from hub_estimator.format.safety import check_program
from hub_estimator.format.side_effects import SideEffect, side_effects


def check_loadable(folder: str, meta_graphs: Iterable[Any], source: str) -> None:
    """Checks what TensorFlow's own loader of SavedModels trusts.

    Args:
      folder: the folder, whose files are those of a module or SavedModel.
      meta_graphs: its `MetaGraphDef`s.
      source: what messages call it.

    Raises:
      errors.BrokenModuleError: it contradicts itself.
      errors.UnsafeAssetError: an asset's name leads out of the folder.
      errors.ModuleTooLargeError: it would take more memory than the settings allow.
      tf_errors.UnknownOperationError: it uses operations that TensorFlow does not know.
    """
    for program in check_programs(folder, meta_graphs, source):
        check_known(program.op_types - set(program.library.functions))


def check_programs(folder: str, meta_graphs: Iterable[Any], source: str) -> list[Program]:
    """Checks a SavedModel as `check_loadable` does, but for operations that TensorFlow does not know.

    Args and the other errors are those of `check_loadable`.

    Returns:
      What of each graph runs.
    """
    programs = []
    with integrity.reports_damage(source):
        for meta_graph in meta_graphs:
            program = of_saved_model(meta_graph)
            names = set(collections.listed_assets(meta_graph).values())
            paths = existing_assets(folder, names, source)
            check_program(program, meta_graph.meta_info_def.tags, paths, source)
            programs.append(program)
    integrity.check_values(layout.checkpoint_prefix(folder), source)
    return programs


def loading_side_effects(meta_graphs: Iterable[Any]) -> list[SideEffect]:
    """Returns what graphs do beyond computing where TensorFlow's own loader loads them.

    Those are the operations that `ModuleSpec.side_effects` names, and those that read the paths of
    assets as they are stored, since that loader gives them only to what fills tables.

    Args:
      meta_graphs: the `MetaGraphDef`s of a SavedModel or a module.
    """
    return [
        effect
        for meta_graph in meta_graphs
        for effect in side_effects(of_saved_model(meta_graph), meta_graph.meta_info_def.tags)
    ]
