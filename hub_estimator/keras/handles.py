"""Where the modules of saved models are now, if not where they were."""

from __future__ import annotations

import contextlib
import contextvars
import os
from collections.abc import Iterator, Mapping

from hub_estimator import errors, files

_MOVED: contextvars.ContextVar[Mapping[str, str] | None] = contextvars.ContextVar(
    "moved_handles", default=None
)


@contextlib.contextmanager
def moved_handles(places: Mapping[files.PathLike, files.PathLike]) -> Iterator[None]:
    """Says where modules are now, to what loads models in this context.

        with hub.keras.moved_handles({"/old/module": "/new/module"}):
            model = keras.models.load_model("model.keras")

    The layers keep the new handles: saved again, the model names those.

    Args:
      places: for each handle as the saved model has it, the one to use in its place.
    """
    outer = _MOVED.get() or {}
    token = _MOVED.set({**outer, **{_text(old): _text(new) for old, new in places.items()}})
    try:
        yield
    finally:
        _MOVED.reset(token)


def current_handle(handle: str) -> str:
    """Returns the handle to use for one of a saved model."""
    return (_MOVED.get() or {}).get(handle, handle)


def not_there(handle: str, layer: str, error: errors.HandleError) -> errors.LayerHandleError:
    """Returns the error that tells what to do where the module of a saved layer is not to be had.

    Args:
      handle: the layer's handle.
      layer: the layer's name.
      error: why it cannot be had.
    """
    return errors.LayerHandleError(
        f"The saved layer {layer!r} computes with the module {handle!r}, which cannot be had: {error} "
        "If it is in another place now, load the model in the context "
        f"`with hub.keras.moved_handles({{{handle!r}: <new handle>}}):`."
    )


def _text(handle: files.PathLike) -> str:
    return os.fsdecode(handle)
