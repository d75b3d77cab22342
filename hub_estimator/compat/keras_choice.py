"""Which Keras `tf.keras` is, on TensorFlow 2.16 and newer: Keras 3, or legacy Keras by choice.

TensorFlow takes the environment variable TF_USE_LEGACY_KERAS for the choice, once when it is
imported, and again when `tf.keras` is first used. Importing this imports no TensorFlow.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from importlib import metadata
from typing import Any

from hub_estimator import errors

VARIABLE = "TF_USE_LEGACY_KERAS"
KERAS_3_IN_USE = (
    "install(legacy_keras=True) cannot make tf.keras legacy Keras: this process has used it as "
    f"Keras 3 already. Call install before anything uses tf.keras, or start the program with "
    f"{VARIABLE}=1."
)

_YES = ("1", "true", "True")  # the values that TensorFlow takes for a yes
# The folders in which `import tensorflow.keras.layers` and its likes find their modules.
_FOLDERS_OF = {
    "tensorflow": "tf_keras.api._v2.keras",
    "tensorflow.compat.v1": "tf_keras.api._v1.keras",
    "tensorflow.compat.v2": "tf_keras.api._v2.keras",
}


def choose_legacy_keras(must: bool = False) -> None:
    """Makes `tf.keras` legacy Keras in this process, where it would be Keras 3.

    Args:
      must: whether it is to be so although a variable of the environment chose otherwise. Else what
        somebody chose stays, and so does what somebody has used.

    Raises:
      errors.LegacyKerasError: it must be so, and Keras 3 is in use already.
    """
    if not _keras_is_3() or (VARIABLE in os.environ and not must):
        return
    if os.environ.get(VARIABLE) in _YES:
        return
    if _is_in_use():
        if must:
            raise errors.LegacyKerasError(KERAS_3_IN_USE)
        return
    os.environ[VARIABLE] = "1"
    for name, keras in _FOLDERS_OF.items():
        if name in sys.modules:  # it has chosen its folders before
            _put_first(sys.modules[name], keras)


def _keras_is_3() -> bool:
    # TensorFlow 2.15 comes with Keras 2. Asking for the package's version imports nothing.
    try:
        return not metadata.version("keras").startswith("2.")
    except metadata.PackageNotFoundError:
        return True


def _is_in_use() -> bool:
    """Whether `tf.keras` was used in this process; until then a loader is in its place."""
    tensorflow = sys.modules.get("tensorflow")
    return tensorflow is not None and getattr(tensorflow.keras, "_tfll_initialized", True)


def _put_first(module: Any, keras: str) -> None:
    spec = importlib.util.find_spec(keras)
    if spec is not None and spec.origin is not None:
        module.__path__ = [os.path.dirname(os.path.dirname(spec.origin)), *module.__path__]
