"""What modules do beyond computing their outputs: operations that reach out of the graph.

TensorFlow has operations that read and write files, reach the network and call Python, and runs them
for a module like any other. Nothing here runs them: it is told by their types and attributes.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import logging
from collections.abc import Iterable, Sequence

from hub_estimator import texts
from hub_estimator.errors import SideEffectsError
from hub_estimator.format.operation_rules import RULES, UNKNOWN, is_known
from hub_estimator.format.programs import GRAPH, Place, Program
from hub_estimator.format.settings import REFUSE_SIDE_EFFECTS, Settings
from hub_estimator.format.variant import tags_text

_logger = logging.getLogger("hub_estimator")
_MOST_NAMED = 3


@dataclasses.dataclass(frozen=True)
class SideEffect:
    """An operation of a module that does more than compute.

    Attributes:
      tags: the tags of the graph variant.
      kind: what it does, one of the texts of `hub_estimator.format.operation_rules`.
      op_type: its type.
      name: its name; for one in a function, that of the function and its own.
    """

    tags: frozenset[str]
    kind: str
    op_type: str
    name: str


def side_effects(program: Program, tags: Iterable[str]) -> list[SideEffect]:
    """Returns what a graph does beyond computing, sorted; nothing of it is run.

    Tables that are filled from the module's own assets, and what else reads these, are not in it.

    Args:
      program: what of the graph runs.
      tags: the tags of the graph variant.
    """
    types = program.op_types - set(program.library.functions)
    if all(op_type not in RULES and is_known(op_type) for op_type in types):
        return []
    found = {
        SideEffect(frozenset(tags), kind, place.node.op, _name(place))
        for place in program.places()
        if (kind := _kind(program, place)) is not None
    }
    return sorted(found, key=lambda each: (each.kind, each.op_type, each.name))


def report(found: Sequence[SideEffect], source: str, refuse: bool | None) -> None:
    """Says in one warning what a module does beyond computing, once in a process.

    Args:
      found: what it does.
      source: what messages call the module.
      refuse: whether such modules are refused; None is as the settings say.

    Raises:
      SideEffectsError: it does something, and such modules are refused.
    """
    if not found:
        return
    if refuse is None:
        refuse = Settings.from_environment().refuse_side_effects
    tags_of: dict[str, list[str]] = {}
    for tags in sorted({each.tags for each in found}, key=sorted):
        summary = _summary([each for each in found if each.tags == tags])
        tags_of.setdefault(summary, []).append(tags_text(tags))
    what = "; ".join(f"with the tags {', '.join(tags)} it {does}" for does, tags in tags_of.items())
    if refuse:
        raise SideEffectsError(
            f"{source} does more than compute its outputs: {what}. Such modules are refused here, by "
            f"refuse_side_effects or {REFUSE_SIDE_EFFECTS}. If you trust its publisher, load it "
            "without."
        )
    _warn(
        f"{source} does more than compute its outputs: {what}. Use it only if you trust its "
        f"publisher; {REFUSE_SIDE_EFFECTS}=1 refuses such modules."
    )


@functools.cache
def _warn(message: str) -> None:
    # Training reads a module for each of its graphs.
    _logger.warning("%s", message)


def _summary(found: Iterable[SideEffect]) -> str:
    kinds = []
    in_order = sorted(found, key=lambda each: each.kind)
    for kind, group in itertools.groupby(in_order, key=lambda each: each.kind):
        each = [f"{effect.op_type} {texts.shown(effect.name)}" for effect in group]
        more = f" and {len(each) - _MOST_NAMED} more" if len(each) > _MOST_NAMED else ""
        kinds.append(f"{kind} ({', '.join(each[:_MOST_NAMED])}{more})")
    return ", ".join(kinds)


def _kind(program: Program, place: Place) -> str | None:
    op_type = place.node.op
    if op_type in program.library.functions:
        return None
    rule = RULES.get(op_type)
    if rule is None:
        return None if is_known(op_type) else UNKNOWN
    if rule.applies is not None and not rule.applies(place.node):
        return None
    return None if rule.paths and _reads_own_files(program, place, rule.paths) else rule.kind


def _reads_own_files(program: Program, place: Place, paths: Iterable[int]) -> bool:
    edges = place.node.input
    return all(
        index < len(edges) and None not in program.own_files(place, edges[index]) for index in paths
    )


def _name(place: Place) -> str:
    return place.node.name if place.function == GRAPH else f"{place.function}/{place.node.name}"
