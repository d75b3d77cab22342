"""What a module is, and what differs between two, as text for people."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from hub_estimator import texts
from hub_estimator.format.description.differences import THERE, Change, ModuleDifference
from hub_estimator.format.description.module_description import (
    CommonSignature,
    ModuleDescription,
    SignatureDescription,
    Totals,
    VariantDescription,
)
from hub_estimator.format.description.value_changes import ValueChange
from hub_estimator.resolver.download import readable

_WIDTH = 100  # characters
_MOST_OF_NAME = 30
_MOST_OF_TYPE = 40
_MOST_OF_CHANGE = 400
_MOST_ROWS = 20
_NOTHING = "-"


def description_text(description: ModuleDescription) -> str:
    """Returns what a module is as text, at most 100 characters wide but for handles and paths."""
    parts = [_head(description), _variables(description)]
    shown: list[VariantDescription] = []
    for variant in description.variants:
        parts.append(_variant(variant, _same_as(variant, shown)))
        shown.append(variant)
    if description.assets:
        rows = [["name", "size"]]
        rows += [[_name(asset.name), readable(asset.bytes)] for asset in description.assets]
        parts.append(f"Assets:\n{_table(rows)}")
    if description.common_signatures:
        parts.append(_common(description.common_signatures))
    return "\n".join(parts)


def difference_text(difference: ModuleDifference) -> str:
    """Returns what differs between two modules as text."""
    first, second = difference.first, difference.second
    parts = [f"first:  {_title(first)}\nsecond: {_title(second)}\n"]
    if first.digest == second.digest:
        parts.append("Their contents are the same.\n")
    elif difference.is_none:
        parts.append("Nothing that is compared differs; their contents are stored otherwise.\n")
    parts += [
        _changes("In general", difference.general),
        _changes("Graphs", difference.graphs),
        _changes("Signatures", difference.signatures),
        _changes("Variables", difference.variables),
        _values(difference),
        _changes("Assets", difference.assets),
    ]
    return "\n".join(part for part in parts if part)


def _head(description: ModuleDescription) -> str:
    releases = {variant.tensorflow_version for variant in description.variants} - {None}
    sizes = {
        "graphs": description.graph_bytes,
        "values": description.value_bytes,
        "assets": sum(asset.bytes for asset in description.assets),
    }
    rows = [["digest", description.digest]]
    if description.path != description.handle:
        rows.insert(0, ["path", texts.shown_name(description.path, most=1000)])
    if releases:
        rows.append(
            ["written by", f"TensorFlow {', '.join(map(_name, sorted(map(str, releases))))}"]
        )
    rows.append(["size", ", ".join(f"{readable(size)} of {what}" for what, size in sizes.items() if size)])  # fmt: skip
    return f"{_title(description)}\n{texts.aligned(rows, most=1000)}"


def _title(description: ModuleDescription) -> str:
    return f"{description.kind.value} {texts.shown_name(description.handle, most=1000)}"


def _variables(description: ModuleDescription) -> str:
    total, scopes = description.totals, description.scopes
    if not total.variables:
        return "No variables.\n"
    others = len(description.other_values)
    beside = f", and {_count(others, 'other value')}" if others else ""
    head = f"{_count(total.variables, 'variable')} of {_count(total.parameters, 'parameter')}{beside}:\n"  # fmt: skip
    rows = [["scope", "variables", "parameters", "bytes", "trainable", "parameters"]]
    rows += [_totals_row("all", total)] if len(scopes) > 1 else []
    rows += [_totals_row(_name(scope.name) if scope.name else "(none)", scope) for scope in scopes]
    return head + _table(rows)


def _totals_row(name: str, totals: Totals) -> list[str]:
    numbers = [totals.variables, totals.parameters, None, totals.trainable_variables, totals.trainable_parameters]  # fmt: skip
    cells = [_NOTHING if number is None else f"{number:,}" for number in numbers]
    cells[2] = readable(totals.bytes)
    return [name, *cells]


def _variant(variant: VariantDescription, same: VariantDescription | None) -> str:
    lines: list[str] = []
    if same is None:
        lines += _signatures("signature", variant.signatures)
        lines += _signatures("function", variant.functions)
    else:
        lines += _wrapped(f"its signatures are those of the graph {_tags(same)}")
    lines += _facts(variant)
    head = f"Graph {_tags(variant)}, {_count(variant.operations, 'operation')}:"
    return f"{head}\n{_indented(lines)}"


def _tags(variant: VariantDescription) -> str:
    return f"with the tags {_names(variant.tags)}" if variant.tags else "without tags"


def _same_as(
    variant: VariantDescription, shown: Iterable[VariantDescription]
) -> VariantDescription | None:
    """Returns one of the graphs that are shown already which has the same signatures."""
    return next(
        (
            other
            for other in shown
            if (variant.signatures, variant.functions) == (other.signatures, other.functions)
        ),
        None,
    )


def _signatures(what: str, found: Sequence[SignatureDescription]) -> Iterator[str]:
    for signature in found[:_MOST_ROWS]:
        settings = f" (also {_names(signature.settings)})" if signature.settings else ""
        yield from _wrapped(f"{what} {_name(signature.name)}{settings}")
        ways = {"input": signature.inputs, "output": signature.outputs}
        rows = [
            [way, _name(tensor.name), texts.one_line(tensor.type_text(), _MOST_OF_TYPE)]
            for way, tensors in ways.items()
            for tensor in tensors[:_MOST_ROWS]
        ]
        if rows:
            yield from texts.aligned(rows).splitlines()
        for way, tensors in ways.items():
            yield from _left(tensors, f"{way}s")
    yield from _left(found, f"{what}s")


def _facts(variant: VariantDescription) -> Iterator[str]:
    if variant.regularization_losses:
        yield _count(variant.regularization_losses, "regularization loss", "es")
    if variant.update_operations:
        yield _count(variant.update_operations, "update operation")
    for table in variant.tables[:_MOST_ROWS]:
        entries = "" if table.entries is None else f", {_count(table.entries, 'entr', 'ies', 'y')}"
        asset = "" if table.asset is None else f" from {_name(table.asset)}"
        types = f"{table.key_dtype} to {table.value_dtype}"
        yield from _wrapped(f"table {_name(table.name)}: {types}{entries}{asset}")
    yield from _left(variant.tables, "tables")
    if variant.messages:
        sizes = [f"{_name(message.key)} ({message.bytes} B)" for message in variant.messages]
        yield from _wrapped(f"attached: {_some(sizes)}")
    if variant.image_size is not None:
        yield f"images of {variant.image_size[0]} x {variant.image_size[1]} pixels"
    if variant.without_values:
        yield from _wrapped(f"without values: {_names(variant.without_values)}")
    if variant.library_operations:
        yield from _wrapped(f"operations of libraries: {_names(variant.library_operations)}")
    kinds = Counter(effect.kind for effect in variant.side_effects)
    for kind in kinds:
        names = [
            f"{_name(effect.op_type)} {_name(effect.name)}"
            for effect in variant.side_effects
            if effect.kind == kind
        ]
        yield from _wrapped(f"it {kind}: {_some(names)}")


def _common(found: Iterable[CommonSignature]) -> str:
    width = max(len(one.name) for one in found)
    lines = ["Common signatures of TF Hub:"]
    for one in found:
        answer = "yes" if one.is_fulfilled else f"no: {'; '.join(one.missing)}"
        lines += textwrap.wrap(
            texts.one_line(answer),
            _WIDTH,
            initial_indent=f"  {one.name:{width}}  ",
            subsequent_indent=" " * (width + 8),
        )
    return "\n".join(lines) + "\n"


def _changes(title: str, changes: Sequence[Change]) -> str:
    lines = []
    for change in changes[:_MOST_ROWS]:
        values = [text for text in (change.before, change.after) if text not in (None, THERE)]
        mark = "+" if change.before is None else "-" if change.after is None else "~"
        path = " ".join(texts.shown_name(name, _MOST_OF_CHANGE) for name in change.path)
        path += f" (tags {_names(change.tags)})" if change.tags else ""
        said = f": {' -> '.join(values)}" if values else ""
        lines += _wrapped(texts.one_line(f"{mark} {path}{said}", _MOST_OF_CHANGE))
    lines += _left(changes)
    return f"{title}:\n{_indented(lines)}" if changes else ""


def _values(difference: ModuleDifference) -> str:
    changed, equal = difference.values, difference.equal_values
    if not changed and not equal and not difference.not_compared:
        return ""
    head = f"Values: {len(changed):,} changed, {equal:,} the same"
    if difference.not_compared:
        head += f", not compared {_names(difference.not_compared)}"
    rows = [["value", "elements", "changed", "largest", "RMS", "RMS before", "not finite"]]
    rows += [_change_row(change) for change in sorted(changed, key=_relative, reverse=True)]
    if not any(change.not_finite for change in changed):
        rows = [row[:-1] for row in rows]
    return f"{head}:\n{_table(rows)}" if changed else f"{head}\n"


def _relative(change: ValueChange) -> float:
    """How large a change is beside what was there, to show the largest first."""
    if change.root_mean_square is None:
        return float("inf")
    return change.root_mean_square / (change.root_mean_square_before or 1e-30)


def _change_row(change: ValueChange) -> list[str]:
    numbers = (change.largest, change.root_mean_square, change.root_mean_square_before)
    return [
        _name(change.name),
        f"{change.elements:,}",
        f"{change.changed:,}",
        *(_NOTHING if number is None else f"{number:.3g}" for number in numbers),
        f"{change.not_finite:,}" if change.not_finite else _NOTHING,
    ]


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Returns rows under the first one, their header, as a table; some of many."""
    return texts.aligned(rows[: _MOST_ROWS + 1]) + _indented(_left(rows[1:]))


def _indented(lines: Iterable[str]) -> str:
    return "".join(f"  {line}\n" for line in lines)


def _left(there: Sequence[object], what: str = "") -> Iterator[str]:
    """Yields a line on what is not shown of many."""
    if len(there) > _MOST_ROWS:
        yield f"and {len(there) - _MOST_ROWS:,} more{what and f' {what}'} (--json has all)"


def _wrapped(line: str) -> list[str]:
    return textwrap.wrap(texts.one_line(line), _WIDTH - 2, subsequent_indent="    ")


def _some(shown: Sequence[str]) -> str:
    more = len(shown) - _MOST_ROWS
    return ", ".join(shown[:_MOST_ROWS]) + (f" and {more:,} more" if more > 0 else "")


def _name(name: str) -> str:
    """Returns a name for a cell: the begin and the end of a long one."""
    return texts.one_line(texts.shown_name(name, _MOST_OF_CHANGE), _MOST_OF_NAME)


def _names(names: Sequence[str]) -> str:
    return _some([_name(name) for name in names])


def _count(number: int, what: str, plural: str = "s", singular: str = "") -> str:
    return f"{number:,} {what}{singular if number == 1 else plural}"
