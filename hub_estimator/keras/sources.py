"""What a layer's handle stands for: something to call, its variables, and its losses."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from hub_estimator import errors, layout, texts
from hub_estimator.format.origin import Origin, find
from hub_estimator.format.read import spec_at
from hub_estimator.format.variant import DEFAULT
from hub_estimator.graph.loading import load_at
from hub_estimator.graph.reusable.module import ReusableModule
from hub_estimator.keras.functions import Function, ModuleFunction, function_of, signature_of
from hub_estimator.keras.layer_settings import LayerSettings


@dataclasses.dataclass(frozen=True)
class Source:
    """What a layer computes with.

    Attributes:
      loaded: the object that was loaded or given.
      function: what a call of the layer calls.
      variables: all variables, in an order that does not depend on what is trained.
      trainable_variables: those of them that training may change.
      losses: functions of no arguments; each gives a scalar to add to the loss in training.
      output_key: which output of a dict a call gives; None is the outputs as they are.
    """

    loaded: Any
    function: Function
    variables: Sequence[tf.Variable]
    trainable_variables: Sequence[tf.Variable]
    losses: Sequence[Callable[[], Any]]
    output_key: str | None


def open_source(settings: LayerSettings) -> Source:
    """Returns what a layer of these settings computes with, loaded where it has a handle.

    Raises:
      errors.LayerSettingsError: the object cannot be used as the settings say.
      errors.SignatureNotFoundError: it has no such signature.
      errors.Error: what `hub.load` raises.
    """
    if not settings.is_named:
        return _object(settings.handle, settings)
    origin = find(settings.handle)
    if layout.kind_of(origin.folder) is layout.FolderKind.HUB_MODULE:
        return _hub_module(origin, settings)
    return _object(load_at(origin, settings.tags, settings.load_options), settings)


def _hub_module(origin: Origin, settings: LayerSettings) -> Source:
    # Always with what training needs: whether a layer is trained may change at any time.
    module = ReusableModule(spec_at(origin), settings.pattern or True, settings.tags)
    signature = settings.signature or DEFAULT
    key = settings.output_key
    if key is None and not settings.outputs_as_dict:
        key = DEFAULT
    outputs = module.spec.get_output_info_dict(signature, settings.tags)
    if key is not None and key not in outputs:
        raise errors.OutputNotFoundError(
            f"The signature {texts.shown(signature)} of {settings.shown} has no output "
            f"{texts.shown(key)}. Pass output_key=, one of: {texts.shown_names(sorted(outputs))}; or "
            "signature_outputs_as_dict=True for all."
        )
    inputs = module.spec.get_input_info_dict(signature, settings.tags)
    function = ModuleFunction(
        module,
        signature=signature,
        by_name=True,
        takes_training=True,
        inputs=[{name: info.type_spec for name, info in inputs.items()}],
    )
    trained, losses = module.trainable_variables, module.regularization_losses
    return Source(module, function, module.variables, trained, losses, key)


def _object(loaded: Any, settings: LayerSettings) -> Source:
    function = _function(loaded, settings)
    trained = _variables(loaded, "trainable_variables")
    known = {id(variable) for variable in trained}
    others = [item for item in _variables(loaded, "variables") if id(item) not in known]
    losses = _losses(loaded, settings)
    return Source(loaded, function, [*trained, *others], trained, losses, settings.output_key)


def _function(loaded: Any, settings: LayerSettings) -> Function:
    if settings.signature is not None:
        return _signature(loaded, settings)
    if settings.outputs_as_dict:
        raise errors.LayerSettingsError(
            "signature_outputs_as_dict=True is for signatures, and none is chosen: pass signature=, "
            f"one of: {_names(loaded)}."
        )
    if callable(loaded):
        return function_of(loaded)
    if not getattr(loaded, "signatures", None):
        raise errors.LayerSettingsError(
            f"handle is {settings.shown}, which is neither a handle nor callable. Give the folder or the "
            "URL of a module, or a callable."
        )
    raise errors.LayerSettingsError(
        f"{settings.shown} is not callable as a whole. Pass signature=, one of: {_names(loaded)}; with "
        "it output_key=, or signature_outputs_as_dict=True."
    )


def _signature(loaded: Any, settings: LayerSettings) -> Function:
    if settings.output_key is None and not settings.outputs_as_dict:
        raise errors.LayerSettingsError(
            f"A call of the signature {texts.shown(settings.signature)} gives its outputs by name. Pass "
            "output_key= for one of them, or signature_outputs_as_dict=True for all."
        )
    signatures = getattr(loaded, "signatures", {})
    if settings.signature not in signatures:
        raise errors.SignatureNotFoundError(
            f"{settings.shown} has no signature {texts.shown(settings.signature)}. "
            f"It has: {_names(loaded)}."
        )
    return signature_of(signatures[settings.signature])


def _names(loaded: Any) -> str:
    return texts.shown_names(sorted(getattr(loaded, "signatures", {}))) or "none"


def _variables(loaded: Any, name: str) -> list[tf.Variable]:
    """Returns variables of TensorFlow that an object lists; Keras finds those of its own."""
    listed = getattr(loaded, name, None) or ()
    return [variable for variable in listed if isinstance(variable, tf.Variable)]


def _losses(loaded: Any, settings: LayerSettings) -> list[Callable[[], Any]]:
    losses = list(getattr(loaded, "regularization_losses", None) or ())
    if not all(map(callable, losses)):
        raise errors.LayerSettingsError(
            f"regularization_losses of {settings.shown} has what is not callable. Each must be a "
            "function without arguments that gives a scalar."
        )
    return losses
