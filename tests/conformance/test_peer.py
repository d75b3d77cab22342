"""Side by side with the peer: the same outputs, variables, collections, and each reads the other."""

from __future__ import annotations

import pytest
import tensorflow as tf

import hub_estimator as hub
from tests import modules
from tests.modules import tf1

NAMES = sorted(modules.CASES)
_KEYS = tf1.GraphKeys


@pytest.fixture
def peer():
    import tensorflow_hub

    return tensorflow_hub


@pytest.fixture
def folder(tmp_path):
    return str(tmp_path)


def _in_graph(implementation, spec, trainable, tags):
    """What an instance and one call add to a graph: names of variables, contents of collections."""
    call = next(call for call in tags if call)
    with tf.Graph().as_default() as graph, tf1.variable_scope("outer"):
        module = implementation.Module(spec, trainable=trainable, tags=set(call.tags))
        inputs = {key: modules.as_tensor(value) for key, value in call.inputs.items()}
        module(inputs, signature=call.signature, as_dict=True)
        collections = {
            str(key): _names(graph.get_collection(key))
            for key in graph.get_all_collection_keys()
            if key in _COMPARED
        }
        # A call of the peer adds a second path of each asset, which nothing reads.
        paths = collections.pop(_KEYS.ASSET_FILEPATHS, [])
        collections["paths"] = [name for name in paths if "_apply_" not in name]
        collections = {key: names for key, names in collections.items() if names}
        variable_map = {
            key: [part.op.name for part in value] if isinstance(value, list) else value.op.name
            for key, value in module.variable_map.items()
        }
        infos = [module.get_input_info_dict(call.signature)]
        infos.append(module.get_output_info_dict(call.signature))
        types = [
            {key: (info.dtype, str(info.get_shape()), info.is_sparse) for key, info in one.items()}
            for one in infos
        ]
    return collections, variable_map, types, sorted(module.get_signature_names())


_COMPARED = {
    _KEYS.GLOBAL_VARIABLES,
    _KEYS.TRAINABLE_VARIABLES,
    _KEYS.MODEL_VARIABLES,
    _KEYS.REGULARIZATION_LOSSES,
    _KEYS.UPDATE_OPS,
    _KEYS.ASSET_FILEPATHS,
    _KEYS.TABLE_INITIALIZERS,
}


def _names(elements):
    return sorted(
        element.op.name if hasattr(element, "op") else element.name for element in elements
    )


@pytest.mark.peer
@pytest.mark.parametrize("name", NAMES)
def test_round_trips_give_equal_outputs(name, peer, tmp_path):
    case = modules.CASES[name]
    if case.peer_fault:
        pytest.skip(f"the peer is wrong here: {case.peer_fault}")
    ours, theirs = (
        modules.export(
            implementation,
            modules.define(implementation, name, str(tmp_path / f"{folder}_sources")),
            str(tmp_path / folder),
        )
        for implementation, folder in ((hub, "ours"), (peer, "theirs"))
    )
    expected = modules.outputs(peer, theirs, case.calls)
    for path in (ours, theirs):
        modules.assert_equal(expected, modules.outputs(hub, path, case.calls))
        modules.assert_equal(expected, modules.outputs(peer, path, case.calls))
    # Each reads what the other wrote, and writes it again.
    theirs_again = modules.export(peer, ours, str(tmp_path / "ours_peer"))
    ours_again = modules.export(hub, theirs, str(tmp_path / "peer_ours"))
    modules.assert_equal(expected, modules.outputs(hub, theirs_again, case.calls))
    modules.assert_equal(expected, modules.outputs(peer, ours_again, case.calls))


@pytest.mark.peer
@pytest.mark.parametrize("trainable", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_the_same_names_and_collections(name, trainable, peer, tmp_path):
    case = modules.CASES[name]
    if case.peer_fault:
        pytest.skip(f"the peer is wrong here: {case.peer_fault}")
    spec = modules.define(peer, name, str(tmp_path))
    path = modules.export(peer, spec, str(tmp_path / "module"))
    for tags in {call.tags: call for call in case.calls}.values():
        assert _in_graph(hub, path, trainable, [tags]) == _in_graph(peer, path, trainable, [tags])
