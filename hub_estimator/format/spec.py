"""`ModuleSpec`: all that a module is, apart from any TensorFlow graph."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import tensorflow as tf
from google.protobuf import message as protobuf_message

from hub_estimator import files
from hub_estimator.errors import (
    CheckpointPathError,
    MessageNotFoundError,
    MessageTypeError,
    TagsNotFoundError,
    ValuesNotFoundError,
)
from hub_estimator.format import collections
from hub_estimator.format.checkpoint import (
    StoredValues,
    check_variable,
    contents,
    find_values,
    missing_values,
    open_checkpoint,
    write_checkpoint,
)
from hub_estimator.format.origin import Origin
from hub_estimator.format.side_effects import SideEffect, side_effects
from hub_estimator.format.tensor_infos import ParsedTensorInfo, parse
from hub_estimator.format.variant import VariableEntry, Variant, as_tags, some_of, tags_text
from hub_estimator.format.write import without_checkpoint_paths, write_module

Tags = Iterable[str]

_logger = logging.getLogger("hub_estimator")


class ModuleSpec:
    """A module's graph variants, the files they name, and where the variables' values are.

    The variants share the variables of equal names. Each may have some that others have not.

    It comes from `create_module_spec`, `load_module_spec` or
    `create_module_spec_from_saved_model`, and is not changed afterwards: any number of modules, in
    any number of graphs, can be made of one.

    Args:
      variants: the graph variants, of different sets of tags.
      asset_paths: the path of each asset's content by its file name under `assets/`.
      checkpoint_path: the prefix of the checkpoint with the variables' values, which may lack
        those of some variants; None where the variables' own initializers give them.
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
        """The variables that any of the variants has, each once, as the first of these has it."""
        found: dict[str, list[VariableEntry]] = {}
        for variant in self.variants:
            own: dict[str, list[VariableEntry]] = {}
            for entry in variant.variables:
                own.setdefault(entry.key, []).append(entry)  # the parts of one variable
            found |= {key: entries for key, entries in own.items() if key not in found}
        return tuple(entry for entries in found.values() for entry in entries)

    @functools.cached_property
    def stored(self) -> Mapping[str, tf.TensorSpec]:
        """The type and the shape of each value that the module has on disk, by its key."""
        if self.checkpoint_path is None or not files.exists(f"{self.checkpoint_path}.index"):
            return {}
        return contents(open_checkpoint(self.checkpoint_path))

    @functools.cached_property
    def unusable(self) -> Mapping[frozenset[str], list[str]]:
        """The tags of the variants that lack values on disk, and what messages call these."""
        return self._unusable(self.stored)

    def check_values(self, tags: Tags | None = None) -> None:
        """Checks that there are values for all variables of a variant, wherever they come from.

        Raises:
          ValuesNotFoundError: the checkpoint lacks some; the message says for which variants it
            has all.
          TagsNotFoundError: there is no such variant.
        """
        tags = self.variant(tags).tags
        if self.checkpoint_path is not None and tags in self.unusable:
            whole = [tags_text(each) for each in self.get_tags() if each not in self.unusable]
            raise ValuesNotFoundError(
                f"{self.source} has no values for the variables {some_of(self.unusable[tags])} of "
                f"its graph variant with the tags {tags_text(tags)}. It has all values for the "
                f"tags: {some_of(whole)}. Use one of these, or export the module from a "
                "checkpoint that has the others too: spec.export(path, checkpoint_path=...)."
            )

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

    def side_effects(self) -> list[SideEffect]:
        """Returns what the module does beyond computing its outputs, without running it.

        Those are the operations of its graph variants that read, write or list files, restore
        checkpoints, reach the network, call Python and the like. Tables and other readers of the
        module's own assets are not among them.
        """
        restores = self.checkpoint_path is not None
        return [
            effect
            for variant in self.variants
            for effect in side_effects(variant.program(restores), variant.tags)
        ]

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

        Those for the variant without tags must be there, or where there is none, those for some
        variant. Of the variables that only others have, those are written that are there.

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
        values = find_values(checkpoint, [each.key for each in self.variables], name_transform_fn)
        self._check_needed(values, checkpoint, name_transform_fn or str)
        self.write(path, lambda prefix: write_checkpoint(prefix, values.read()), values.specs)

    def write(
        self,
        path: files.PathLike,
        write_variables: Callable[[str], None],
        values: Mapping[str, tf.TensorSpec] | None = None,
    ) -> None:
        """Writes the module.

        Args:
          path: the folder to make; it appears whole or not at all.
          write_variables: writes the checkpoint to the prefix that it is given; not called where
            there are no values.
          values: the type and the shape of each value that it writes, by its key; None is those of
            all variables. A log line names the variants that lack some, and cannot be used then.

        Raises:
          ModuleExistsError: a module is at `path` already.
        """
        if values is None:
            values = {entry.key: entry.spec for entry in self.variables}
        meta_graphs = [variant.meta_graph for variant in self.variants]
        if self.checkpoint_path is None:
            meta_graphs = [without_checkpoint_paths(meta_graph) for meta_graph in meta_graphs]
        write_module(
            files.as_path(path),
            meta_graphs,
            self.asset_paths,
            write_variables if values else None,
        )
        unusable = self._unusable(values)
        if unusable:
            _logger.warning(
                "The module %s is written without values for the variables %s. It cannot be used "
                "with the tags: %s.",
                files.as_path(path),
                some_of(sorted({name for names in unusable.values() for name in names})),
                some_of([tags_text(tags) for tags in self.get_tags() if tags in unusable]),
            )

    def _unusable(self, values: Mapping[str, tf.TensorSpec]) -> dict[frozenset[str], list[str]]:
        found = {each.tags: missing_values(each.variables, values) for each in self.variants}
        return {tags: names for tags, names in found.items() if names}

    def _check_needed(
        self, values: StoredValues, checkpoint: str, name_transform_fn: Callable[[str], str]
    ) -> None:
        """Checks that a checkpoint has the values for the variants that must have them."""
        unusable = self._unusable(values.specs)
        needed = frozenset() if frozenset() in self._variants else next(iter(self._variants))
        if needed in unusable and (not needed or len(unusable) == len(self._variants)):
            there = contents(values.reader)
            for variable in self.variant(needed).variables:
                check_variable(there, checkpoint, variable, name_transform_fn(variable.key))


def _parse_message(message_type: Any, key: str, value: bytes) -> Any:
    try:
        return message_type.FromString(value)
    except protobuf_message.DecodeError as e:
        raise MessageTypeError(
            f"The message attached under {key!r} is not a {message_type.DESCRIPTOR.full_name}; "
            "ask the module's publisher for its type."
        ) from e
