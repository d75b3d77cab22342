"""What differs between two modules: signatures, variables and their values, assets and the rest."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from hub_estimator import digests, files
from hub_estimator.format.description.describe import describe
from hub_estimator.format.description.module_description import (
    ModuleDescription,
    TableDescription,
    VariableDescription,
    VariantDescription,
    shape_text,
)
from hub_estimator.format.description.value_changes import (
    Pair,
    ValueChange,
    is_comparable,
    value_changes,
)

Path = tuple[str, ...]

THERE = "there"
"""Stands for what is there, where there is no more to say of it."""


@dataclasses.dataclass(frozen=True)
class Change:
    """Something that is otherwise in the second module.

    Attributes:
      path: what it is of, and its name: `("signature", "default", "input", "x")`.
      before: what it is in the first module, or `THERE`; None where it is not there.
      after: what it is in the second one; None likewise.
      tags: the tags of the variant that it is of; none where each module has one variant alone.
    """

    path: Path
    before: str | None
    after: str | None
    tags: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class ModuleDifference:
    """What differs between two modules.

    Attributes:
      first: the first.
      second: the second.
      general: the kind, and which variants there are.
      graphs: what differs in variants that both have, but for their signatures: the release that
        wrote it, the number of operations, tables, attached messages, side effects.
      signatures: signatures and functions, and their inputs, outputs and settings.
      variables: variables, and other values, that one does not have, or that are of other types,
        shapes, or trainable in one alone.
      values: by how much values changed that both have.
      equal_values: how many values that both have are the same.
      not_compared: the names of those that cannot be compared, since they hold objects.
      assets: assets.
    """

    first: ModuleDescription
    second: ModuleDescription
    general: tuple[Change, ...]
    graphs: tuple[Change, ...]
    signatures: tuple[Change, ...]
    variables: tuple[Change, ...]
    values: tuple[ValueChange, ...]
    equal_values: int
    not_compared: tuple[str, ...]
    assets: tuple[Change, ...]

    @property
    def is_none(self) -> bool:
        """Whether nothing differs."""
        changes = (self.general, self.graphs, self.signatures, self.variables, self.assets)
        return not any((*changes, self.values))


def compare_modules(first: files.PathLike, second: files.PathLike) -> ModuleDifference:
    """Returns what differs between two modules, SavedModels or checkpoints; none of them is run.

    Values are read one pair at a time, and not at all where the checksums of all are the same.

    Args:
      first: a handle, as `describe` takes it.
      second: the other one.

    Raises:
      errors.Error: what `describe` raises.
    """
    return difference(describe(first), describe(second))


def difference(first: ModuleDescription, second: ModuleDescription) -> ModuleDifference:
    """Returns what differs between two modules that are described, and are still there."""
    matched = _matched(first.variants, second.variants)
    pairs = _pairs(_values(first), _values(second))
    shared = [
        (old, new)
        for old, new in pairs
        if old and new and old.key and new.key and (old.dtype, old.shape) == (new.dtype, new.shape)
    ]
    comparable = [
        Pair(old.name, str(old.key), str(new.key), old.bytes or 0)
        for old, new in shared
        if is_comparable(old.dtype)
    ]
    changed = _value_changes(first, second, comparable)
    return ModuleDifference(
        first=first,
        second=second,
        general=_changes(_general(first), _general(second)),
        graphs=_of_variants(matched, _graph_texts),
        signatures=_of_variants(matched, _signature_texts),
        variables=tuple(_variable_changes(pairs)),
        values=changed,
        equal_values=len(comparable) - len(changed),
        not_compared=tuple(old.name for old, _ in shared if not is_comparable(old.dtype)),
        assets=_changes(_asset_texts(first), _asset_texts(second)),
    )


def _changes(before: Mapping[Path, str], after: Mapping[Path, str]) -> tuple[Change, ...]:
    """Returns what differs between two sets of texts by path, in their order."""
    return tuple(
        Change(path, before.get(path), after.get(path))
        for path in dict.fromkeys([*before, *after])
        if before.get(path) != after.get(path)
    )


# What changes of a variant are told by, and the variant in each module.
_Matched = tuple[tuple[str, ...], VariantDescription, VariantDescription]


def _matched(
    first: Iterable[VariantDescription], second: Iterable[VariantDescription]
) -> list[_Matched]:
    """Returns the variants that both modules have: those of the same tags.

    Where each module has but one, it is these, whatever their tags.
    """
    old, new = ({variant.tags: variant for variant in variants} for variants in (first, second))
    if len(old) == len(new) == 1:
        return [
            ((), variant, other) for variant, other in zip(old.values(), new.values(), strict=True)
        ]
    return [(tags, old[tags], new[tags]) for tags in old if tags in new]


def _of_variants(
    matched: Iterable[_Matched], texts_of: Callable[[VariantDescription], dict[Path, str]]
) -> tuple[Change, ...]:
    return tuple(
        dataclasses.replace(change, tags=tags)
        for tags, old, new in matched
        for change in _changes(*_without_parts_of_missing(texts_of(old), texts_of(new)))
    )


def _without_parts_of_missing(
    before: dict[Path, str], after: dict[Path, str]
) -> tuple[dict[Path, str], dict[Path, str]]:
    """Leaves out the parts of what is in one alone: that it is there says it all."""

    def kept(texts: dict[Path, str], others: dict[Path, str]) -> dict[Path, str]:
        return {
            path: text
            for path, text in texts.items()
            if path[:2] == path or path[:2] not in texts or path[:2] in others
        }

    return kept(before, after), kept(after, before)


def tags_name(tags: Iterable[str]) -> str:
    """Returns what paths call tags: `serve, train`; `no tags` for none."""
    return ", ".join(tags) or "no tags"


def _general(description: ModuleDescription) -> dict[Path, str]:
    found: dict[Path, str] = {("kind",): description.kind.value}
    for variant in description.variants:
        found["variant", tags_name(variant.tags)] = THERE
    return found


def _graph_texts(variant: VariantDescription) -> dict[Path, str]:
    size = variant.image_size
    found: dict[Path, str | None] = {
        ("TensorFlow",): variant.tensorflow_version,
        ("operations",): str(variant.operations),
        ("operations of libraries",): ", ".join(variant.library_operations) or None,
        ("regularization losses",): str(variant.regularization_losses),
        ("update operations",): str(variant.update_operations),
        ("image size",): None if size is None else f"{size[0]} x {size[1]}",
    }
    for table in variant.tables:
        found["table", table.name] = _table_text(table)
    for message in variant.messages:
        found["message", message.key] = f"{message.bytes} bytes, SHA-256 {message.sha256}"
    for effect in variant.side_effects:
        found["side effect", effect.op_type, effect.name] = effect.kind
    return {path: text for path, text in found.items() if text is not None}


def _table_text(table: TableDescription) -> str:
    entries = "" if table.entries is None else f", {table.entries} entries"
    asset = "" if table.asset is None else f", filled from {table.asset!r}"
    return f"{table.key_dtype} to {table.value_dtype}{entries}{asset}"


def _signature_texts(variant: VariantDescription) -> dict[Path, str]:
    found: dict[Path, str] = {}
    for what, signatures in (("signature", variant.signatures), ("function", variant.functions)):
        for signature in signatures:
            found[what, signature.name] = THERE
            for way, tensors in (("input", signature.inputs), ("output", signature.outputs)):
                for tensor in tensors:
                    found[what, signature.name, way, tensor.name] = tensor.type_text()
            for setting in signature.settings:
                found[what, signature.name, "setting", setting] = THERE
    return found


def _asset_texts(description: ModuleDescription) -> dict[Path, str]:
    return {
        (asset.name,): f"{asset.bytes} bytes, SHA-256 {asset.sha256}"
        for asset in description.assets
    }


_Pair = tuple[VariableDescription | None, VariableDescription | None]


def _values(description: ModuleDescription) -> list[VariableDescription]:
    return [*description.variables, *description.other_values]


def _pairs(
    first: Sequence[VariableDescription], second: Sequence[VariableDescription]
) -> list[_Pair]:
    """Returns what belongs together, and what one module alone has.

    Keys go first: Keras gives the variables of a model other names each time it is made. A TF1 Hub
    module and the SavedModel made of it have but the names in common.
    """
    left = {id(variable): variable for variable in second}
    partners: dict[int, VariableDescription] = {}
    for label in (lambda one: one.key, lambda one: one.name):
        by_label = {label(variable): variable for variable in left.values()}
        for variable in first:
            partner = by_label.get(label(variable)) if id(variable) not in partners else None
            if partner is not None and label(variable) and left.pop(id(partner), None):
                partners[id(variable)] = partner
    pairs: list[_Pair] = [(variable, partners.get(id(variable))) for variable in first]
    return [*pairs, *((None, variable) for variable in left.values())]


def _variable_changes(pairs: Iterable[_Pair]) -> Iterator[Change]:
    for pair in pairs:
        there = [variable for variable in pair if variable is not None]
        # A checkpoint does not say what training changes.
        says = all(variable.is_trainable is not None for variable in there)
        before, after = (
            None if variable is None else _variable_text(variable, says) for variable in pair
        )
        if before != after:
            yield Change((there[0].name,), before, after)


def _variable_text(variable: VariableDescription, is_trainable: bool) -> str:
    parts = [f"{variable.dtype} {shape_text(variable.shape)}"]
    if is_trainable:
        parts.append("trainable" if variable.is_trainable else "not trainable")
    if variable.key is None:
        parts.append("without a value")
    return ", ".join(parts)


def _value_changes(
    first: ModuleDescription, second: ModuleDescription, pairs: Sequence[Pair]
) -> tuple[ValueChange, ...]:
    if first.checkpoint is None or second.checkpoint is None or not pairs:
        return ()
    if digests.of_checkpoint(first.checkpoint) == digests.of_checkpoint(second.checkpoint):
        return ()
    return value_changes(first.checkpoint, second.checkpoint, pairs)
