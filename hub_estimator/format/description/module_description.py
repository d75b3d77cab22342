"""`ModuleDescription`: what a module, SavedModel or checkpoint is, as a value."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable

from hub_estimator.format.side_effects import SideEffect

Shape = tuple[int | None, ...] | None
"""A static shape: None for a dimension that may be of any size, None for any number of them."""


class ModuleKind(enum.Enum):
    """What is in a folder."""

    HUB_MODULE = "TF1 Hub module"
    TF2_SAVED_MODEL = "TF2 SavedModel"
    TF1_SAVED_MODEL = "TF1 SavedModel"
    CHECKPOINT = "checkpoint"


@dataclasses.dataclass(frozen=True)
class TensorDescription:
    """One input or output.

    Attributes:
      name: its name in the signature.
      kind: `"dense"`, `"sparse"`, `"ragged"`, or the name of another type.
      dtype: its element type, such as `"float32"`; None where another library defines its type.
      shape: its static shape; of a sparse one, that of its dense form.
    """

    name: str
    kind: str
    dtype: str | None
    shape: Shape

    def type_text(self) -> str:
        """Returns what messages call its type: `float32 [?, 128]`, `sparse string [?, ?]`."""
        kind = [] if self.kind == "dense" else [self.kind]
        dtype = [] if self.dtype is None else [self.dtype]
        return " ".join([*kind, *dtype, shape_text(self.shape)])


def shape_text(shape: Shape) -> str:
    """Returns what messages call a shape: `[?, 128]`; `[...]` is one of any rank."""
    if shape is None:
        return "[...]"
    return f"[{', '.join('?' if size is None else str(size) for size in shape)}]"


@dataclasses.dataclass(frozen=True)
class SignatureDescription:
    """What can be called.

    Attributes:
      name: its name.
      inputs: what it takes, sorted by name.
      outputs: what it gives, sorted by name.
      settings: the names of its arguments that are no tensors, such as `training`.
    """

    name: str
    inputs: tuple[TensorDescription, ...]
    outputs: tuple[TensorDescription, ...]
    settings: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class TableDescription:
    """A lookup table.

    Attributes:
      name: that of its operation; in a TF2 SavedModel, its path from the object at the root.
      key_dtype: the type of what is looked up.
      value_dtype: the type of what is found.
      asset: the name of the asset that fills it; None where something else does, or nothing.
      entries: how many entries it is filled with; None where that is not stored.
    """

    name: str
    key_dtype: str
    value_dtype: str
    asset: str | None
    entries: int | None


@dataclasses.dataclass(frozen=True)
class MessageDescription:
    """A message that the publisher attached.

    Attributes:
      key: its key.
      bytes: its size.
      sha256: the digest of its content.
    """

    key: str
    bytes: int
    sha256: str


@dataclasses.dataclass(frozen=True)
class VariantDescription:
    """A graph variant: a graph with its tags.

    Attributes:
      tags: the tags, sorted; none is the variant for inference of a TF1 Hub module.
      tensorflow_version: the release that wrote it; None where it does not say.
      operations: the number of its operations, those of its functions included.
      signatures: its signatures, sorted by name.
      functions: what can be called on the object of a TF2 SavedModel, `__call__` first.
      regularization_losses: their number.
      update_operations: their number; those of a TF2 SavedModel are parts of its calls.
      tables: its lookup tables, sorted by name.
      messages: what is attached to it, sorted by key.
      image_size: the height and width in pixels of the images that it takes, where it says.
      side_effects: what it does beyond computing, see `ModuleSpec.side_effects`.
      library_operations: the types of its operations that are of libraries beside TensorFlow, sorted.
      without_values: the names of its variables that have no value on disk.
    """

    tags: tuple[str, ...]
    tensorflow_version: str | None
    operations: int
    signatures: tuple[SignatureDescription, ...]
    functions: tuple[SignatureDescription, ...]
    regularization_losses: int
    update_operations: int
    tables: tuple[TableDescription, ...]
    messages: tuple[MessageDescription, ...]
    image_size: tuple[int, int] | None
    side_effects: tuple[SideEffect, ...]
    library_operations: tuple[str, ...]
    without_values: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class VariableDescription:
    """A variable; or a value of the checkpoint that no variable has.

    Attributes:
      name: its name, which no other variable of the module has.
      key: the key of its value in the checkpoint; None where it has no value there.
      dtype: its element type.
      shape: its shape; that of the whole, where it is partitioned.
      bytes: the size of its value; None where that is not known, as of texts.
      is_trainable: whether training changes it; None where nothing says.
      parts: how many parts it is partitioned into.
    """

    name: str
    key: str | None
    dtype: str
    shape: Shape
    bytes: int | None
    is_trainable: bool | None = None
    parts: int = 1

    @property
    def parameters(self) -> int | None:
        """The number of its elements; None where its shape is not known."""
        return elements(self.shape)


def elements(shape: Shape) -> int | None:
    """Returns the number of elements of a shape; None where that is not known."""
    count = 1
    for size in (None,) if shape is None else shape:
        if size is None:
            return None
        count *= size
    return count


@dataclasses.dataclass(frozen=True)
class AssetDescription:
    """A file that comes with the module.

    Attributes:
      name: its path below `assets/`.
      bytes: its size.
      sha256: the digest of its content.
    """

    name: str
    bytes: int
    sha256: str


@dataclasses.dataclass(frozen=True)
class CommonSignature:
    """Whether a module can be exchanged for others of a task.

    Attributes:
      name: the task, such as `"image feature vector"`.
      missing: what it lacks for that; nothing where it fulfils the task's interface.
    """

    name: str
    missing: tuple[str, ...]

    @property
    def is_fulfilled(self) -> bool:
        """Whether it lacks nothing."""
        return not self.missing


@dataclasses.dataclass(frozen=True)
class Totals:
    """Sums over variables.

    Attributes:
      name: the scope that all are in, such as `"encoder"`; empty for all variables, and for those in
        no scope.
      variables: their number.
      parameters: the number of their elements, as far as shapes are known.
      bytes: the size of their values, as far as it is known.
      trainable_variables: the number of those that training changes; None where nothing says.
      trainable_parameters: the number of their elements; None where nothing says.
    """

    name: str
    variables: int
    parameters: int
    bytes: int
    trainable_variables: int | None
    trainable_parameters: int | None

    @classmethod
    def of(cls, name: str, variables: Iterable[VariableDescription]) -> Totals:
        """Returns the sums over some variables."""
        there = list(variables)
        trainable = [variable for variable in there if variable.is_trainable]
        says = all(variable.is_trainable is not None for variable in there)
        return cls(
            name,
            len(there),
            sum(variable.parameters or 0 for variable in there),
            sum(variable.bytes or 0 for variable in there),
            len(trainable) if says else None,
            sum(variable.parameters or 0 for variable in trainable) if says else None,
        )


@dataclasses.dataclass(frozen=True)
class ModuleDescription:
    """What a module, SavedModel or checkpoint is.

    Attributes:
      handle: what it was named by, without a password.
      path: the folder that it is in; of a checkpoint, its prefix.
      kind: what it is.
      digest: the SHA-256 of its content: of a module or SavedModel, of its graphs, its assets and the
        index of its values, as model folders record it; of a checkpoint, of its index, as exports
        record it.
      checkpoint: the prefix of the values of its variables; None where there are none.
      graph_bytes: the size of its graphs on disk.
      value_bytes: the size of its values on disk.
      variants: its graph variants, sorted by their tags.
      variables: its variables, in the order in which they are stored.
      other_values: what else its checkpoint holds, such as entries of tables.
      assets: its assets, sorted by name.
      common_signatures: which of TF Hub's common interfaces it has, all of them in one order; none
        of a checkpoint.
    """

    handle: str
    path: str
    kind: ModuleKind
    digest: str
    checkpoint: str | None
    graph_bytes: int
    value_bytes: int
    variants: tuple[VariantDescription, ...]
    variables: tuple[VariableDescription, ...]
    other_values: tuple[VariableDescription, ...]
    assets: tuple[AssetDescription, ...]
    common_signatures: tuple[CommonSignature, ...]

    @property
    def totals(self) -> Totals:
        """The sums over all variables."""
        return Totals.of("", self.variables)

    @property
    def scopes(self) -> tuple[Totals, ...]:
        """The sums over the variables of each scope at the top, in the variables' order."""
        scopes: dict[str, list[VariableDescription]] = {}
        for variable in self.variables:
            scope, separator, _ = variable.name.partition("/")
            scopes.setdefault(scope if separator else "", []).append(variable)
        return tuple(Totals.of(name, variables) for name, variables in scopes.items())
