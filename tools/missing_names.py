"""Finds the names of TensorFlow 2.15 and tensorflow_hub 0.15 that programs cannot import here.

    python tools/missing_names.py           # those of names_2_15.txt that are not here, by module
    python tools/missing_names.py --list    # in an environment with both: writes names_2_15.txt

The list has what concerns Estimators, hub, layers and TPU Estimators: public names, and private
modules, which programs import too. docs/compat.md says for each missing one why it is.
"""

from __future__ import annotations

import importlib
import inspect
import pathlib
import pkgutil
import sys
import textwrap
import types
from collections.abc import Iterator, Mapping

LIST = pathlib.Path(__file__).with_name("names_2_15.txt")
HEADER = """\
# What TensorFlow 2.15.1 and tensorflow_hub 0.15.0 have for Estimators, hub, layers and TPU
# Estimators: modules, and under each its names. Written by tools/missing_names.py --list.
"""
# Public namespaces, with those inside of them.
NAMESPACES = [
    *("tensorflow.estimator", "tensorflow.feature_column", "tensorflow.distribute"),
    *("tensorflow.data.experimental", "tensorflow.keras.estimator", "tensorflow.tpu"),
    *(
        f"tensorflow.compat.v1.{name}"
        for name in (
            *("data.experimental", "distribute", "estimator", "feature_column", "keras.estimator"),
            *("layers", "losses", "metrics", "nn.rnn_cell", "saved_model", "summary", "tpu"),
            "train",
        )
    ),
]
# Private packages, with the modules in them, and single private modules.
PACKAGES = [
    *("tensorflow.python.data.experimental", "tensorflow.python.estimator"),
    *("tensorflow.python.feature_column", "tensorflow.python.layers", "tensorflow.python.tpu"),
    *("tensorflow.python.training", "tensorflow_hub"),
]
MODULES = [
    *("tensorflow.python.distribute.distribute_config", "tensorflow.python.ops.variable_scope"),
    "tensorflow.python.distribute.estimator_training",
]
# Of which the modules are the same here and there, and need only be importable.
SAME = ["tensorflow_estimator"]
# Modules that earlier releases of tensorflow_hub had.
EARLIER = ["tensorflow_hub.tf_v1", "tensorflow_hub.tools"]
# What public namespaces are made of; they have other modules too.
_API = ("tensorflow._api.", "tensorflow_estimator.python.estimator.api.", "keras.api.")
_OURS = ("tensorflow", "keras", "tf_keras")

Names = Mapping[str, list[str]]
"""The names in each module, both sorted."""


def parse(text: str) -> Names:
    """Returns names from a text as `as_text` returns it; lines with a # do not count."""
    found: dict[str, list[str]] = {}
    module = ""
    for line in text.splitlines():
        if line.startswith(" "):
            found[module] += line.split()
        elif not line.startswith("#"):
            module = line
            found[module] = []
    return found


def missing(names: Names) -> Names:
    """Returns those names that cannot be imported; a module that cannot be has no names.

    `hub_estimator.compat.install` is called before by whoever asks.
    """
    found = {}
    for module, inside in names.items():
        value = _find(module)
        if value is None:
            found[module] = []
        elif absent := [name for name in inside if not hasattr(value, name)]:
            found[module] = absent
    return found


def _find(name: str) -> object | None:
    """Returns a module, or an object that programs reach by attributes alone."""
    try:
        return importlib.import_module(name)
    except ImportError:
        parent, _, last = name.rpartition(".")
        return getattr(_find(parent), last, None) if parent else None


def names_here() -> Names:
    """Returns what the list is made from, in this environment."""
    found = {}
    for name in NAMESPACES:
        found |= _namespace(name, _find(name))
    for module in [*MODULES, *(inner for name in PACKAGES for inner in _modules(name))]:
        found[module] = _defined_in(importlib.import_module(module))
    for module in [*EARLIER, *(inner for name in SAME for inner in _modules(name))]:
        found[module] = []
    return dict(sorted(found.items()))


def _namespace(name: str, value: object) -> dict[str, list[str]]:
    inside = {
        attribute: getattr(value, attribute)
        for attribute in dir(value)
        if not attribute.startswith("_")
    }
    found = {name: sorted(inside)}
    for attribute, child in inside.items():
        if isinstance(child, types.ModuleType) and child.__name__.startswith(_API):
            found |= _namespace(f"{name}.{attribute}", child)
    return found


def _modules(package: str) -> Iterator[str]:
    yield package
    folders = importlib.import_module(package).__path__
    for module in pkgutil.walk_packages(folders, f"{package}."):
        last = module.name.rpartition(".")[2]
        if last[0] != "_" and not last.endswith(("_test", "test_utils", "testing_utils")):
            yield module.name


def _defined_in(module: types.ModuleType) -> list[str]:
    """Returns the module's public names, without those of other packages and of modules."""

    def is_of_tensorflow(value: object) -> bool:
        if inspect.isclass(value) or inspect.isroutine(value):
            return (value.__module__ or "").startswith(_OURS)
        if inspect.ismodule(value):
            return False
        return type(value).__module__.startswith(("builtins", "tensorflow"))

    values = vars(module).items()
    return sorted(name for name, value in values if name[0] != "_" and is_of_tensorflow(value))


def as_text(names: Names) -> str:
    """Returns names as the list has them."""
    lines = []
    for module, inside in names.items():
        wrapped = textwrap.wrap(" ".join(inside), 98, initial_indent="  ", subsequent_indent="  ")
        lines += [module, *wrapped]
    return "".join(f"{line}\n" for line in lines)


def main(argv: list[str]) -> None:
    """Writes the list, or prints what is missing."""
    if argv[1:] == ["--list"]:
        LIST.write_text(HEADER + as_text(names_here()), "utf-8")
        return
    from hub_estimator import compat

    compat.install(tensorflow_hub=True)
    print(as_text(missing(parse(LIST.read_text("utf-8")))), end="")


if __name__ == "__main__":
    main(sys.argv)
