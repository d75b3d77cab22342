"""Every small module to TF2 and back: equal outputs, and training that changes the same variables."""

from __future__ import annotations

import shutil

import pytest
import tensorflow as tf

import hub_estimator as hub
from tests import modules
from tests.conversion import objects
from tests.modules import TRAIN


@pytest.fixture(scope="module", params=sorted(modules.CASES))
def there_and_back(request, tmp_path_factory):
    """The name of a case, the module, and what its way to TF2 and back made of it."""
    folder = tmp_path_factory.mktemp(request.param)
    spec = modules.define(hub, request.param, str(folder / "sources"))
    first = modules.export(hub, spec, str(folder / "first"))
    there = hub.convert(first, folder / "tf2", to="tf2").path
    back = hub.convert(there, folder / "back", to="tf1").path
    for gone in ("sources", "tf2"):
        shutil.rmtree(folder / gone, ignore_errors=True)
    return request.param, first, back


def kept_tags(path):
    return hub.load_module_spec(path).get_tags()


def test_outputs_are_equal(there_and_back):
    name, first, back = there_and_back
    tags = kept_tags(back)
    calls = [call for call in modules.CASES[name].calls if call.tags in tags]
    assert any(not call.tags for call in calls)
    for one, other in zip(
        modules.outputs(hub, first, calls), modules.outputs(hub, back, calls), strict=True
    ):
        modules.assert_equal(one, other)


def test_a_step_of_training_changes_the_same_variables(there_and_back):
    name, first, back = there_and_back
    if name == "control_flow_v1":
        pytest.skip("TF2 keeps no contexts of v1 loops, without which there are no gradients")
    call = modules.CASES[name].calls[0]
    types = {entry.dtype.base_dtype for entry in hub.load_module_spec(first).variables}
    if tf.float32 not in types:
        pytest.skip("there is nothing to train")
    # In TF2 a call is told to train, so that the update operations are in a variant of their own.
    trains = TRAIN if TRAIN in kept_tags(first) else frozenset()
    changed, losses = objects.step(first, call.inputs, trains)
    changed_back, losses_back = objects.step(back, call.inputs, TRAIN)
    assert changed == {name.partition("/part_")[0] for name in changed_back}
    assert losses == pytest.approx(losses_back)
