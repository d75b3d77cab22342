"""hub_estimator under the name of tensorflow_hub."""

from __future__ import annotations

import importlib.util
import pathlib
import sys

import pytest

from hub_estimator import compat, errors
from hub_estimator.compat import hub_name
from tests.compat.programs import run

HUB_NAME = """
import sys
import hub_estimator
hub_estimator.compat.install(tensorflow_hub=True)
hub_estimator.compat.install(tensorflow_hub=True)
import tensorflow_hub as hub
import tensorflow_hub.errors
import tensorflow_hub.saved_model_module
from tensorflow_hub import native_module
assert hub is hub_estimator and hub.__name__ == "hub_estimator"
assert tensorflow_hub.errors is hub_estimator.errors
assert "hub_estimator.errors" == tensorflow_hub.errors.__spec__.name
assert hub.saved_model_module.errors is hub.errors
assert native_module.resolve is hub_estimator.resolve
assert not hasattr(native_module, "nothing")
"""

MODULES = """
import hub_estimator
hub_estimator.compat.install(tensorflow_hub=True)
import tensorflow_hub as hub
from hub_estimator.format import protos

import tensorflow_hub.feature_column
from tensorflow_hub import image_module_info_pb2, module_attachment_pb2, module_def_pb2
from tensorflow_hub import registry, resolver, tf_utils, tf_v1
from tensorflow_hub.estimator import LatestModuleExporter, register_module_for_export
from tensorflow_hub.image_util import IMAGE_MODULE_INFO_KEY, get_expected_image_size
from tensorflow_hub.keras_layer import KerasLayer
from tensorflow_hub.module_spec import ModuleSpec
from tensorflow_hub.module_v2 import load

import tensorflow as tf

assert hub.feature_column.text_embedding_column is hub.text_embedding_column
assert image_module_info_pb2.ImageModuleInfo is hub.ImageModuleInfo
assert module_attachment_pb2.ModuleAttachment is protos.ModuleAttachment
assert module_def_pb2.ModuleDef is protos.ModuleDef
assert registry.resolver("/") == "/" and resolver.resolve is hub.resolve
assert tf_v1.placeholder is tf.compat.v1.placeholder
assert LatestModuleExporter is hub.LatestModuleExporter is hub.estimator.LatestModuleExporter
assert register_module_for_export is hub.register_module_for_export
assert IMAGE_MODULE_INFO_KEY == "image_module_info" and KerasLayer is hub.KerasLayer
assert isinstance(KerasLayer(abs), hub.keras_layer.KerasLayer)
assert ModuleSpec is hub.ModuleSpec and load is hub.load
assert hub.estimator.Estimator is tf.compat.v1.estimator.Estimator
"""


@pytest.mark.parametrize("group", ["HUB_NAME", "MODULES"])
def test_programs_find_what_they_import(group):
    result = run(globals()[group])
    assert result.returncode == 0, result.stderr


def test_no_module_of_ours_is_hidden_behind_one_of_theirs():
    names = [*hub_name._MODULES, "registry"]
    assert not [name for name in names if importlib.util.find_spec(f"hub_estimator.{name}")]


SAID = {
    "import tensorflow_hub.tools.make_image_classifier": ("ImportError", hub_name.NO_TOOLS),
    "from tensorflow_hub import tools": ("ModuleNotFoundError", hub_name.NO_TOOLS),
    "from tensorflow_hub import tf_utils; tf_utils.absolute_path": (
        "AttributeError", hub_name.INNER % ("tensorflow_hub.tf_utils", "absolute_path"),
    ),
    "from tensorflow_hub import registry; registry.resolver.add_implementation(None)": (
        "errors.NotInHubError", hub_name.NO_REGISTRY,
    ),
    "from tensorflow_hub import registry; registry.loader": (
        "AttributeError", hub_name.NO_REGISTRY,
    ),
}  # fmt: skip
SHOW = """
import sys
from hub_estimator import compat, errors
compat.install(tensorflow_hub=True)
for statement, error in zip(sys.argv[1::2], sys.argv[2::2]):
    try:
        exec(statement)
    except eval(error) as caught:
        print(caught)
"""


def test_what_is_not_there_says_why():
    statements = [text for statement, (error, _) in SAID.items() for text in (statement, error)]
    result = run(SHOW, *statements)
    assert result.stdout.splitlines() == [said for _, said in SAID.values()], result.stderr


def test_the_name_of_an_imported_tensorflow_hub_is_not_taken(monkeypatch, tmp_path):
    (tmp_path / "tensorflow_hub.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    # First set, so that the end of the test removes what the import adds.
    monkeypatch.setitem(sys.modules, "tensorflow_hub", None)
    monkeypatch.delitem(sys.modules, "tensorflow_hub")
    import tensorflow_hub

    path = pathlib.Path(tensorflow_hub.__file__)
    before = list(sys.meta_path)
    with pytest.raises(errors.NameInUseError) as caught:
        compat.install(tensorflow_hub=True)
    assert str(caught.value) == hub_name.HUB_IN_USE % path
    assert sys.modules["tensorflow_hub"] is tensorflow_hub
    assert sys.meta_path == before
