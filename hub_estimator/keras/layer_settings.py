"""What a layer was made with: the arguments of `hub.KerasLayer`, checked."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Mapping
from typing import Any

from hub_estimator import errors, texts
from hub_estimator.resolver import Handle

NO_CONFIG = (
    "A layer made with an object, %s, has no configuration: a saved model could not make it again. Make "
    "it with a handle, hub.KerasLayer('/path/or/url'), or save weights alone: model.save_weights(...)."
)


@dataclasses.dataclass(frozen=True)
class LayerSettings:
    """What a layer computes with, and how.

    Attributes:
      handle: a handle, or a callable or loaded object.
      arguments: arguments by name that every call of the function gets beside its inputs.
      tags: the tags of the graph variant; None is the only one, or that for inference.
      signature: the signature to call; None is the object itself, or `"default"` of a TF1 Hub module.
      outputs_as_dict: whether a call gives all outputs of the signature by name.
      output_key: which output of a dict a call gives.
      output_shape: what the outputs' shapes are without the batch size, nested as they are.
      load_options: a `tf.saved_model.LoadOptions`.
      pattern: a regular expression of the names of variables that are trained; None is all that
        the publisher trains.
    """

    handle: Any
    arguments: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    tags: frozenset[str] | None = None
    signature: str | None = None
    outputs_as_dict: bool = False
    output_key: str | None = None
    output_shape: Any = None
    load_options: Any = None
    pattern: str | None = None

    @property
    def is_named(self) -> bool:
        """Whether there is a handle, rather than an object."""
        return isinstance(self.handle, str)

    @property
    def public_handle(self) -> str:
        """The handle without a login."""
        parsed = Handle.parse(self.handle)
        return str(parsed) if parsed.is_url else self.handle

    @property
    def shown(self) -> str:
        """What messages call that which the layer computes with."""
        return (
            texts.shown(self.public_handle) if self.is_named else f"a {type(self.handle).__name__}"
        )

    def check(self) -> None:
        """Checks what can be said before anything is loaded.

        Raises:
          errors.LayerSettingsError: settings contradict one another.
        """
        if self.outputs_as_dict and self.output_key is not None:
            raise errors.LayerSettingsError(
                "signature_outputs_as_dict=True gives all outputs, and output_key="
                f"{texts.shown(self.output_key)} one of them. Pass one of the two."
            )
        if self.is_named:
            return
        for name, value in (("tags", self.tags), ("load_options", self.load_options)):
            if value is not None:
                raise errors.LayerSettingsError(
                    f"{name} is for loading what a handle names, and {self.shown} is loaded already. "
                    f"Leave {name} out, or pass the handle."
                )

    def config(self) -> dict[str, Any]:
        """Returns what of it a layer's configuration has: no login, and no options of loading.

        JSON can hold it, if it can hold `arguments`.

        Raises:
          errors.LayerConfigError: there is an object in place of a handle.
        """
        if not self.is_named:
            raise errors.LayerConfigError(NO_CONFIG % self.shown)
        options = {
            "arguments": dict(self.arguments) or None,
            "tags": None if self.tags is None else sorted(self.tags),
            "signature": self.signature,
            "signature_outputs_as_dict": self.outputs_as_dict or None,
            "output_key": self.output_key,
            "output_shape": _plain(self.output_shape),
        }
        given = {name: value for name, value in options.items() if value is not None}
        return {"handle": self.public_handle, **given}


def layer_settings(
    handle: Any,
    trainable: bool | str,
    arguments: Mapping[str, Any] | None,
    tags: Iterable[str] | None,
    signature: str | None,
    signature_outputs_as_dict: bool | None,
    output_key: str | None,
    output_shape: Any,
    load_options: Any,
) -> LayerSettings:
    """Returns the settings that the arguments of a layer's constructor say, checked."""
    if isinstance(handle, (bytes, os.PathLike)):
        handle = os.fsdecode(handle)
    settings = LayerSettings(
        handle=handle,
        arguments={} if arguments is None else dict(arguments),
        tags=None if tags is None else frozenset([tags] if isinstance(tags, str) else tags),
        signature=signature,
        outputs_as_dict=bool(signature_outputs_as_dict),
        output_key=output_key,
        output_shape=output_shape,
        load_options=load_options,
        pattern=trainable if isinstance(trainable, str) else None,
    )
    settings.check()
    return settings


def _plain(shape: Any) -> Any:
    """Returns an output shape, nested or not, as JSON has it."""
    if isinstance(shape, Mapping):
        return {key: _plain(value) for key, value in shape.items()}
    if hasattr(shape, "as_list"):
        return shape.as_list()
    return [_plain(value) for value in shape] if isinstance(shape, (list, tuple)) else shape
