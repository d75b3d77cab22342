"""Which modules of a graph are exported, and under which names."""

from __future__ import annotations

from typing import Any, Protocol

import tensorflow as tf

from hub_estimator import errors, files
from hub_estimator.graph.instance import replicas

# Not a string: TensorFlow then leaves the collection out of saved graphs, where it cannot be.
REGISTERED: Any = ("hub_estimator", "modules for export")


class Exportable(Protocol):
    """What can be registered: a `Module`, or what else can be written as one."""

    def export(self, path: str, session: tf.compat.v1.Session) -> None:
        """Writes a module with the values that the variables have in a session of their graph."""


def register_module_for_export(module: Exportable, export_name: str) -> None:
    """Registers a module for export under a name, when called in a `model_fn`.

    Exporters such as `LatestModuleExporter` build the model for prediction and export the modules
    registered there; registering in other modes does no harm.

    Args:
      module: a `Module` in the default graph, or something else with its `export`. It may be
        registered under several names.
      export_name: the name of the module's folder in each export.

    Raises:
      errors.DuplicateNameError: another module of this graph has this name.
      errors.InvalidPathNameError: it cannot be the name of a folder.
    """
    files.check_name("The export name", export_name)
    if replicas.index():
        return  # the first replica of a strategy registered the same variables
    if export_name in registered_modules():
        raise errors.DuplicateNameError(f"There is already a module registered as {export_name!r}.")
    tf.compat.v1.add_to_collection(REGISTERED, (export_name, module))


def registered_modules(graph: tf.Graph | None = None) -> dict[str, Exportable]:
    """Returns what is registered, by name.

    Args:
      graph: where it was registered; None is the default graph.
    """
    graph = tf.compat.v1.get_default_graph() if graph is None else graph
    return dict(graph.get_collection(REGISTERED))
