"""The graphs that a folder stores: parsing them, and the spec that is made of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf import message as protobuf_message
from google.protobuf import text_format
from tensorflow.core.protobuf import saved_model_pb2

from hub_estimator import errors, files, layout
from hub_estimator.format import collections, integrity
from hub_estimator.format.origin import Origin
from hub_estimator.format.safety import check_program
from hub_estimator.format.spec import ModuleSpec
from hub_estimator.format.variant import Variant, tags_text

_MOST_BYTES = (1 << 31) - 1  # what a protobuf message can have
_NOT_PARSED = (
    protobuf_message.DecodeError,
    protobuf_message.EncodeError,
    text_format.ParseError,
    RecursionError,
)


@dataclasses.dataclass(frozen=True)
class Wording:
    """How messages speak of what is stored in a folder.

    Attributes:
      name: what it is.
      graphs: what it has several of.
      get_again: what to do where a file of it is not there.
      get_other_tags: what to do where tags are there twice.
    """

    name: str
    graphs: str
    get_again: str
    get_other_tags: str

    def source(self, folder: str) -> str:
        """Returns what messages call the one in a folder."""
        return f"{self.name} {folder}"


MODULE = Wording(
    name="The module",
    graphs="graph variants",
    get_again="Fetch the module again.",
    get_other_tags="Ask its publisher for one with different tags.",
)
SAVED_MODEL = Wording(
    name="The SavedModel",
    graphs="graphs",
    get_again="Save it again.",
    get_other_tags="Save it with different tags.",
)


def read_saved_model(folder: str) -> Any:
    """Returns the `SavedModel` proto in a folder.

    Raises:
      errors.BrokenModuleError: there is none, or it cannot be parsed.
    """
    path = layout.saved_model_file(folder)
    if path is None:
        raise errors.BrokenModuleError(
            f"{folder} has no {layout.SAVED_MODEL}. Fetch the module again."
        )
    content = read_bytes(path, _MOST_BYTES)
    try:
        is_text = path.endswith(layout.SAVED_MODEL_TEXT)
        saved_model = (
            _parse_text(content) if is_text else saved_model_pb2.SavedModel.FromString(content)
        )
    except (*_NOT_PARSED, UnicodeDecodeError) as error:
        # Python words it differently, by where it stopped.
        why = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise errors.BrokenModuleError(
            f"{path} is not a SavedModel, or it is damaged ({why}). Fetch the module again."
        ) from error
    if not saved_model.meta_graphs:
        raise errors.BrokenModuleError(f"{path} holds no graph. Fetch or export the module again.")
    return saved_model


def is_tf2(meta_graph: Any) -> bool:
    """Whether a `MetaGraphDef` is that of a TF2 SavedModel, which is made of objects."""
    return meta_graph.HasField("object_graph_def")


def read_bytes(path: str, most_bytes: int) -> bytes:
    """Returns the content of a file of a module.

    Raises:
      errors.BrokenModuleError: it is longer than such files are.
    """
    if files.size(path) > most_bytes:
        raise errors.BrokenModuleError(
            f"{path} has {files.size(path):,} bytes, and such files have {most_bytes:,} at most. "
            "Fetch the module again."
        )
    return files.read_bytes(path)


def make_spec(
    folder: str,
    variants: Sequence[Variant],
    asset_paths: Mapping[str, str],
    wording: Wording,
    origin: Origin | None = None,
) -> ModuleSpec:
    """Returns the spec of graphs that are stored in a folder; all that can be known is checked.

    Args:
      folder: the folder, which has the values of their variables.
      variants: the graphs.
      asset_paths: the paths of their assets by their names.
      wording: how messages speak of what is in the folder.
      origin: by which handle it was found; None for what is not a module yet.

    Raises:
      errors.DuplicateTagsError: two graphs have the same tags.
      errors.BrokenModuleError: the files contradict themselves or one another, or some are not there.
      errors.ModuleTooLargeError: it would take more memory than the limits allow.
    """
    _check_tags(folder, variants, wording)
    spec = ModuleSpec(
        variants,
        asset_paths=asset_paths,
        checkpoint_path=_checkpoint_path(folder, variants, wording),
        source=wording.source(folder),
        origin=origin,
    )
    for variant in spec.variants:
        integrity.check_variant(variant, spec.source)
        program = variant.program(spec.checkpoint_path is not None)
        check_program(program, variant.tags, spec.asset_paths, spec.source)
    integrity.check_checkpoint(spec)
    return spec


def _parse_text(content: bytes) -> Any:
    saved_model = text_format.Parse(content.decode("utf-8"), saved_model_pb2.SavedModel())
    # Text may be nested deeper than bytes, and than what reads them without end.
    return saved_model_pb2.SavedModel.FromString(saved_model.SerializeToString())


def _check_tags(folder: str, variants: Sequence[Variant], wording: Wording) -> None:
    all_tags = [variant.tags for variant in variants]
    for tags in all_tags:
        if all_tags.count(tags) > 1:
            raise errors.DuplicateTagsError(
                f"{wording.source(folder)} has two {wording.graphs} with the tags "
                f"{tags_text(tags)}. {wording.get_other_tags}"
            )


def _checkpoint_path(folder: str, variants: Sequence[Variant], wording: Wording) -> str | None:
    have_variables = [bool(collections.variable_defs(variant.meta_graph)) for variant in variants]
    if not any(have_variables):
        return None
    prefix = layout.checkpoint_prefix(folder)
    # Exported from a graph without variables, a module has no values for the other ones.
    if all(have_variables) and not files.exists(f"{prefix}.index"):
        raise errors.BrokenModuleError(
            f"{wording.source(folder)} lacks the values of its variables ({prefix}.index). "
            f"{wording.get_again}"
        )
    return prefix
