"""`ModuleSpec`: all that a module is, apart from any TensorFlow graph."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from google.protobuf import message as protobuf_message

from hub_estimator import files
from hub_estimator.errors import (
    CheckpointPathError,
    MessageNotFoundError,
    MessageTypeError,
    TagsNotFoundError,
)
from hub_estimator.format import collections
from hub_estimator.format.checkpoint import read_from_checkpoint, write_checkpoint
from hub_estimator.format.checkpoint_damage import naming_damage
from hub_estimator.format.origin import Origin
from hub_estimator.format.tensor_infos import ParsedTensorInfo, parse
from hub_estimator.format.variant import VariableEntry, Variant, as_tags, tags_text
from hub_estimator.format.write import without_checkpoint_paths, write_module

Tags = Iterable[str]


class ModuleSpec:
    """A module's graph variants, the files they name, and where the variables' values are.

    It comes from `create_module_spec`, `load_module_spec` or
    `create_module_spec_from_saved_model`, and is not changed afterwards: any number of modules, in
    any number of graphs, can be made of one.

    Args:
      variants: the graph variants, of different sets of tags.
      asset_paths: the path of each asset's content by its file name under `assets/`.
      checkpoint_path: the prefix of the checkpoint with the variables' values; None where the
        variables' own initializers give them.
      source: what messages call the module, for example `"The module /models/x"`.
      origin: where the module is; None for one that a program defined.
    """

    def __init__(
        self,
        variants: Sequence[Variant],
        asset_paths: Mapping[str, str] | None = None,
        checkpoint_path: str | None = None,
        source: str = "The module",
        origin: Origin | None = None,
    ) -> None:
        self._variants = {variant.tags: variant for variant in variants}
        self.asset_paths = dict(asset_paths or {})
        self.checkpoint_path = checkpoint_path
        self.source = source
        self.origin = origin

    def __repr__(self) -> str:
        tags = ", ".join(tags_text(tags) for tags in self.get_tags())
        return f"<ModuleSpec: {self.source}, variants {tags}>"

    @property
    def variants(self) -> list[Variant]:
        """The graph variants, in the order in which they were defined."""
        return list(self._variants.values())

    @functools.cached_property
    def variables(self) -> tuple[VariableEntry, ...]:
        """The variables that any of the variants uses, each once."""
        entries = [entry for variant in self.variants for entry in variant.variables]
        return tuple({entry.op_name: entry for entry in entries}.values())

    def variant(self, tags: Tags | None = None) -> Variant:
        """Returns the graph variant with exactly these tags; None is the empty set.

        Raises:
          TagsNotFoundError: there is none.
        """
        wanted = as_tags(tags)
        if wanted not in self._variants:
            has = ", ".join(tags_text(tags) for tags in self.get_tags())
            raise TagsNotFoundError(
                f"{self.source} has no graph variant with the tags {tags_text(wanted)}. "
                f"It has: {has}."
            )
        return self._variants[wanted]

    def get_tags(self) -> list[frozenset[str]]:
        """Returns the sets of tags of the graph variants, sorted."""
        return sorted(self._variants, key=sorted)

    def get_signature_names(self, tags: Tags | None = None) -> list[str]:
        """Returns the names of a variant's signatures, sorted.

        Args:
          tags: the variant's tags; None is the empty set.

        Raises:
          TagsNotFoundError: there is no such variant.
        """
        return sorted(self.variant(tags).signatures)

    def get_input_info_dict(
        self, signature: str | None = None, tags: Tags | None = None
    ) -> dict[str, ParsedTensorInfo]:
        """Returns the type and the shape of each input of a signature.

        Args:
          signature: the signature's name; None is `"default"`.
          tags: the variant's tags; None is the empty set.

        Raises:
          TagsNotFoundError: there is no such variant.
          SignatureNotFoundError: the variant has no such signature.
        """
        found = self.variant(tags).signature(signature, self.source)
        return {name: parse(info) for name, info in sorted(found.inputs.items())}

    def get_output_info_dict(
        self, signature: str | None = None, tags: Tags | None = None
    ) -> dict[str, ParsedTensorInfo]:
        """Returns the type and the shape of each output of a signature.

        Args and errors are those of `get_input_info_dict`.
        """
        found = self.variant(tags).signature(signature, self.source)
        return {name: parse(info) for name, info in sorted(found.outputs.items())}

    def get_attached_message(
        self, key: str, message_type: Any, tags: Tags | None = None, required: bool = False
    ) -> Any:
        """Returns the message that the module's publisher attached under a key.

        Args:
          key: the key.
          message_type: the protobuf class to read it as.
          tags: the variant's tags; None is the empty set.
          required: whether to raise where there is none.

        Returns:
          A message of `message_type`, or None.

        Raises:
          MessageNotFoundError: there is none, and it is required.
          MessageTypeError: its bytes are not a `message_type`.
          TagsNotFoundError: there is no such variant.
        """
        variant = self.variant(tags)
        found = collections.attachments(variant.meta_graph)
        if key in found:
            return _parse_message(message_type, key, found[key])
        if required:
            raise MessageNotFoundError(
                f"{self.source} has no message {key!r} attached for the tags "
                f"{tags_text(variant.tags)}. It has: {', '.join(map(repr, found)) or 'none'}."
            )
        return None

    def export(
        self,
        path: files.PathLike,
        _sentinel: None = None,
        checkpoint_path: files.PathLike | None = None,
        name_transform_fn: Callable[[str], str] | None = None,
    ) -> None:
        """Writes the module with the variables' values from a checkpoint.

        Args:
          path: the folder to make; it appears whole or not at all.
          checkpoint_path: the prefix of a checkpoint, one of its files, or a folder, for its latest
            one; also of a whole training: what the module does not have is ignored. Must be given,
            by name.
          name_transform_fn: gives a variable's name in the checkpoint for its name in the module;
            None where they are equal.

        Raises:
          CheckpointPathError: no checkpoint is given.
          CheckpointMismatchError: the checkpoint lacks a variable, or has it with another shape or
            type.
          ModuleExistsError: a module is at `path` already.
          CheckpointNotFoundError: there is no such checkpoint; it is a `tf.errors.NotFoundError`.
          DamagedCheckpointError: one of its files is damaged.
        """
        if checkpoint_path is None or _sentinel is not None:
            raise CheckpointPathError(
                "ModuleSpec.export needs the checkpoint to take the variables' values from: "
                "spec.export(path, checkpoint_path=...)."
            )
        checkpoint = files.as_path(checkpoint_path)

        def write_variables(prefix: str) -> None:
            values = read_from_checkpoint(checkpoint, self.variables, name_transform_fn)
            write_checkpoint(prefix, values)

        with naming_damage(checkpoint):
            self.write(path, write_variables)

    def write(self, path: files.PathLike, write_variables: Callable[[str], None]) -> None:
        """Writes the module; `write_variables(prefix)` writes the checkpoint, if it has variables.

        Raises:
          ModuleExistsError: a module is at `path` already.
        """
        meta_graphs = [variant.meta_graph for variant in self.variants]
        if self.checkpoint_path is None:
            meta_graphs = [without_checkpoint_paths(meta_graph) for meta_graph in meta_graphs]
        write_module(
            files.as_path(path),
            meta_graphs,
            self.asset_paths,
            write_variables if self.variables else None,
        )


def _parse_message(message_type: Any, key: str, value: bytes) -> Any:
    try:
        return message_type.FromString(value)
    except protobuf_message.DecodeError as e:
        raise MessageTypeError(
            f"The message attached under {key!r} is not a {message_type.DESCRIPTOR.full_name}; "
            "ask the module's publisher for its type."
        ) from e
