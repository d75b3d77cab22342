"""What an eager object holds, variables, tables and assets, made anew in a TF1 graph."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from hub_estimator import compat, errors, texts
from hub_estimator.conversion.functions import EagerFunction
from hub_estimator.conversion.variable_names import paths_of, unique, variable_names
from hub_estimator.format import collections
from hub_estimator.format.checkpoint import Value

_MUTABLE_TABLES = frozenset({"MutableHashTableV2", "MutableHashTableOfTensorsV2"})
# Dense ones give what they hold with places that are free; anonymous ones are new in each session run.
_OTHER_TABLES = ("MutableDenseHashTable", "Anonymous")


@dataclasses.dataclass(frozen=True)
class NamedVariable:
    """A variable of the object that is in the module.

    Attributes:
      name: its name in the module.
      handle: the `id` of its handle.
      array: its value.
      is_trainable: whether training changes it.
    """

    name: str
    handle: int
    array: np.ndarray
    is_trainable: bool

    @property
    def value(self) -> Value:
        """Its value, as the module's checkpoint has it."""
        return Value(self.name, "", self.array)


class ObjectState:
    """What the functions of an object use of it.

    Args:
      loaded: the object, as `tf.saved_model.load` returns it.
      functions: the functions.
      names: the names of all of `loaded.variables`, where they are known better than it knows.
      what: what messages call the object.

    Raises:
      errors.NotConvertibleError: they use what a module cannot hold.
    """

    def __init__(
        self,
        loaded: Any,
        functions: Iterable[EagerFunction],
        names: Sequence[str] | None,
        what: str,
    ) -> None:
        self._what = what
        parts = list(tf.train.TrackableView(loaded).descendants())
        of_kind = functools.partial(_of_kind, parts)
        self._tables = {
            id(table.resource_handle): _Table(table, what)
            for table in of_kind(tf.saved_model.experimental.TrackableResource)
        }
        self._assets = {
            id(asset.asset_path): asset.asset_path for asset in of_kind(tf.saved_model.Asset)
        }
        self._constants: dict[int, Any] = {}
        handles = {id(variable.handle): variable for variable in of_kind(tf.Variable)}
        used = self._captured(functions)
        # Also those that it lists and nothing uses: checkpoints of programs have them.
        listed = {
            id(variable.handle)
            for variable in getattr(loaded, "variables", None) or ()
            if variable is not None  # legacy Keras lists tables so
        }
        kept = [variable for key, variable in handles.items() if key in used or key in listed]
        self.variables = _named(loaded, kept, names)
        for key, tensor in used.items():
            self._sort_in(key, tensor, handles)

    def build(self) -> dict[int, tf.Tensor]:
        """Makes it in the default graph.

        Returns:
          The tensor in the graph for each that the functions capture, by the `id` of that.
        """
        made = {named.handle: _make_variable(named).handle for named in self.variables}
        for key, path in self._assets.items():
            if key in self._used:
                made[key] = tf.constant(path.numpy(), name="asset_path")
                tf.compat.v1.add_to_collection(collections.ASSET_FILEPATHS, made[key])
        for key, tensor in self._constants.items():
            made[key] = tf.constant(tensor.numpy())
        for key, table in self._tables.items():
            if key in self._used:
                made[key] = table.make(made)
        for key, table in self._tables.items():
            if key in self._used:
                table.add_initializer(made[key], made)
        return made

    def _captured(self, functions: Iterable[EagerFunction]) -> dict[int, Any]:
        """Returns all that functions use, and what the tables among that need, by `id`."""
        used: dict[int, Any] = {}
        open_ = list(functions)
        while open_:
            for tensor in open_.pop().captured:
                if id(tensor) not in used:
                    used[id(tensor)] = tensor
                    if id(tensor) in self._tables:
                        open_ += self._tables[id(tensor)].functions
        self._used = frozenset(used)
        return used

    def _sort_in(self, key: int, tensor: Any, handles: Any) -> None:
        if key in self._assets or key in self._tables or key in handles:
            return
        if tensor.dtype in (tf.resource, tf.variant):
            raise errors.NotConvertibleError(
                f"{self._what} uses {texts.shown(str(tensor))}, which is neither a variable nor a table that "
                "the object holds. Make it an attribute of the object, or leave it out."
            )
        self._constants[key] = tensor


