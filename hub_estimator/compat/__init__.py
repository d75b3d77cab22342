"""Every difference between TensorFlow releases, and every private TensorFlow name.

Importing it does not import TensorFlow; using one of its names does.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hub_estimator.compat.eager_objects import eagerly, resource_functions
    from hub_estimator.compat.feature_columns import ColumnState, DenseColumn
    from hub_estimator.compat.graphs import (
        add_child,
        add_gradients,
        adds_dependencies,
        capture,
        colocate,
        function_def,
        is_function_graph,
        is_inside,
        is_watched,
        load_functions,
        variable_from_proto,
        watch,
    )
    from hub_estimator.compat.heads import head_class, head_details
    from hub_estimator.compat.hub_flags import flag_settings
    from hub_estimator.compat.installing import install
    from hub_estimator.compat.keras_2 import is_legacy_keras, legacy_keras, legacy_layers
    from hub_estimator.compat.keras_3 import (
        import_keras_3,
        is_keras_3,
        keras_3_inputs,
        keras_3_on_tensorflow,
        keras_tensor_spec,
    )
    from hub_estimator.compat.keras_choice import choose_legacy_keras
    from hub_estimator.compat.keras_layers import (
        guard_sequential,
        in_other_keras,
        keras_variable,
        tf_keras_is_3,
    )
    from hub_estimator.compat.keras_names import legacy_keras_names
    from hub_estimator.compat.meta_graphs import strip_default_attributes
    from hub_estimator.compat.mirrored_workers import adds_up_rows, takes_saving_listeners
    from hub_estimator.compat.nested import decode_type_spec, encode_type_spec
    from hub_estimator.compat.noise import silence_deprecations
    from hub_estimator.compat.op_defs import (
        is_own_op,
        is_stateful,
        knows_op,
        makes_state,
        op_attr_names,
        op_attr_types,
        op_outputs_state,
        output_sizes,
    )
    from hub_estimator.compat.releases import ships_estimator, tf_version
    from hub_estimator.compat.row_gradients import (
        hasten_row_gradients,
        is_row_sum,
        trains_row_sums,
    )
    from hub_estimator.compat.row_updates import hasten_row_updates, rows_once
    from hub_estimator.compat.savers import FlushedSaver, keep_all
    from hub_estimator.compat.stand_ins import estimator_module
    from hub_estimator.compat.tensorboard import missing_for_tensorboard
    from hub_estimator.compat.tf1.program_imports import give_programs_tf1

_WHERE = {
    "ColumnState": "feature_columns",
    "DenseColumn": "feature_columns",
    "FlushedSaver": "savers",
    "add_gradients": "graphs",
    "add_child": "graphs",
    "adds_dependencies": "graphs",
    "adds_up_rows": "mirrored_workers",
    "capture": "graphs",
    "choose_legacy_keras": "keras_choice",
    "colocate": "graphs",
    "decode_type_spec": "nested",
    "eagerly": "eager_objects",
    "encode_type_spec": "nested",
    "estimator_module": "stand_ins",
    "flag_settings": "hub_flags",
    "function_def": "graphs",
    "give_programs_tf1": "tf1.program_imports",
    "guard_sequential": "keras_layers",
    "hasten_row_gradients": "row_gradients",
    "hasten_row_updates": "row_updates",
    "head_class": "heads",
    "head_details": "heads",
    "import_keras_3": "keras_3",
    "in_other_keras": "keras_layers",
    "install": "installing",
    "is_function_graph": "graphs",
    "is_inside": "graphs",
    "is_keras_3": "keras_3",
    "is_legacy_keras": "keras_2",
    "is_own_op": "op_defs",
    "is_row_sum": "row_gradients",
    "is_stateful": "op_defs",
    "is_watched": "graphs",
    "keep_all": "savers",
    "keras_3_inputs": "keras_3",
    "keras_tensor_spec": "keras_3",
    "keras_variable": "keras_layers",
    "knows_op": "op_defs",
    "legacy_keras": "keras_2",
    "legacy_keras_names": "keras_names",
    "legacy_layers": "keras_2",
    "load_functions": "graphs",
    "keras_3_on_tensorflow": "keras_3",
    "makes_state": "op_defs",
    "missing_for_tensorboard": "tensorboard",
    "op_attr_names": "op_defs",
    "op_attr_types": "op_defs",
    "op_outputs_state": "op_defs",
    "output_sizes": "op_defs",
    "resource_functions": "eager_objects",
    "rows_once": "row_updates",
    "ships_estimator": "releases",
    "silence_deprecations": "noise",
    "strip_default_attributes": "meta_graphs",
    "takes_saving_listeners": "mirrored_workers",
    "tf_keras_is_3": "keras_layers",
    "tf_version": "releases",
    "trains_row_sums": "row_gradients",
    "variable_from_proto": "graphs",
    "watch": "graphs",
}

__all__ = [
    "ColumnState",
    "DenseColumn",
    "FlushedSaver",
    "add_child",
    "add_gradients",
    "adds_dependencies",
    "adds_up_rows",
    "capture",
    "choose_legacy_keras",
    "colocate",
    "decode_type_spec",
    "eagerly",
    "encode_type_spec",
    "estimator_module",
    "flag_settings",
    "function_def",
    "give_programs_tf1",
    "guard_sequential",
    "hasten_row_gradients",
    "hasten_row_updates",
    "head_class",
    "head_details",
    "import_keras_3",
    "in_other_keras",
    "install",
    "is_function_graph",
    "is_inside",
    "is_keras_3",
    "is_legacy_keras",
    "is_own_op",
    "is_row_sum",
    "is_stateful",
    "is_watched",
    "keep_all",
    "keras_3_inputs",
    "keras_3_on_tensorflow",
    "keras_tensor_spec",
    "keras_variable",
    "knows_op",
    "legacy_keras",
    "legacy_keras_names",
    "legacy_layers",
    "load_functions",
    "makes_state",
    "missing_for_tensorboard",
    "op_attr_names",
    "op_attr_types",
    "op_outputs_state",
    "output_sizes",
    "resource_functions",
    "rows_once",
    "ships_estimator",
    "silence_deprecations",
    "strip_default_attributes",
    "takes_saving_listeners",
    "tf_keras_is_3",
    "tf_version",
    "trains_row_sums",
    "variable_from_proto",
    "watch",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_WHERE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
