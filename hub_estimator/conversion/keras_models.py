"""Models of Keras 3 and of legacy Keras as TF2 SavedModels with the reusable interface."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from hub_estimator import compat, errors, texts
from hub_estimator.conversion.keras_files import keras_version

_MOST_SAID = 600  # characters
_ANOTHER_WAY = (
    "Call the model once on a batch before, or build it of keras.Input. Or save it with an "
    "input_signature of your own, model.export(folder, input_signature=...), and convert that folder."
)


def open_keras_file(path: str) -> Any:
    """Returns the model in a `.keras` file.

    Args:
      path: the file, on the local disk.

    Raises:
      errors.KerasFileError: it brings code of its own, is damaged, or names what is not known here.
      errors.LegacyKerasError: legacy Keras, which wrote it, is not installed.
      errors.KerasNotFoundError: Keras 3, which wrote it, is not installed.
      errors.KerasBackendError: it computes with another library than TensorFlow.
    """
    is_legacy = keras_version(path).startswith("2.")
    keras = compat.legacy_keras() if is_legacy else compat.keras_3_on_tensorflow()
    try:
        with compat.legacy_keras_names():
            return keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # of the file: Keras raises all kinds
        raise errors.KerasFileError(
            f"Keras cannot open {path} ({_said(error)}). If it has layers of your own, load it in "
            "Python, where they are known, and pass the model to hub.convert."
        ) from error


def is_keras(value: Any) -> bool:
    """Whether something is a model or a layer of Keras 3 or of legacy Keras."""
    return compat.is_keras_3(value) or compat.is_legacy_keras(value)


def save_keras(model: Any, folder: str) -> list[str] | None:
    """Writes a model as a TF2 SavedModel.

    Args:
      model: a model or a layer of Keras 3, or of legacy Keras.
      folder: where.

    Returns:
      The names of the variables of what is written, in their order; None where that knows them.

    Raises:
      errors.NotConvertibleError: what it takes is not known, or it cannot be saved.
    """
    try:
        if compat.is_keras_3(model):
            return _save_keras_3(model, folder)
        is_model = isinstance(model, compat.legacy_keras().Model)
        if is_model and model.save_spec() is None:
            raise _unknown_inputs(model)
        tf.saved_model.save(model, folder)
        return None
    except (errors.Error, OSError, MemoryError, tf.errors.OpError):
        raise
    except Exception as error:  # of the model's own code
        raise errors.NotConvertibleError(
            f"Keras cannot save the model {model.name!r} ({_said(error)}). {_ANOTHER_WAY}"
        ) from error


def _save_keras_3(model: Any, folder: str) -> list[str]:
    compat.keras_3_on_tensorflow()  # which says what is wrong with its backend
    inputs = compat.keras_3_inputs(model)
    if inputs is None:
        raise _unknown_inputs(model)
    exported = _Exported(model)
    for training in (False, True):
        exported.__call__.get_concrete_function(inputs, training=training)
    tf.saved_model.save(exported, folder, signatures={})
    # Within the model that is the module, its own name says nothing.
    return [variable.path.removeprefix(f"{model.name}/") for variable in model.variables]


def _unknown_inputs(model: Any) -> errors.NotConvertibleError:
    return errors.NotConvertibleError(
        f"What the model {model.name!r} takes is not known. {_ANOTHER_WAY}"
    )


def _said(error: Exception) -> str:
    """What an error of Keras says, which may hold the whole configuration of a model."""
    return f"{type(error).__name__}: {texts.one_line(str(error), _MOST_SAID)}"


class _Exported(tf.train.Checkpoint):
    """A model of Keras 3 with the reusable interface.

    Args:
      model: the model.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model
        self.variables = [variable.value for variable in model.variables]
        self.trainable_variables = [variable.value for variable in model.trainable_variables]
        self.regularization_losses = [
            tf.function(_loss(variable), input_signature=[])
            for variable in model.trainable_variables
            if variable.regularizer is not None
        ]

    @tf.function(autograph=False)
    def __call__(self, inputs: Any, training: bool = False) -> Any:
        outputs = self.model(inputs, training=training)
        names = getattr(self.model, "output_names", None)
        if isinstance(outputs, Sequence) and names and len(names) == len(outputs):
            return dict(zip(names, outputs, strict=True))
        return dict(outputs) if isinstance(outputs, Mapping) else outputs


def _loss(variable: Any) -> Callable[[], tf.Tensor]:
    return lambda: variable.regularizer(variable.value)
