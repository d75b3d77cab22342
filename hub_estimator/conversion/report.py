"""What a conversion wrote, read back from the disk."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf

from hub_estimator import files, layout, texts
from hub_estimator.format import checkpoint, collections
from hub_estimator.format.stored_graphs import read_saved_model
from hub_estimator.format.tensor_infos import ParsedTensorInfo, parse
from hub_estimator.format.variant import tags_text
from hub_estimator.resolver.download import readable

_VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"  # how TF2 ends the names of variables in its checkpoints
_NOT_VARIABLES = (f"save_counter{_VALUE}", "_CHECKPOINTABLE_OBJECT_GRAPH")
_NOT_OF_PUBLISHER = "__saved_model"  # how the names of TensorFlow's own signatures start


@dataclasses.dataclass(frozen=True)
class ConvertedVariant:
    """A graph of what was written.

    Attributes:
      tags: its tags.
      inputs: the type and the shape of each input by its name, by the name of the signature.
      outputs: likewise of each output.
      notes: how much else it has: trainable variables, update operations, regularization losses.
    """

    tags: frozenset[str]
    inputs: Mapping[str, Mapping[str, ParsedTensorInfo]]
    outputs: Mapping[str, Mapping[str, ParsedTensorInfo]]
    notes: Mapping[str, int]


@dataclasses.dataclass(frozen=True)
class Conversion:
    """What `convert` wrote.

    Attributes:
      path: the folder.
      what: what it is, for example `"TF1 Hub module"`.
      variants: its graphs.
      variables: the type and the shape of each variable by its name in the checkpoint.
      assets: the names of the files under `assets/`, sorted.
      size: how many bytes all its files have.
    """

    path: str
    what: str
    variants: tuple[ConvertedVariant, ...]
    variables: Mapping[str, tf.TensorSpec]
    assets: tuple[str, ...]
    size: int

    def text(self) -> str:
        """Returns it for people, line by line."""
        return "".join(f"{texts.one_line(line)}\n" for line in self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"Converted to a {self.what} of {readable(self.size)}: {self.path}"
        for variant in self.variants:
            counts = [f"{count:,} {what}" for what, count in variant.notes.items() if count]
            yield ", ".join([f"Graph with the tags {tags_text(variant.tags)}", *counts])
            for name in sorted(variant.inputs):
                given, got = variant.inputs[name], variant.outputs[name]
                yield f"- {texts.shown_name(name)}: {_listed(given)} -> {_listed(got)}"
        values = sum(spec.shape.num_elements() or 0 for spec in self.variables.values())
        yield f"Variables: {len(self.variables):,} with {values:,} values"
        if self.assets:
            yield f"Assets: {texts.shown_names(self.assets)}"


def report(path: str, what: str) -> Conversion:
    """Returns what is in a folder that was written.

    Args:
      path: the folder, of a module or a SavedModel.
      what: what it is.
    """
    sizes = {name: files.size(files.join(path, name)) for name in _names_in(path)}
    assets = f"{layout.ASSETS}/"
    return Conversion(
        path,
        what,
        tuple(map(_variant, read_saved_model(path).meta_graphs)),
        _variables(layout.checkpoint_prefix(path)),
        tuple(name.removeprefix(assets) for name in sorted(sizes) if name.startswith(assets)),
        sum(sizes.values()),
    )


def _listed(infos: Mapping[str, ParsedTensorInfo]) -> str:
    named = [f"{texts.shown_name(name)} {_text(info)}" for name, info in sorted(infos.items())]
    return ", ".join(named) or "nothing"


def _text(info: ParsedTensorInfo) -> str:
    kind = type(info.type_spec).__name__.removesuffix("Spec").removesuffix("Tensor").lower()
    return " ".join(filter(None, [kind, info.dtype.name, str(info.get_shape())]))


def _variant(meta_graph: Any) -> ConvertedVariant:
    signatures = {
        name: signature
        for name, signature in meta_graph.signature_def.items()
        if not name.startswith(_NOT_OF_PUBLISHER)
    }
    trainable = collections.variable_defs(meta_graph, collections.TRAINABLE_VARIABLES)
    updates = collections.node_names(meta_graph, collections.UPDATE_OPS)
    losses = collections.node_names(meta_graph, collections.REGULARIZATION_LOSSES)
    return ConvertedVariant(
        frozenset(meta_graph.meta_info_def.tags),
        {name: _infos(signature.inputs) for name, signature in signatures.items()},
        {name: _infos(signature.outputs) for name, signature in signatures.items()},
        {
            "trainable variables": len(trainable),
            "update operations": len(updates),
            "regularization losses": len(losses),
        },
    )


def _infos(infos: Any) -> dict[str, ParsedTensorInfo]:
    return {name: parse(info) for name, info in infos.items()}


def _variables(prefix: str) -> dict[str, tf.TensorSpec]:
    if not files.exists(f"{prefix}.index"):
        return {}
    found = checkpoint.contents(checkpoint.open_checkpoint(prefix))
    names = sorted(set(found).difference(_NOT_VARIABLES))
    return {name.removesuffix(_VALUE): found[name] for name in names}


def _names_in(folder: str, below: str = "") -> Iterator[str]:
    """Yields the files in a folder and those below it, by their names from it on."""
    for name in files.listing(files.join(folder, below) if below else folder):
        inner = f"{below}{name}"
        if files.is_folder(files.join(folder, inner)):
            yield from _names_in(folder, f"{inner}/")
        else:
            yield inner
