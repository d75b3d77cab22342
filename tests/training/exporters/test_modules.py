"""Exporting modules out of trained models."""

from __future__ import annotations

import json
import os
import pathlib
import time

import numpy as np
import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import digests, errors, estimator
from hub_estimator.training.objective import Objective
from hub_estimator.training.serving import ServingInput
from tests.modules import BOTH_VARIANTS
from tests.training.training_data import TWO_CLASSES

EMBEDDINGS = "module/embeddings"
RECORDS = ["checkpoint.json", "global_step", "metrics.json"]
serving = ServingInput(TWO_CLASSES)


@pytest.fixture
def trained(make_model, examples, tmp_path):
    model = make_model({"trainable": True})
    made = estimator.Estimator(model.model_fn, str(tmp_path / "model"), params={})
    made.train(examples.training_fn(TWO_CLASSES, 1, lambda: 0), max_steps=2)
    return made


def exported_embeddings(path):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        module = hub.Module(os.fsdecode(path))
        session.run(tf.compat.v1.global_variables_initializer())
        return session.run(module.variable_map["embeddings"])


def test_the_module_has_the_checkpoints_values_and_all_variants(trained, tmp_path):
    exporter = hub.LatestModuleExporter("module", serving)
    path = exporter.export(trained, str(tmp_path / "export"))
    assert sorted(os.listdir(path)) == ["checkpoint.json", "global_step", "text"]
    values = exported_embeddings(f"{path}/text")
    assert np.array_equal(values, trained.get_variable_value(EMBEDDINGS))
    tags = hub.load_module_spec(f"{path}/text").get_tags()
    assert sorted(map(sorted, tags)) == [[], ["train"]]


def test_the_record_says_of_which_module_it_is_made(make_model, examples, trained, tmp_path):
    path = hub.LatestModuleExporter("module", serving).export(trained, str(tmp_path / "export"))
    record = json.loads((pathlib.Path(path) / "checkpoint.json").read_text())
    handle = make_model().encoders[0].handle
    assert record["parents"] == {"text": {"handle": handle, "sha256": digests.of_module(handle)}}
    assert record["name"] == "model.ckpt-2"


def test_a_given_checkpoint(trained, examples, tmp_path):
    first = trained.latest_checkpoint()
    values = trained.get_variable_value(EMBEDDINGS)
    trained.train(examples.training_fn(TWO_CLASSES, 1, lambda: 2), max_steps=4)
    path = hub.LatestModuleExporter("m", serving).export(trained, str(tmp_path), first)
    assert np.array_equal(exported_embeddings(f"{path}/text"), values)


def test_bytes_paths(trained, tmp_path):
    exporter = hub.LatestModuleExporter("module", serving)
    checkpoint = os.fsencode(trained.latest_checkpoint())
    path = exporter.export(trained, os.fsencode(tmp_path / "export"), checkpoint)
    assert isinstance(path, bytes) and os.path.isfile(os.path.join(path, b"text/tfhub_module.pb"))


def test_several_exports_within_a_second_and_the_oldest_removed(trained, tmp_path):
    foreign = tmp_path / "export" / "1000000000"
    foreign.mkdir(parents=True)
    (tmp_path / "export" / "notes").mkdir()
    exporter = hub.LatestModuleExporter("module", serving, exports_to_keep=2)
    paths = [exporter.export(trained, str(tmp_path / "export")) for _ in range(3)]
    assert sorted(set(paths)) == paths
    left = sorted(os.listdir(tmp_path / "export"))
    assert left == ["1000000000", *map(os.path.basename, paths[1:]), "notes"]


def test_foreign_entries_named_like_timestamps_stay_and_do_not_count(trained, tmp_path):
    folder = tmp_path / "export"
    for name in ("1000000000", "9999999999"):
        (folder / name / "notes").mkdir(parents=True)
    (folder / "1000000001").write_text("")
    (folder / str(int(time.time()) + 5)).write_text("")
    exporter = hub.LatestModuleExporter("module", serving, exports_to_keep=1)
    before = set(os.listdir(folder))
    for _ in range(2):
        path = exporter.export(trained, str(folder))
        assert abs(int(os.path.basename(path)) - time.time()) < 60
        assert set(os.listdir(folder)) == {*before, os.path.basename(path)}


def test_timestamps_of_the_far_future(trained, tmp_path):
    folder = tmp_path / "export"
    exporter = hub.LatestModuleExporter("module", serving, exports_to_keep=2)
    first = exporter.export(trained, str(folder))
    os.rename(first, folder / "9999999999")
    names = [os.path.basename(exporter.export(trained, str(folder))) for _ in range(2)]
    assert names == ["10000000000", "10000000001"]
    assert sorted(os.listdir(folder)) == names


