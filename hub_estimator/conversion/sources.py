"""What can be converted, told apart by what it is."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import tempfile
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from hub_estimator import errors, files, layout
from hub_estimator.conversion.keras_models import is_keras, open_keras_file, save_keras
from hub_estimator.format.origin import Origin, find
from hub_estimator.format.read import spec_at
from hub_estimator.format.spec import ModuleSpec
from hub_estimator.format.stored_graphs import is_tf2, read_saved_model
from hub_estimator.graph.defining.saved_models import create_module_spec_from_saved_model
from hub_estimator.graph.loading import load_at

KERAS_FILE = ".keras"


@dataclasses.dataclass(frozen=True)
class HubModule:
    """A TF1 Hub module.

    Attributes:
      spec: its spec.
      source: what messages call it, inside of a sentence.
      folder: where it is; None for one that a program defined.
    """

    spec: ModuleSpec
    source: str
    folder: str | None = None


@dataclasses.dataclass(frozen=True)
class TF1SavedModel(HubModule):
    """A SavedModel of TF1, as the module that it makes."""


@dataclasses.dataclass(frozen=True)
class EagerObject:
    """An object of TF2: a SavedModel, a Keras model, or another one that TensorFlow tracks.

    Attributes:
      loaded: the object, as `tf.saved_model.load` returns it.
      names: the names of its variables, where they are known better than it knows.
      source: what messages call it.
      folder: where it is; None for one that a program has.
    """

    loaded: Any
    names: list[str] | None
    source: str
    folder: str | None = None


Source = HubModule | EagerObject


@contextlib.contextmanager
def opened(source: Any, beside: str, refuse_side_effects: bool | None) -> Iterator[Source]:
    """Opens what is to be converted, for the time of a `with` block.

    Args:
      source: a handle, a `.keras` file, a `ModuleSpec`, or an object.
      beside: the output; what must be written first is written near it.
      refuse_side_effects: see `hub.load`.

    Raises:
      errors.ConversionSourceError: it is none of these.
      errors.Error: see `convert`.
    """
    if isinstance(source, ModuleSpec):
        folder = source.origin.folder if source.origin is not None else None
        yield HubModule(source, source.source, folder)
    elif isinstance(source, (str, bytes, os.PathLike)):
        path = files.as_path(source)
        if path.endswith(KERAS_FILE) and not files.is_folder(path):
            model, what = open_keras_file(_local(path)), f"The model in {path}"
            with _saved(model, beside, what, refuse_side_effects) as (loaded, names):
                yield EagerObject(loaded, names, what, path)
        else:
            yield _at(find(source), refuse_side_effects)
    elif is_keras(source) or isinstance(source, (tf.Module, tf.train.Checkpoint)):
        what = f"The {type(source).__name__}"
        with _saved(source, beside, what, refuse_side_effects) as (loaded, names):
            yield EagerObject(loaded, names, what)
    else:
        raise errors.ConversionSourceError(
            f"hub.convert was given a {type(source).__name__}. Give a handle (a folder or a URL), a "
            f"{KERAS_FILE} file, a ModuleSpec, a Keras model or a tf.Module."
        )


def _at(origin: Origin, refuse_side_effects: bool | None) -> Source:
    kind = layout.kind_of(origin.folder)
    if kind is layout.FolderKind.HUB_MODULE:
        spec = spec_at(origin, refuse_side_effects)
        return HubModule(spec, spec.source, origin.folder)
    if kind is layout.FolderKind.SAVED_MODEL and not _is_tf2(origin.folder):
        spec = create_module_spec_from_saved_model(
            origin.folder, refuse_side_effects=refuse_side_effects
        )
        return TF1SavedModel(spec, spec.source, origin.folder)
    loaded = load_at(origin, refuse_side_effects=refuse_side_effects)
    return EagerObject(loaded, None, f"The SavedModel {origin.folder}", origin.folder)


def _is_tf2(folder: str) -> bool:
    return all(map(is_tf2, read_saved_model(folder).meta_graphs))


def _local(path: str) -> str:
    if files.is_remote(path):
        raise errors.ConversionSourceError(
            f"{path} is not on the local disk, where Keras reads files. Copy it here first."
        )
    if not files.exists(path):
        raise errors.HandleNotFoundError(
            f"There is no file {path!r}. Give the path of a .keras file."
        )
    return path


@contextlib.contextmanager
def _saved(
    value: Any, beside: str, what: str, refuse_side_effects: bool | None
) -> Iterator[tuple[Any, list[str] | None]]:
    """Saves an object and loads it again, by which TensorFlow sorts out what it is made of."""
    folder = _existing(beside)
    files.remove_abandoned(folder)
    with files.scratch_folder(folder, "convert", elsewhere=True) as scratch:
        inner = files.join(scratch, "saved_model")
        names = None
        if is_keras(value):
            names = save_keras(value, inner)
        else:
            _save(value, inner)
        origin = Origin(inner, inner)
        loaded = load_at(origin, refuse_side_effects=refuse_side_effects, source=what)
        yield loaded, names


def _save(value: Any, folder: str) -> None:
    try:
        # Else TensorFlow takes some function of it for a signature.
        tf.saved_model.save(value, folder, signatures={})
    except (errors.Error, OSError, MemoryError, tf.errors.OpError):
        raise
    except Exception as error:  # of the object's own code
        raise errors.NotConvertibleError(
            f"TensorFlow cannot save the {type(value).__name__} ({type(error).__name__}: {error}). "
            "Make all that its functions use an attribute of it, or of what it has."
        ) from error


def _existing(path: str) -> str:
    """Returns the nearest folder above a path that is there, on the local disk."""
    if files.is_remote(path):
        return tempfile.gettempdir()
    folder = files.parent(os.path.abspath(path))
    while not files.is_folder(folder):
        folder = files.parent(folder)
    return folder
