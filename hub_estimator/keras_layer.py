"""`hub.KerasLayer`, which is not part of this release: programs can import it, and are told so."""

from __future__ import annotations

from typing import Any, NoReturn

from hub_estimator import errors

NOT_YET = (
    "hub.KerasLayer is not part of this release of hub_estimator yet. Use hub.load(handle): what it "
    "returns has the signatures and the variables of the module. In a model_fn use "
    "hub.Module(handle), and for a whole model python -m hub_estimator.train. For TF2 SavedModels in "
    "Keras itself there is keras.layers.TFSMLayer(hub.resolve(handle), call_endpoint=...)."
)


class KerasLayer:
    """Will be a Keras layer around a module or a SavedModel; making one raises `NotYetError`."""

    def __new__(cls, *args: Any, **kwargs: Any) -> NoReturn:
        """Raises the error that says what to use."""
        raise errors.NotYetError(NOT_YET)
