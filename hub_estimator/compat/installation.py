"""Puts back what TensorFlow removed, under the names that existing programs import."""

from __future__ import annotations

import importlib
import re
import sys
from types import ModuleType
from typing import Any, Literal

from hub_estimator.compat.aliases import add_alias
from hub_estimator.compat.legacy_keras import MissingLayers, is_legacy_keras_in_use
from hub_estimator.compat.noise import silence_deprecations
from hub_estimator.compat.reductions import reduce_to_one_device_in_sessions
from hub_estimator.compat.releases import ships_estimator
from hub_estimator.compat.stand_ins import estimator_module
from hub_estimator.errors import NameInUseError

HUB_IN_USE = (
    "install(tensorflow_hub=True) cannot give hub_estimator the name tensorflow_hub: the package "
    "tensorflow_hub in %s has been imported already. Call install before anything imports "
    "tensorflow_hub, or leave tensorflow_hub=True out."
)

_PACKAGE = __name__.partition(".")[0]
# TensorFlow's API is there several times: as `tensorflow.compat.v1`, as the `compat.v1` inside
# that, and as the folders that these are made from. All are different modules.
_NAMESPACE = re.compile(r"tensorflow(\._api\.v2)?(\.compat\.v[12])*")
_NAMESPACES_TO_IMPORT = (
    *("tensorflow.compat.v1", "tensorflow.compat.v2"),
    *("tensorflow.compat.v1.compat.v1", "tensorflow.compat.v1.compat.v2"),
)
_API = "tensorflow_estimator.python.estimator.api._%s.estimator"
# Modules of tensorflow_hub that programs reach into. All that is public in them is in our package.
_HUB_MODULES = (
    *("feature_column", "feature_column_v2", "image_util", "keras_layer", "module", "module_spec"),
    *("module_v2", "native_module", "saved_model_module"),
)


def install(tensorflow_hub: bool = False) -> None:
    """Makes programs for TensorFlow 2.15 and before, down to 1.15, importable on newer ones.

    Afterwards there are, where they were missing: `tf.estimator`, `tf.compat.v1.estimator` and
    every other spelling of them, a `tf.compat.v1.layers` that works or says why not, and
    `tensorflow.python.layers`; `import gin.tf` works. What TensorFlow has is left as it is.
    Upstream's deprecation notices are silenced. Calling it again changes nothing.

    Args:
      tensorflow_hub: whether `import tensorflow_hub` is to give `hub_estimator`.

    Raises:
      NameInUseError: another package is in use as `tensorflow_hub`; nothing is installed then.
    """
    if tensorflow_hub:
        _check_hub_name()
    silence_deprecations()
    reduce_to_one_device_in_sessions()
    # Missing in all releases: they look for these in a place where tf-keras has never had them.
    add_alias("tf_keras.legacy_tf_layers", "tf_keras.src.legacy_tf_layers")
    # A spelling that public programs use and no release of tensorflow_estimator has.
    add_alias("tensorflow_estimator.compat", "tensorflow_estimator._api")
    if not ships_estimator():
        _install_in_tensorflow()
    if tensorflow_hub:
        _install_hub_name()


def _install_in_tensorflow() -> None:
    for name in _NAMESPACES_TO_IMPORT:
        importlib.import_module(name)
    layers = None if is_legacy_keras_in_use() else MissingLayers()
    for name in [name for name in sys.modules if _NAMESPACE.fullmatch(name)]:
        namespace: Any = sys.modules[name]
        api: Literal["v1", "v2"] = "v1" if name.endswith("v1") else "v2"
        add_alias(f"{name}.estimator", _API % api)
        if not hasattr(namespace, "estimator"):
            namespace.estimator = estimator_module(api)
        if api == "v1" and layers is not None:
            namespace.layers = layers


def _check_hub_name() -> None:
    current = sys.modules.get("tensorflow_hub")
    if current is not None and current is not sys.modules[_PACKAGE]:
        raise NameInUseError(HUB_IN_USE % getattr(current, "__file__", "an unknown place"))


def _install_hub_name() -> None:
    package = sys.modules[_PACKAGE]
    add_alias("tensorflow_hub", _PACKAGE)
    sys.modules["tensorflow_hub"] = package  # even where the other package is installed
    for name in _HUB_MODULES:
        module = sys.modules.setdefault(f"tensorflow_hub.{name}", _HubModule(name))
        if name not in vars(package):
            setattr(package, name, module)


class _HubModule(ModuleType):
    """A module of tensorflow_hub, whose public names are those of our package."""

    def __init__(self, name: str) -> None:
        super().__init__(f"tensorflow_hub.{name}")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return getattr(sys.modules[_PACKAGE], name)
