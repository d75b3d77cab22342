"""TF1 Hub modules and Estimators, on today's TensorFlow: `import hub_estimator as hub`.

Importing this package imports neither TensorFlow nor any part of the package: each public name is
imported when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from hub_estimator.version import __version__

if TYPE_CHECKING:
    from hub_estimator import compat, errors, estimator, keras
    from hub_estimator.conversion.converting import convert
    from hub_estimator.format.description.describe import describe
    from hub_estimator.format.description.differences import compare_modules
    from hub_estimator.format.protos import ImageModuleInfo
    from hub_estimator.format.read import load_module_spec
    from hub_estimator.format.spec import ModuleSpec
    from hub_estimator.graph.columns import (
        image_embedding_column,
        sparse_text_embedding_column,
        text_embedding_column,
        text_embedding_column_v2,
    )
    from hub_estimator.graph.defining import saved_models as saved_model_module
    from hub_estimator.graph.defining.authoring import (
        add_signature,
        attach_message,
        create_module_spec,
    )
    from hub_estimator.graph.defining.saved_models import create_module_spec_from_saved_model
    from hub_estimator.graph.eval_function import eval_function_for_module
    from hub_estimator.graph.images import (
        attach_image_module_info,
        get_expected_image_size,
        get_num_image_channels,
    )
    from hub_estimator.graph.loading import load
    from hub_estimator.graph.module import Module
    from hub_estimator.graph.registration import register_module_for_export
    from hub_estimator.keras import KerasLayer
    from hub_estimator.resolver import resolve
    from hub_estimator.training.exporters.modules import (
        BestModuleExporter,
        LatestModuleExporter,
    )
    from hub_estimator.training.exporters.servables import BestExporter, LatestExporter

_WHERE = {
    "BestExporter": "training.exporters.servables",
    "BestModuleExporter": "training.exporters.modules",
    "ImageModuleInfo": "format.protos",
    "KerasLayer": "keras",
    "LatestExporter": "training.exporters.servables",
    "LatestModuleExporter": "training.exporters.modules",
    "Module": "graph.module",
    "ModuleSpec": "format.spec",
    "add_signature": "graph.defining.authoring",
    "attach_image_module_info": "graph.images",
    "attach_message": "graph.defining.authoring",
    "compare_modules": "format.description.differences",
    "convert": "conversion.converting",
    "create_module_spec": "graph.defining.authoring",
    "create_module_spec_from_saved_model": "graph.defining.saved_models",
    "describe": "format.description.describe",
    "eval_function_for_module": "graph.eval_function",
    "get_expected_image_size": "graph.images",
    "get_num_image_channels": "graph.images",
    "image_embedding_column": "graph.columns",
    "load": "graph.loading",
    "load_module_spec": "format.read",
    "register_module_for_export": "graph.registration",
    "resolve": "resolver",
    "sparse_text_embedding_column": "graph.columns",
    "text_embedding_column": "graph.columns",
    "text_embedding_column_v2": "graph.columns",
}
_SUBMODULES = {
    "compat": "compat",
    "errors": "errors",
    "estimator": "estimator",
    "keras": "keras",
    "saved_model_module": "graph.defining.saved_models",  # as programs reach it
}

__all__ = [
    "BestExporter",
    "BestModuleExporter",
    "ImageModuleInfo",
    "KerasLayer",
    "LatestExporter",
    "LatestModuleExporter",
    "Module",
    "ModuleSpec",
    "__version__",
    "add_signature",
    "attach_image_module_info",
    "attach_message",
    "compare_modules",
    "compat",
    "convert",
    "create_module_spec",
    "create_module_spec_from_saved_model",
    "describe",
    "errors",
    "estimator",
    "eval_function_for_module",
    "get_expected_image_size",
    "get_num_image_channels",
    "image_embedding_column",
    "keras",
    "load",
    "load_module_spec",
    "register_module_for_export",
    "resolve",
    "saved_model_module",
    "sparse_text_embedding_column",
    "text_embedding_column",
    "text_embedding_column_v2",
]


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        value = getattr(importlib.import_module(f"{__name__}.{_WHERE[name]}"), name)
    elif name in _SUBMODULES:
        value = importlib.import_module(f"{__name__}.{_SUBMODULES[name]}")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