def _of_kind(parts: Iterable[Any], kind: Any) -> list[Any]:
    return [part for part in parts if isinstance(part, kind)]


def _named(
    loaded: Any, variables: Sequence[tf.Variable], names: Sequence[str] | None
) -> tuple[NamedVariable, ...]:
    trained = getattr(loaded, "trainable_variables", None)
    trainable = None if trained is None else {id(variable) for variable in trained}
    own = variable_names(variables, paths_of(loaded))
    if names is not None:
        given = {id(variable): name for variable, name in zip(loaded.variables, names, strict=True)}
        own = unique(
            [given.get(id(variable), name) for variable, name in zip(variables, own, strict=True)]
        )
    named = [
        NamedVariable(
            name,
            id(variable.handle),
            np.asarray(variable.numpy()),
            variable.trainable if trainable is None else id(variable) in trainable,
        )
        for name, variable in zip(own, variables, strict=True)
    ]
    return tuple(sorted(named, key=lambda variable: variable.name))


def _dtype(array: np.ndarray) -> tf.DType:
    return tf.string if array.dtype.kind in "OSU" else tf.as_dtype(array.dtype)


def _make_variable(named: NamedVariable) -> tf.Variable:
    return tf.compat.v1.get_variable(
        named.name,
        named.array.shape,
        _dtype(named.array),
        # Its value is in the checkpoint.
        initializer=tf.compat.v1.zeros_initializer(),
        trainable=named.is_trainable,
        use_resource=True,
    )


class _Table:
    """A table, or another resource that is made and filled once.

    Args:
      resource: the table.
      what: what messages call the object that holds it.

    Raises:
      errors.NotConvertibleError: a module cannot keep what it holds.
    """

    def __init__(self, resource: Any, what: str) -> None:
        create, initialize = compat.resource_functions(resource)
        self._create = EagerFunction(create, f"A table of {what}")
        self._initialize = EagerFunction(initialize, f"A table of {what}")
        _check_kind(create, what)
        self._content = _content(resource.resource_handle, create)

    @property
    def functions(self) -> list[EagerFunction]:
        """The functions that make and fill it."""
        return [self._create, self._initialize]

    def make(self, captures: dict[int, tf.Tensor]) -> tf.Tensor:
        """Makes it in the default graph; returns its handle."""
        return self._create.build((), captures, "table").outputs

    def add_initializer(self, handle: tf.Tensor, captures: dict[int, tf.Tensor]) -> None:
        """Adds what fills it to the default graph and its collection."""
        if self._content is not None:
            keys, values = map(tf.constant, self._content)
            operation = tf.raw_ops.LookupTableImportV2(
                table_handle=handle, keys=keys, values=values
            )
        else:
            effects = self._initialize.build((), captures, "table_init").effects
            operation = effects[0] if len(effects) == 1 else tf.group(*effects)
        tf.compat.v1.add_to_collection(collections.TABLE_INITIALIZERS, operation)


def _check_kind(create: Any, what: str) -> None:
    for node in create.graph.as_graph_def().node:
        if node.op.startswith(_OTHER_TABLES):
            raise errors.NotConvertibleError(
                f"A table of {what} is a {node.op}, whose content a module cannot keep. Use a "
                "tf.lookup.StaticHashTable or a tf.lookup.experimental.MutableHashTable, and leave "
                "experimental_is_anonymous out."
            )


def _content(handle: Any, create: Any) -> tuple[np.ndarray, np.ndarray] | None:
    """Returns what a table holds that programs change, for which a module has no other place."""
    for node in create.graph.as_graph_def().node:
        if node.op in _MUTABLE_TABLES:
            keys, values = tf.raw_ops.LookupTableExportV2(
                table_handle=handle,
                Tkeys=node.attr["key_dtype"].type,
                Tvalues=node.attr["value_dtype"].type,
            )
            return keys.numpy(), values.numpy()
    return None
