"""What gin files can name, known without importing any of it, and the same once it is imported."""

from __future__ import annotations

import inspect
import pathlib
import subprocess
import sys

import pytest

from hub_estimator import config
from hub_estimator.training import configurables
from hub_estimator.training.configurables import sources, tensorflow_parts
from hub_estimator.training.configurables.table import FAMILIES, OURS
from hub_estimator.training.model import canned_model

ROOT = pathlib.Path(__file__).parents[3]
PARTS = [part for parts in OURS.values() for part in parts]


@pytest.fixture(scope="module", autouse=True)
def registered():
    configurables.register()


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_the_source_says_the_parameters_that_the_part_has(part):
    function = config.known_configurables()[part.name].function
    assert function is not None and function.__module__ == f"hub_estimator.{part.module}"
    real = list(inspect.signature(function).parameters.values())
    found = sources.parameters(part.module, part.name)
    assert found is not None
    assert [(each.name, each.kind) for each in found] == [(each.name, each.kind) for each in real]
    for own, known in zip(found, real, strict=True):
        if own.default is not config.LATER:
            assert repr(own.default) == repr(known.default), own.name
        else:  # there is a default, which a gin file could not have written
            assert known.default is not inspect.Parameter.empty, own.name


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_the_table_names_parameters_that_there_are(part):
    function = config.known_configurables()[part.name].function
    assert function is not None
    named = {*part.given, *part.paths, *part.given_only}
    assert named <= set(inspect.signature(function).parameters)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.title)
def test_what_the_run_gives_to_parts_of_tensorflow_is_a_parameter_of_some(family):
    signatures = [
        set(inspect.signature(tensorflow_parts.find(family.module, name)).parameters)
        for name in family.names
    ]
    assert set(family.given) <= set().union(*signatures)


def test_the_run_gives_canned_estimators_their_columns():
    assert set(canned_model.ESTIMATOR_NAMES) < set(config.known_configurables())
    for name in canned_model.ESTIMATOR_NAMES:
        settable = config.known_configurables()[name].parameters
        assert not {"head", "config", "feature_columns", "dnn_feature_columns"} & set(settable)


@pytest.mark.parametrize(
    "use",
    [use for known in [*PARTS] for use in known.settings]
    + [family.use.format(family.names[0]) for family in FAMILIES],
)
def test_each_setting_that_puts_a_part_to_work_is_one(use):
    setting = use.partition(" = ")[0]
    with config.gin_session([], [use]) as session:
        assert session.given == {setting}


PROGRAM = """
import sys
import gin
from hub_estimator import config
from hub_estimator.training import configurables

gin.external_configurable(lambda x: x, name="relu", module="tf.nn")  # as gin.tf does, with its own
configurables.declare()
declared = {name: list(known.parameters) for name, known in config.known_configurables().items()}
assert "tensorflow" not in sys.modules and "numpy" not in sys.modules
with config.early_session([], ["Encoder.handle = 'a'"]) as session:
    assert session is not None
configurables.register()
added = config.known_configurables()
assert list(declared) == list(added)
for part in configurables.ours():
    assert declared[part.name] == list(added[part.name].parameters), part.name
    assert added[part.name].function is not None
with config.gin_session([], ["Encoder.handle = 'a'"]) as session:
    print(type(session.call("Encoder")).__mro__[-2].__name__, session.call("Encoder").handle)
configurables.declare()
assert added["Encoder"].function is not None
"""


def test_what_is_declared_is_replaced_by_what_is_imported():
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout == "Encoder a\n"


def test_a_package_without_its_source_is_fine(monkeypatch):
    def missing(package, name):
        raise FileNotFoundError(name)

    monkeypatch.setattr(sources.pkgutil, "get_data", missing)
    sources._tree.cache_clear()
    assert sources.parameters("training.experiment", "Experiment") is None
    sources._tree.cache_clear()
