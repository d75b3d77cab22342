"""Modules whose graph variants have different variables: each is used where its values are."""

from __future__ import annotations

import logging

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import errors
from tests import modules
from tests.modules import DISCRIMINATOR, GENERATOR, tf1

KEYS = ["disc/w", "gen/w", "shared"]


@pytest.fixture
def spec():
    return modules.define(hub, "different_variables", "")


@pytest.fixture
def checkpoint(tmp_path):
    """A checkpoint with values for both variants: 1, 2, 3 all over."""
    return _checkpoint(tmp_path, {"disc/w": [3, 2], "gen/w": [3, 2], "shared": [3]})


@pytest.fixture
def whole(spec, checkpoint, tmp_path):
    """A module with values for both variants."""
    spec.export(tmp_path / "whole", checkpoint_path=checkpoint)
    return tmp_path / "whole"


def _checkpoint(folder, shapes):
    with tf.Graph().as_default(), tf1.Session() as session:
        for number, (name, shape) in enumerate(shapes.items(), 1):
            tf1.get_variable(name, shape, initializer=tf1.constant_initializer(number))
        session.run(tf1.global_variables_initializer())
        return tf1.train.Saver().save(session, str(folder / "model.ckpt"))


def _values(path):
    reader = tf.train.load_checkpoint(str(path / "variables" / "variables"))
    return {key: reader.get_tensor(key) for key in sorted(reader.get_variable_to_shape_map())}


def _output(path, tags, library=hub):
    """The first number of what a variant gives for 1, 1, 1."""
    with tf.Graph().as_default(), tf1.Session() as session:
        output = library.Module(str(path), tags=tags)(np.ones([1, 3], np.float32))
        session.run(tf1.global_variables_initializer())
        return session.run(output)[0, 0]


def _no_values(path, names="'disc/w'", tags="{'disc'}", usable="set()"):
    return (
        f"The module {path} has no values for the variables {names} of its graph variant with the "
        f"tags {tags}. It has all values for the tags: {usable}. Use one of these, or export the "
        "module from a checkpoint that has the others too: spec.export(path, checkpoint_path=...)."
    )


def _written_without(path):
    return (
        f"The module {path} is written without values for the variables 'disc/w'. It cannot be "
        "used with the tags: {'disc'}."
    )


def test_each_variant_has_its_own_variables(spec):
    generator = hub.Module(spec, name="g")
    discriminator = hub.Module(spec, name="d", tags=DISCRIMINATOR)
    assert sorted(generator.variable_map) == ["gen/w", "shared"]
    assert sorted(discriminator.variable_map) == ["disc/w", "shared"]


def test_an_export_has_the_values_of_the_instance(spec, tmp_path, caplog):
    path = tmp_path / "module"
    with caplog.at_level(logging.WARNING, "hub_estimator"):
        modules.export(hub, spec, str(path))
    assert caplog.messages == [_written_without(path)]
    assert list(_values(path)) == ["gen/w", "shared"]
    loaded = hub.load_module_spec(path)
    assert loaded.get_tags() == [GENERATOR, DISCRIMINATOR]
    assert loaded.get_signature_names(tags=DISCRIMINATOR) == ["default"]
    hub.Module(loaded)