def test_scratch_folders_of_killed_exports_are_removed(trained, tmp_path):
    folder = tmp_path / "export"
    for name, age_secs in [(".1.tmp-00000000-1-0123abcd", 1e6), (".2.tmp-00000000-2-0123abcd", 0)]:
        (folder / name / "text").mkdir(parents=True)
        os.utime(folder / name, (time.time() - age_secs,) * 2)
    path = hub.LatestModuleExporter("module", serving).export(trained, str(folder))
    assert sorted(os.listdir(folder)) == [".2.tmp-00000000-2-0123abcd", os.path.basename(path)]


def test_all_are_kept(trained, tmp_path):
    exporter = hub.LatestModuleExporter("module", serving, exports_to_keep=None)
    for _ in range(2):
        exporter.export(trained, str(tmp_path / "export"))
    assert len(os.listdir(tmp_path / "export")) == 2


def module_model_fn(features, labels, mode, params=None):
    module = hub.Module(params["handle"], trainable=True, tags=[])
    output = module(features["text"])
    if mode == "infer":  # as some programs do
        for name in params["names"]:
            hub.register_module_for_export(module, name)
        return estimator.EstimatorSpec(mode, predictions=output)
    loss = tf.reduce_mean(tf.square(output))
    step = tf.compat.v1.train.get_global_step()
    train_op = tf.compat.v1.train.GradientDescentOptimizer(0.1).minimize(loss, step)
    return estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)


def text_batches():
    return tf.data.Dataset.from_tensors(({"text": ["a", "b"]}, [0, 1])).repeat()


def test_among_the_exporters_of_an_eval_spec(text_module, tmp_path):
    params = {"handle": text_module, "names": ["a", "b"]}
    made = estimator.Estimator(module_model_fn, str(tmp_path), params=params)
    exporter = hub.LatestModuleExporter("modules", serving)
    _, results = estimator.train_and_evaluate(
        made,
        estimator.TrainSpec(text_batches, max_steps=2),
        estimator.EvalSpec(text_batches, steps=1, exporters=exporter),
    )
    assert os.fsdecode(results[0]).startswith(str(tmp_path / "export" / "modules"))
    assert sorted(os.listdir(results[0])) == ["a", "b", *RECORDS]


def test_no_registered_module(text_module, tmp_path, caplog):
    params = {"handle": text_module, "names": []}
    made = estimator.Estimator(module_model_fn, str(tmp_path / "model"), params=params)
    made.train(text_batches, max_steps=1)
    exporter = hub.LatestModuleExporter("modules", serving)
    logger = tf.get_logger()
    logger.addHandler(caplog.handler)
    try:
        assert exporter.export(made, str(tmp_path / "export")) is None
    finally:
        logger.removeHandler(caplog.handler)
    assert (
        "LatestModuleExporter found no module to export: none is registered where the model is "
        "built for prediction. In a model_fn, call hub.register_module_for_export in mode PREDICT "
        "as well, before it returns; give a feature column an export_name." in caplog.messages
    )
    assert not (tmp_path / "export").exists()


def test_tpu_estimator(text_module, tmp_path):
    def model_fn(features, labels, mode, params):
        return module_model_fn(features, labels, mode, params)

    made = estimator.tpu.TPUEstimator(
        model_fn,
        str(tmp_path / "model"),
        estimator.tpu.RunConfig(),
        params={"handle": text_module, "names": ["text"]},
        use_tpu=False,
        train_batch_size=2,
    )
    made.train(lambda params: text_batches(), max_steps=1)
    path = hub.LatestModuleExporter("m", serving).export(made, str(tmp_path / "export"))
    assert os.path.isfile(f"{path}/text/tfhub_module.pb")


def test_a_failed_export_leaves_nothing_and_names_the_module(trained, tmp_path, small_files):
    exporter = hub.LatestModuleExporter("m", serving)
    with pytest.raises(errors.ExportError) as caught, small_files(1000):
        exporter.export(trained, str(tmp_path / "export"))
    assert str(caught.value) == (
        "The module 'text' cannot be written: [Errno 27] File too large. Nothing of the export is "
        "left; run the same command again once that is solved."
    )
    assert os.listdir(tmp_path / "export") == []
    assert exporter.export(trained, str(tmp_path / "export")) is not None


def test_the_best_module_is_that_of_the_checkpoint_that_was_evaluated(trained, examples, tmp_path):
    first = trained.latest_checkpoint()
    values = trained.get_variable_value(EMBEDDINGS)
    trained.train(examples.training_fn(TWO_CLASSES, 1, lambda: 2), max_steps=4)
    exporter = hub.BestModuleExporter("best", serving, Objective("accuracy"), stable_path=True)
    folder = str(tmp_path / "export")
    path = exporter.export(trained, folder, first, {"accuracy": 0.9}, False)
    assert sorted(os.listdir(path)) == sorted([*RECORDS, "text"])
    second = trained.latest_checkpoint()
    assert exporter.export(trained, folder, second, {"accuracy": 0.8}, True) is None
    assert np.array_equal(exported_embeddings(f"{folder}/best/text"), values)


