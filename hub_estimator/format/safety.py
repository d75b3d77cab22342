"""What must hold of a stored graph before TensorFlow is given it, which trusts what it reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from hub_estimator import compat, texts
from hub_estimator.errors import BrokenModuleError, ModuleTooLargeError
from hub_estimator.format.constants import constant_bytes, mistyped_constants
from hub_estimator.format.library import Expansion, check_calls
from hub_estimator.format.programs import Program
from hub_estimator.format.settings import MAX_CONSTANT_BYTES, MAX_OPERATIONS, Settings
from hub_estimator.format.variant import inside_sentence, tags_text
from hub_estimator.format.vocabularies import check_vocabularies


def check_program(
    program: Program, tags: Iterable[str], asset_paths: Mapping[str, str], source: str
) -> None:
    """Checks that a graph neither breaks TensorFlow nor takes all memory when it is built.

    Args:
      program: the graph and what of it runs.
      tags: the tags of the graph variant.
      asset_paths: the paths of the module's assets by their names.
      source: what messages call the module.

    Raises:
      BrokenModuleError: functions call themselves or do not fit their calls, names are there twice,
        or a vocabulary lacks lines.
      ModuleTooLargeError: constants or operations are more than the settings allow.
    """
    what = f"The graph with the tags {tags_text(frozenset(tags))} of {inside_sentence(source)}"
    _check_names(program, what)
    _check_size(program, what)
    check_calls(program.library, program.bodies, what)
    _check_constants(program, what)
    check_vocabularies(program, asset_paths, source)


def _check_names(program: Program, what: str) -> None:
    """Checks that each name is one, and stands for one thing: of two, others may take the other."""
    functions = [function.signature.name for function in program.graph_def.library.function]
    for name in functions:
        if compat.knows_op(name):
            raise BrokenModuleError(
                f"{what} is damaged: it has a function {texts.shown(name)}, which is the name of a type "
                "of operations. Fetch or export the module again."
            )
    bodies = ([node.name for node in nodes] for nodes in program.bodies.values())
    for names in (functions, *bodies):
        for name, count in Counter(names).items():
            if count > 1 or not name:
                raise BrokenModuleError(
                    f"{what} is damaged: it has the name {texts.shown(name)} for {count} of its "
                    "functions or operations. Fetch or export the module again."
                )


def _check_constants(program: Program, what: str) -> None:
    for nodes in program.bodies.values():
        for name in mistyped_constants(nodes):
            raise BrokenModuleError(
                f"{what} is damaged: the value of the constant {texts.shown(name)} is of another type "
                "than it says. Fetch or export the module again."
            )


def _check_size(program: Program, what: str) -> None:
    settings = Settings.from_environment()
    expansion = Expansion(program.library, program.graph_def.node, what)
    operations = expansion.total({name: len(nodes) for name, nodes in program.bodies.items()})
    if operations > settings.max_operations:
        raise ModuleTooLargeError(
            f"{what} has more than {settings.max_operations:,} operations once its functions are "
            f"in place of their calls. Where you trust it and have the memory, set {MAX_OPERATIONS} "
            "to more."
        )
    sizes = {name: constant_bytes(nodes) for name, nodes in program.bodies.items()}
    built = expansion.total({name: built for name, (built, _) in sizes.items()})
    stored = sum(stored for _, stored in sizes.values())
    if built - stored > settings.max_constant_bytes:
        raise ModuleTooLargeError(
            f"{what} has constants that take more than {settings.max_constant_bytes:,} bytes "
            "beyond what stores them. Where you trust it and have the memory, set "
            f"{MAX_CONSTANT_BYTES} to more."
        )