USES = {
    "Module": lambda path: hub.Module(path, tags=DISCRIMINATOR),
    "variant": lambda path: hub.Module(path).variant(DISCRIMINATOR),
    "eval_function_for_module": lambda path: hub.eval_function_for_module(path, DISCRIMINATOR),
    "load": lambda path: hub.load(path, tags=DISCRIMINATOR),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_variant_without_values(use, spec, tmp_path):
    path = modules.export(hub, spec, str(tmp_path / "module"))
    with pytest.raises(errors.ValuesNotFoundError) as caught:
        use(path)
    assert isinstance(caught.value, ValueError)
    assert str(caught.value) == _no_values(path)


def test_a_checkpoint_gives_the_values_of_all_variants(whole, caplog):
    assert {key: value.flat[0] for key, value in _values(whole).items()} == dict(
        zip(KEYS, [1, 2, 3], strict=True)
    )
    assert (_output(whole, GENERATOR), _output(whole, DISCRIMINATOR)) == (18, 9)
    assert caplog.messages == []


def test_both_variants_are_loaded(whole):
    for tags, expected in ((None, 18), (DISCRIMINATOR, 9)):
        with tf.Graph().as_default(), tf1.Session() as session:
            output = hub.load(whole, tags=tags).signatures["default"](tf.ones([1, 3]))
            session.run(tf1.global_variables_initializer())
            assert session.run(output["default"])[0, 0] == expected


def test_a_checkpoint_may_lack_the_values_of_others(spec, tmp_path, caplog):
    path = tmp_path / "module"
    checkpoint = _checkpoint(tmp_path, {"gen/w": [3, 2], "shared": [3]})
    spec.export(path, checkpoint_path=checkpoint)
    assert caplog.messages == [_written_without(path)]
    assert _output(path, GENERATOR) == 6


def test_a_checkpoint_must_have_those_of_the_variant_for_inference(spec, tmp_path):
    checkpoint = _checkpoint(tmp_path, {"disc/w": [3, 2], "shared": [3]})
    with pytest.raises(errors.CheckpointMismatchError) as caught:
        spec.export(tmp_path / "module", checkpoint_path=checkpoint)
    assert str(caught.value) == (
        f"The checkpoint {checkpoint} has no variable 'gen/w', which the module's variable 'gen/w' "
        "needs. It has: 'disc/w', 'shared'. Where the names differ, pass name_transform_fn."
    )


def test_without_a_variant_for_inference_one_must_be_whole(tmp_path):
    module_fn = modules.CASES["different_variables"].module_fn(hub, "")
    spec = hub.create_module_spec(module_fn, [("a", {"name": "gen"}), ("b", {"name": "disc"})])
    checkpoint = _checkpoint(tmp_path, {"disc/w": [3, 2], "shared": [3]})
    spec.export(tmp_path / "b", checkpoint_path=checkpoint)
    with pytest.raises(errors.ValuesNotFoundError) as caught:
        hub.Module(tmp_path / "b", tags="a")
    assert str(caught.value) == _no_values(tmp_path / "b", "'gen/w'", "{'a'}", "{'b'}")
    checkpoint = _checkpoint(tmp_path, {"shared": [3]})
    with pytest.raises(errors.CheckpointMismatchError, match="has no variable 'gen/w'"):
        spec.export(tmp_path / "none", checkpoint_path=checkpoint)


@pytest.mark.parametrize("is_finished", [False, True])
@pytest.mark.parametrize("tags", [GENERATOR, DISCRIMINATOR])
def test_a_tuned_module_keeps_the_values_of_the_other_variant(whole, tags, is_finished, tmp_path):
    module = hub.Module(whole, tags=tags, trainable=True)
    with tf1.Session() as session:
        modules.initialize(session)
        session.run([variable.assign(0.5 * variable) for variable in module.variables])
        if is_finished:
            tf1.get_default_graph().finalize()
        module.export(tmp_path / "tuned", session)
    before, after = _values(whole), _values(tmp_path / "tuned")
    assert list(after) == KEYS
    for key in KEYS:
        factor = 0.5 if key in module.variable_map else 1
        np.testing.assert_array_equal(after[key], factor * before[key])


def test_values_of_the_other_variant_may_come_from_a_checkpoint(whole, tmp_path):
    with tf.Graph().as_default(), tf1.Session() as session, tf1.variable_scope("outer"):
        module = hub.Module(whole, tags=DISCRIMINATOR, name="m")
        modules.initialize(session)
        session.run([variable.assign(0.5 * variable) for variable in module.variables])
        checkpoint = tf1.train.Saver().save(session, str(tmp_path / "tuned.ckpt"))
    with tf1.variable_scope("outer"):
        module = hub.Module(whole, name="m")
    with tf1.Session() as session:
        modules.initialize(session)
        module.export(tmp_path / "tuned", session, checkpoint_path=checkpoint)
        with pytest.raises(errors.CheckpointPathError) as caught:
            module.export(tmp_path / "no", session, checkpoint_path=tmp_path / "nothing")
    values = {key: value.flat[0] for key, value in _values(tmp_path / "tuned").items()}
    assert values == {"disc/w": 0.5, "gen/w": 2, "shared": 3}  # "shared" as in the session
    assert str(caught.value).startswith(f"There is no checkpoint at '{tmp_path}/nothing'.")


def test_variants_on_one_set_of_variables_export_all(spec, tmp_path):
    generator = hub.Module(spec)
    with tf1.Session() as session:
        modules.initialize(session)
        generator.export(tmp_path / "one", session)
        discriminator = generator.variant(DISCRIMINATOR)
        modules.initialize(session)
        generator.export(tmp_path / "first", session)
        discriminator.export(tmp_path / "second", session)
    assert list(_values(tmp_path / "one")) == ["gen/w", "shared"]
    assert list(_values(tmp_path / "first")) == list(_values(tmp_path / "second")) == KEYS


def _sized_fn(size):
    for number in range(size):
        modules.variable(f"w{number}", [size])
    hub.add_signature(outputs=tf.constant(size))


def test_a_variant_without_variables(tmp_path):
    spec = hub.create_module_spec(_sized_fn, [(set(), {"size": 0}), ({"one"}, {"size": 1})])
    path = modules.export(hub, spec, str(tmp_path / "module"))
    again = modules.export(hub, path, str(tmp_path / "again"))
    for folder in (path, again):
        assert hub.eval_function_for_module(folder)() == 0
        with pytest.raises(errors.ValuesNotFoundError) as caught:
            hub.Module(folder, tags={"one"})
        assert str(caught.value) == _no_values(folder, "'w0'", "{'one'}")
    whole = modules.export(hub, spec, str(tmp_path / "whole"), tags={"one"})
    again = modules.export(hub, whole, str(tmp_path / "whole_again"))
    assert hub.eval_function_for_module(again, {"one"})() == 1


def _named_fn(names):
    for name in names:
        modules.variable(name, [1])
    hub.add_signature(outputs=tf.constant(1))


def test_many_are_named_in_part(tmp_path, caplog):
    pairs = [((f"t{name}",), {"names": name}) for name in "abcdefgh"]
    spec = hub.create_module_spec(_named_fn, [(set(), {"names": "z"}), *pairs])
    modules.export(hub, spec, str(tmp_path / "some"))
    assert caplog.messages == [
        (
            f"The module {tmp_path}/some is written without values for the variables 'a', 'b', 'c', "
            "'d', 'e' and 3 more. It cannot be used with the tags: {'ta'}, {'tb'}, {'tc'}, {'td'}, "
            "{'te'} and 3 more."
        )
    ]


def _parts_fn(parts):
    partitioner = tf1.fixed_size_partitioner(parts) if parts else None
    w = tf1.get_variable("w", [4], partitioner=partitioner, initializer=tf1.ones_initializer())
    hub.add_signature(outputs=2 * tf.convert_to_tensor(w))


def test_variants_with_a_variable_in_other_parts(tmp_path):
    pairs = [(set(), {"parts": 0}), ({"two"}, {"parts": 2}), ({"three"}, {"parts": 3})]
    spec = hub.create_module_spec(_parts_fn, pairs)
    for number, tags in enumerate(spec.get_tags()):
        path = modules.export(hub, spec, str(tmp_path / str(number)), tags=tags)
        spec = hub.load_module_spec(path)
        assert list(_values(tmp_path / str(number))) == ["w"]
        for variant in spec.get_tags():
            assert hub.eval_function_for_module(spec, variant)().tolist() == [2, 2, 2, 2]


def _saved_model(folder, shapes, saved):
    """A SavedModel with a graph for each shape of `w`, and the value of one of them."""
    builder = tf1.saved_model.Builder(str(folder))
    for tag, shape in shapes.items():
        with tf.Graph().as_default(), tf1.Session() as session:
            x = tf1.placeholder(tf.float32, [])
            w = tf1.get_variable("w", shape, initializer=tf1.ones_initializer())
            session.run(tf1.global_variables_initializer())
            signature = tf1.saved_model.predict_signature_def({"x": x}, {"default": x + w})
            if tag == saved:
                builder.add_meta_graph_and_variables(session, [tag], {"default": signature})
            else:
                builder.add_meta_graph([tag], {"default": signature})
    builder.save()


def test_a_variable_of_another_shape_in_a_saved_model(tmp_path):
    _saved_model(tmp_path / "saved", {"a": [2], "b": [3]}, "a")
    spec = hub.create_module_spec_from_saved_model(tmp_path / "saved")
    path = modules.export(hub, spec, str(tmp_path / "module"), tags={"a"})
    for given in (spec, hub.load_module_spec(path)):
        assert hub.eval_function_for_module(given, {"a"})({"x": 1.0}).tolist() == [2, 2]
        with pytest.raises(errors.ValuesNotFoundError) as caught:
            hub.Module(given, tags={"b"})
        assert "for the variables 'w' (float32 (3,); the value is float32 (2,)) of" in str(
            caught.value
        )


# --- the peer --------------------------------------------------------------------------------


@pytest.mark.peer
def test_modules_of_the_peer(tmp_path):
    import tensorflow_hub as peer

    spec = modules.define(peer, "different_variables", "")
    for tags, other, name in (
        (GENERATOR, DISCRIMINATOR, "'disc/w'"),
        (DISCRIMINATOR, GENERATOR, "'gen/w'"),
    ):
        path = tmp_path / name.replace("'", "").partition("/")[0]
        modules.export(peer, spec, str(path), tags=set(tags))
        again = modules.export(hub, path, str(path) + "_again", tags=tags)
        assert _output(path, tags) == _output(again, tags) == _output(again, set(tags), peer)
        with pytest.raises(errors.ValuesNotFoundError) as caught:
            hub.Module(path, tags=other)
        shown = ["{'disc'}" if variant else "set()" for variant in (other, tags)]
        assert str(caught.value) == _no_values(path, name, *shown)


@pytest.mark.peer
def test_the_peer_reads_all_variants(whole, tmp_path):
    import tensorflow_hub as peer

    again = modules.export(hub, whole, str(tmp_path / "again"), tags=DISCRIMINATOR)
    for path in (whole, again):
        assert _output(path, set(GENERATOR), peer) == 18
        assert _output(path, set(DISCRIMINATOR), peer) == 9


@pytest.mark.peer
def test_a_variant_of_the_peer_without_variables(tmp_path):
    import tensorflow_hub as peer

    def module_fn(size):
        for number in range(size):
            modules.variable(f"w{number}", [size])
        peer.add_signature(outputs=tf.constant(size))

    spec = peer.create_module_spec(module_fn, [(set(), {"size": 0}), ({"one"}, {"size": 1})])
    with tf.Graph().as_default(), tf1.Session() as session:
        peer.Module(spec).export(str(tmp_path / "module"), session)
    assert hub.eval_function_for_module(tmp_path / "module")() == 0