def test_a_module_named_like_what_lies_beside_it(text_module, tmp_path):
    params = {"handle": text_module, "names": ["global_step"]}
    made = estimator.Estimator(module_model_fn, str(tmp_path / "model"), params=params)
    made.train(text_batches, max_steps=1)
    with pytest.raises(errors.ExportError) as caught:
        hub.LatestModuleExporter("m", serving).export(made, str(tmp_path / "export"))
    assert str(caught.value) == (
        "A module is registered as 'global_step', which is a file that exporters write beside it. "
        "Register it under another name."
    )


def test_subclasses(trained, tmp_path):
    class Exporter(hub.LatestModuleExporter):
        def export(self, estimator, export_path, *args, **kwargs):
            return super().export(estimator, export_path, *args, **kwargs), "more"

    path, more = Exporter("m", serving).export(
        trained, str(tmp_path / "e"), is_the_final_export=True
    )
    assert more == "more" and abs(int(os.path.basename(path)) - time.time()) < 60


def test_no_checkpoint(make_model, tmp_path):
    made = estimator.Estimator(make_model().model_fn, str(tmp_path), params={})
    with pytest.raises(errors.ExportError) as caught:
        hub.LatestModuleExporter("m", serving).export(made, str(tmp_path / "export"))
    assert (
        str(caught.value) == f"There is no checkpoint in {str(tmp_path)!r} to export modules from."
    )


@pytest.mark.parametrize("keep", [0, -1])
def test_exports_to_keep(keep):
    with pytest.raises(ValueError) as caught:  # what callers of the original API expect
        hub.LatestModuleExporter("m", serving, exports_to_keep=keep)
    assert str(caught.value) == (
        f"LatestModuleExporter.exports_to_keep is {keep}; it must be at least 1."
    )


def test_names_are_those_of_folders_and_differ(text_module):
    module = hub.Module(text_module)
    hub.register_module_for_export(module, "a")
    with pytest.raises(errors.ModelError, match=r"^There is already a module registered as 'a'\.$"):
        hub.register_module_for_export(module, "a")
    for name in ("", "..", "a/b"):
        with pytest.raises(errors.InvalidPathNameError, match="^The export name is '"):
            hub.register_module_for_export(module, name)


def test_saved_graphs_do_not_warn_about_registered_modules(text_module, caplog):
    hub.register_module_for_export(hub.Module(text_module), "a")
    assert not tf.compat.v1.train.export_meta_graph().collection_def.keys() & {"modules"}
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


def two_variants_fn(is_training=False):
    x = tf.compat.v1.placeholder(tf.float32, [None])
    output = x * tf.compat.v1.get_variable("both", [], initializer=tf.ones_initializer())
    if is_training:
        output *= tf.compat.v1.get_variable("training", [], initializer=tf.ones_initializer())
    hub.add_signature(inputs=x, outputs=output)


def two_variants_model_fn(features, labels, mode, params):
    module = hub.Module(params["module"], True, tags={"train"} if mode == "train" else None)
    hub.register_module_for_export(module, "tuned")
    output = module(features["x"])
    optimizer = tf.compat.v1.train.GradientDescentOptimizer(0.25)
    step = tf.compat.v1.train.get_global_step()
    train_op = optimizer.minimize(tf.reduce_sum(output), step) if mode == "train" else None
    return estimator.EstimatorSpec(mode, output, tf.reduce_sum(output), train_op)


def test_variables_of_the_train_variant_alone_have_the_checkpoints_values(tmp_path, caplog):
    spec = hub.create_module_spec(two_variants_fn, BOTH_VARIANTS)
    made = estimator.Estimator(
        two_variants_model_fn, str(tmp_path / "model"), params={"module": spec}
    )
    made.train(lambda: tf.data.Dataset.from_tensors(({"x": [1.0]}, [1.0])), max_steps=1)

    def receiver_fn():
        x = tf.compat.v1.placeholder(tf.float32, [None])
        return estimator.export.ServingInputReceiver({"x": x}, {"x": x})

    path = hub.LatestModuleExporter("m", receiver_fn).export(made, str(tmp_path / "export"))
    for name in ("both", "training"):
        value = tf.train.load_variable(f"{path}/tuned/variables/variables", name)
        assert value == made.get_variable_value(f"module/{name}") == 0.75
    assert not [message for message in caplog.messages if "without values" in message]
