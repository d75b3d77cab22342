"""Lets `hub_estimator` stand in for `tensorflow_hub`: its modules, and what is in them."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

from hub_estimator import errors
from hub_estimator.compat import hub_flags
from hub_estimator.compat.aliases import add_absent, add_alias

HUB_IN_USE = (
    "install(tensorflow_hub=True) cannot give hub_estimator the name tensorflow_hub: the package "
    "tensorflow_hub in %s has been imported already. Call install before anything imports "
    "tensorflow_hub, or leave tensorflow_hub=True out."
)
NO_TOOLS = (
    "tensorflow_hub.tools is no part of hub_estimator. To train an image classifier on a module: "
    "python -m hub_estimator.train --gin_file=image_classification.gin."
)
NO_REGISTRY = (
    "hub_estimator has no registry of resolvers or loaders. Give a resolver of your own to "
    "hub.resolve(handle, resolvers=[...]), and the folder that it returns to hub.Module or hub.load."
)
INNER = (
    "%s.%s is an inner part of tensorflow_hub that hub_estimator does not have. "
    "What programs can use is in the package itself: import tensorflow_hub as hub; dir(hub)."
)

_NAME = "tensorflow_hub"
_PACKAGE = __name__.partition(".")[0]
_PROTOS = f"{_PACKAGE}.format.protos"
# The modules of tensorflow_hub, in any of its releases, of which our package has none with the same
# name; and those of our modules that have their names where the package itself has not.
_MODULES: dict[str, tuple[str, ...]] = {
    "compressed_module_resolver": (),
    "feature_column": (),
    "feature_column_v2": (),
    "file_utils": (),
    "image_module_info_pb2": (_PROTOS,),
    "image_util": (f"{_PACKAGE}.graph.images",),
    "keras_layer": (),
    "meta_graph_lib": (),
    "module": (),
    "module_attachment_pb2": (_PROTOS,),
    "module_def_pb2": (_PROTOS,),
    "module_impl": (),
    "module_spec": (),
    "module_v2": (),
    "native_module": (),
    "saved_model_lib": (),
    "saved_model_module": (f"{_PACKAGE}.graph.defining.saved_models",),
    "tensor_info": (),
    "tf_utils": (),
    "tf_v1": ("tensorflow.compat.v1",),
    "uncompressed_module_resolver": (),
}


def check() -> None:
    """Checks that nothing else is in use as `tensorflow_hub`.

    Raises:
      errors.NameInUseError: another package is.
    """
    current = sys.modules.get(_NAME)
    if current is not None and current is not sys.modules[_PACKAGE]:
        raise errors.NameInUseError(HUB_IN_USE % getattr(current, "__file__", "an unknown place"))


def install() -> None:
    """Makes `import tensorflow_hub`, and of what is in it, give what our package has of it."""
    package = sys.modules[_PACKAGE]
    add_alias(_NAME, _PACKAGE)
    sys.modules[_NAME] = package  # even where the other package is installed
    for name, sources in _MODULES.items():
        _add(name, _HubModule(name, (_PACKAGE, *sources)))
    registry: Any = _HubModule("registry", (), NO_REGISTRY)
    registry.resolver = _ResolverRegistry()
    _add("registry", registry)
    for parent in (_NAME, _PACKAGE):  # `from tensorflow_hub import tools` asks for the latter
        add_absent(f"{parent}.tools", NO_TOOLS)
    hub_flags.define()


def _add(name: str, module: ModuleType) -> None:
    """Adds a module, where there is none of the name, and the attribute that importing adds."""
    package = sys.modules[_PACKAGE]
    module = sys.modules.setdefault(f"{_NAME}.{name}", module)
    if name not in vars(package):
        setattr(package, name, module)


class _HubModule(ModuleType):
    """A module of tensorflow_hub, whose names are those of modules of ours.

    Args:
      name: its name in tensorflow_hub.
      sources: the modules that are asked in turn; of our package only what is public counts.
      why: the message about a name that none of them has.
    """

    def __init__(self, name: str, sources: tuple[str, ...], why: str = "") -> None:
        super().__init__(f"{_NAME}.{name}")
        # Errors of `from ... import` show no message but this: where to look.
        self.__file__ = __file__
        self._sources, self._why = sources, why

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        for source in map(importlib.import_module, self._sources):
            is_package = source.__name__ == _PACKAGE
            if name in source.__all__ if is_package else hasattr(source, name):
                return getattr(source, name)
        raise errors.NotInHubError(self._why or INNER % (self.__name__, name))


class _ResolverRegistry:
    """What `tensorflow_hub.registry.resolver` is: it resolves handles, and takes no resolvers."""

    def __call__(self, handle: Any) -> str:
        """Returns the folder of a handle."""
        return sys.modules[_PACKAGE].resolve(handle)

    def add_implementation(self, resolver: Any) -> None:
        """Says what to do instead."""
        raise errors.NotInHubError(NO_REGISTRY)
