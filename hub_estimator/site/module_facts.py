"""What a module is, as its page says it: taken from its description, without a path of this machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hub_estimator import texts

if TYPE_CHECKING:
    from hub_estimator.format.description.module_description import (
        ModuleDescription,
        SignatureDescription,
        TensorDescription,
        Totals,
        VariantDescription,
    )

_INFERENCE = "inference"
_MOST_ROWS = 200
_MOST_VARIANTS = 20
_MOST_NAME = 300


def read(folder: str) -> dict[str, Any]:
    """Returns what the module in a local folder is; it is not run.

    Raises:
      errors.Error: it is none, or damaged; the class and the message say what.
    """
    from hub_estimator.format.description.describe import describe

    return of(describe(folder))


def of(description: ModuleDescription) -> dict[str, Any]:
    """Returns what a description says, in values that JSON has; names are one line each."""
    totals = description.totals
    return {
        "kind": description.kind.value,
        "graph_bytes": description.graph_bytes,
        "value_bytes": description.value_bytes,
        "totals": _totals(totals),
        "scopes": _rows(map(_totals, description.scopes)),
        "variants": [_variant(variant) for variant in description.variants[:_MOST_VARIANTS]],
        "more_variants": max(0, len(description.variants) - _MOST_VARIANTS),
        "assets": _rows(
            {"name": _name(asset.name), "bytes": asset.bytes, "sha256": asset.sha256}
            for asset in description.assets
        ),
        "interfaces": [
            {"name": found.name, "missing": [_name(reason) for reason in found.missing]}
            for found in description.common_signatures
        ],
    }


def fulfilled(about: Mapping[str, Any]) -> list[str]:
    """Returns the tasks whose common interface a module has."""
    return [found["name"] for found in about.get("interfaces", []) if not found["missing"]]


def _totals(totals: Totals) -> dict[str, Any]:
    return {
        "name": _name(totals.name),
        "variables": totals.variables,
        "parameters": totals.parameters,
        "bytes": totals.bytes,
        "trainable_parameters": totals.trainable_parameters,
    }


def _variant(variant: VariantDescription) -> dict[str, Any]:
    return {
        "tags": _name(", ".join(variant.tags)) or _INFERENCE,
        "tensorflow": _name(variant.tensorflow_version or ""),
        "operations": variant.operations,
        "signatures": [_signature(signature) for signature in variant.signatures[:_MOST_ROWS]],
        "functions": [_signature(function) for function in variant.functions[:_MOST_ROWS]],
        "more_signatures": _more(variant.signatures) + _more(variant.functions),
        "regularization_losses": variant.regularization_losses,
        "update_operations": variant.update_operations,
        "image_size": list(variant.image_size) if variant.image_size else None,
        "tables": _rows(
            {
                "name": _name(table.name),
                "types": f"{table.key_dtype} to {table.value_dtype}",
                "asset": _name(table.asset or ""),
                "entries": table.entries,
            }
            for table in variant.tables
        ),
        "messages": _rows(
            {"name": _name(message.key), "bytes": message.bytes} for message in variant.messages
        ),
        "side_effects": _rows(
            {"kind": effect.kind, "type": _name(effect.op_type), "name": _name(effect.name)}
            for effect in variant.side_effects
        ),
        "library_operations": [_name(name) for name in variant.library_operations[:_MOST_ROWS]],
    }


def _signature(signature: SignatureDescription) -> dict[str, Any]:
    return {
        "name": _name(signature.name),
        "inputs": _tensors(signature.inputs),
        "outputs": _tensors(signature.outputs),
        "more_tensors": _more(signature.inputs) + _more(signature.outputs),
        "settings": [_name(name) for name in signature.settings[:_MOST_ROWS]],
    }


def _tensors(tensors: Sequence[TensorDescription]) -> list[dict[str, str]]:
    return [
        {"name": _name(tensor.name), "type": _name(tensor.type_text())}
        for tensor in tensors[:_MOST_ROWS]
    ]


def _more(rows: Sequence[Any]) -> int:
    """Returns how many rows a page does not have of a module that has more than any needs."""
    return max(0, len(rows) - _MOST_ROWS)


def _rows(rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Returns the first of some rows, and how many more there are."""
    there = list(rows)
    return {"rows": there[:_MOST_ROWS], "more": max(0, len(there) - _MOST_ROWS)}


def _name(text: str) -> str:
    return texts.one_line(text, _MOST_NAME)
