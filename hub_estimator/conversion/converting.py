"""`convert`: modules to what TF2 and serving take, and what TF2 has to modules."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Literal, get_args

from hub_estimator import compat, errors, files
from hub_estimator.conversion.estimator_checkpoints import name_transform
from hub_estimator.conversion.report import Conversion, report
from hub_estimator.conversion.sources import EagerObject, HubModule, Source, opened
from hub_estimator.conversion.to_serving import check_servable, write_servable
from hub_estimator.conversion.to_tf1 import TF1Module
from hub_estimator.format.spec import ModuleSpec
from hub_estimator.format.variant import inside_sentence
from hub_estimator.graph.reusable.export import save_reusable

Target = Literal["tf1", "tf2", "serving"]


def convert(
    source: Any,
    export_path: files.PathLike,
    to: Target,
    checkpoint_path: files.PathLike | None = None,
    scope: str | None = None,
    refuse_side_effects: bool | None = None,
) -> Conversion:
    """Converts a module, a SavedModel or a Keras model, and writes the result.

    | `source` | `to` | what is written |
    |---|---|---|
    | a TF1 Hub module | `"tf2"` | a TF2 SavedModel that programs call and train |
    | a TF1 Hub module | `"serving"` | a SavedModel with the tag `serve` and all signatures |
    | a TF2 SavedModel, a Keras model | `"tf1"` | a TF1 Hub module that trains what the object trains |
    | a TF1 SavedModel | `"tf1"` | a TF1 Hub module with the same graphs |
    | a TF1 Hub module and a checkpoint | `"tf1"` | the module with the values of a training |

    Nothing is written unless all of it can be converted. What is written appears whole or not at all.

    Args:
      source: a handle (a folder or a URL), the path of a `.keras` file, a `ModuleSpec`, a model of
        Keras 3 or of legacy Keras, or a `tf.Module`.
      export_path: the folder to make.
      to: what to make of it.
      checkpoint_path: the prefix of the checkpoint of a training with the module, one of its files,
        or the folder, for its latest one.
      scope: the scope of the module's variables in the checkpoint, such as `"module"`; None finds
        it, where only one has all of them.
      refuse_side_effects: whether to refuse what does more than compute; None is what the
        environment variable `HUB_ESTIMATOR_REFUSE_SIDE_EFFECTS` says.

    Returns:
      What was written.

    Raises:
      errors.NotConvertibleError: that cannot be made of the source; the message says why.
      errors.ExportError: there is something at `export_path` already.
      errors.OutputIsInputError: it is the source, or in it.
      errors.Error: what `hub.load` and `ModuleSpec.export` raise.
    """
    path = files.as_path(export_path).rstrip("/")
    _check_target(to)
    files.check_export_path(path)
    with compat.eagerly(), opened(source, path, refuse_side_effects) as found:
        if found.folder is not None:
            files.check_output("The output", path, [("the source", found.folder)])
        write, what = _writer(found, to, checkpoint_path, scope)
        files.remove_abandoned(files.parent(path) or ".")
        write(path)
    return report(path, what)


def _writer(
    source: Source, to: Target, checkpoint_path: files.PathLike | None, scope: str | None
) -> tuple[Callable[[str], object], str]:
    """Returns what writes the result, and what that is; by then it is known that it can be made."""
    if checkpoint_path is None and scope is not None:
        raise errors.NotConvertibleError(
            "A scope is of a checkpoint. Give that too, or leave it out."
        )
    if checkpoint_path is not None and (to != "tf1" or not _is_hub_module(source)):
        raise errors.NotConvertibleError(
            "A checkpoint gives a TF1 Hub module the values of a training, to='tf1', but "
            f"{inside_sentence(source.source)} is to be converted to {to!r}. Leave the checkpoint out, "
            "or make a TF1 Hub module of it first."
        )
    if to == "tf1":
        return _to_tf1(source, checkpoint_path, scope), "TF1 Hub module"
    if isinstance(source, EagerObject):
        raise errors.NotConvertibleError(
            f"{source.source} is of TF2: programs call it, and TensorFlow Serving serves it, as it is "
            "once it is saved (model.export(...), tf.saved_model.save(...)). It can be converted to "
            "tf1."
        )
    if to == "tf2":
        return functools.partial(save_reusable, source.spec), "TF2 SavedModel"
    check_servable(source.spec)
    write = functools.partial(write_servable, source.spec)
    return functools.partial(_whole, write), "SavedModel for serving"


def _to_tf1(
    source: Source, checkpoint_path: files.PathLike | None, scope: str | None
) -> Callable[[str], object]:
    if isinstance(source, EagerObject):
        return TF1Module(source.loaded, source.names, source.source).write
    spec, stored = source.spec, source.spec.checkpoint_path
    if checkpoint_path is not None:
        return _with_checkpoint(spec, checkpoint_path, scope)
    if _is_hub_module(source):
        raise errors.NotConvertibleError(
            f"{source.source} is a TF1 Hub module already. Give a checkpoint, to have it with the "
            "values of a training, or convert it to tf2 or serving."
        )
    if stored is None:  # it has no variables
        return lambda path: spec.write(path, lambda prefix: None)
    return functools.partial(spec.export, checkpoint_path=stored)


def _is_hub_module(source: Source) -> bool:
    return type(source) is HubModule


def _with_checkpoint(
    spec: ModuleSpec, checkpoint_path: files.PathLike, scope: str | None
) -> Callable[[str], None]:
    checkpoint = files.as_path(checkpoint_path)
    transform = name_transform(spec, checkpoint, scope)
    return lambda path: spec.export(path, checkpoint_path=checkpoint, name_transform_fn=transform)


def _whole(write: Callable[[str], None], path: str) -> None:
    try:
        with files.whole_folder(path) as scratch:
            write(scratch)
    except FileExistsError as error:
        raise files.export_path_taken(path) from error


def _check_target(to: Any) -> None:
    if to not in get_args(Target):
        known = ", ".join(map(repr, get_args(Target)))
        raise errors.InvalidSettingError(f"convert.to is {to!r}; it must be one of {known}.")
