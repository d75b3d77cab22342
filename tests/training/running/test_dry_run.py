"""A run up to its first step: what it says, and that it writes nothing."""

from __future__ import annotations

import dataclasses
import os
import tempfile

import numpy as np
import pytest
import tensorflow as tf

from hub_estimator import errors, training
from hub_estimator.training.running.dry_run import dry_run, summary
from tests import text_data


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """A folder with a module and data."""
    return text_data.write_both(tmp_path_factory.mktemp("dry"))


@pytest.fixture
def experiment(here):
    def make(**changes):
        encoder = training.Encoder(str(here / "module"), export_name="text")
        model = training.Model(
            [encoder],
            training.BinaryClassHead(),
            training.Optimization(tf.compat.v1.train.AdagradOptimizer, 0.05),
            training.DenseLayers([4]),
        )
        data = training.TextFile(str(here / "data.csv"), batch_size=8)
        return dataclasses.replace(training.Experiment(model, data, data, 4, 2), **changes)

    return make


def contents(folder):
    return sorted(
        os.path.relpath(os.path.join(where, name), folder)
        for where, folders, names in os.walk(folder)
        for name in [*folders, *names]
    )


def test_what_a_run_would_begin_with(experiment, here, tmp_path, monkeypatch):
    for name in ("XDG_CACHE_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    made = experiment()
    found = dry_run(made, tmp_path / "deep" / "model")
    assert contents(tmp_path) == []
    loss = found.loss
    assert 0 < loss < 5
    width = np.prod(text_data_shape(here))
    dense = found.sizes["trained"].parameters
    assert summary(made, found) == (
        "Nothing is wrong: training would begin, and end at step 4.\n"
        "Checked: settings, data, modules, the model for training, evaluation and prediction,\n"
        "exporters, metrics that the run goes by, and the model folder where one was given.\n"
        "\n"
        "Data:\n"
        f"  train_input          TextFile, 64 examples: {here / 'data.csv'}\n"
        f"  eval_input           TextFile, 64 examples: {here / 'data.csv'}\n"
        "\n"
        "Modules:\n"
        f"  module               {here / 'module'}\n"
        "\n"
        "One batch of the training data:\n"
        "  text                 string [8]\n"
        "  labels               int64 [8]\n"
        f"  loss                 {loss:.4f}\n"
        "\n"
        "  Variables              number       parameters         size\n"
        f"  trained                     4 {dense:>16,} {f'{4 * dense} bytes':>12}\n"
        f"  not trained                 1 {width:>16,} {f'{4 * width} bytes':>12}\n"
        f"  of the optimizer            4 {dense:>16,} {f'{4 * dense} bytes':>12}"
    )


def text_data_shape(here):
    reader = tf.train.load_checkpoint(str(here / "module" / "variables" / "variables"))
    [shape] = reader.get_variable_to_shape_map().values()
    return shape


def test_a_model_folder_that_training_goes_on_in(experiment, tmp_path):
    optimization = training.Optimization(tf.compat.v1.train.AdagradOptimizer, 0.5)
    model = dataclasses.replace(experiment().model, optimization=optimization)
    made = experiment(model=model, max_steps=30, eval_every_steps=30)
    training.train_and_evaluate(made, tmp_path / "model")
    there = contents(tmp_path)
    again = dry_run(dataclasses.replace(made, max_steps=40), str(tmp_path / "model"))
    assert contents(tmp_path) == there
    assert again.step == 30
    assert summary(made, again).startswith("Nothing is wrong: training would go on at step 30, ")
    # The values of the checkpoint are at work, not the initial ones.
    assert again.loss < 0.3
    assert dry_run(made).loss > again.loss + 0.1


def test_the_errors_are_those_of_training(experiment, here, tmp_path):
    lines = (here / "data.csv").read_text().splitlines()
    (tmp_path / "data.csv").write_text("\n".join([*lines, "a,2"]))
    wrong = training.TextFile(str(tmp_path / "data.csv"))
    made = experiment(train_input=wrong)
    with pytest.raises(errors.LabelError) as caught:
        dry_run(made, tmp_path / "model")
    with pytest.raises(errors.LabelError) as trained:
        training.train_and_evaluate(made, tmp_path / "model")
    assert str(caught.value) == str(trained.value)
    assert contents(tmp_path) == ["data.csv"]


def test_a_loss_that_is_not_finite(experiment):
    class Wrong(training.DenseLayers):
        def __call__(self, inputs, training):
            return super().__call__(inputs, training) / 0.0

    made = experiment()
    model = dataclasses.replace(made.model, layers=Wrong([4]))
    with pytest.raises(errors.LossNotFiniteError) as caught:
        dry_run(dataclasses.replace(made, model=model))
    assert str(caught.value) == (
        "The loss of the first batch is nan: the data, or what a module gives for it, has values "
        "that are not finite."
    )


def test_several_heads_and_a_module_that_is_trained(experiment, here):
    made = experiment()
    encoder = dataclasses.replace(made.model.encoders[0], trainable=True)
    head = training.MultiHead(
        [training.BinaryClassHead(name="a"), training.RegressionHead(name="b")]
    )
    model = dataclasses.replace(made.model, encoders=[encoder], head=head, save_frozen=False)
    data = training.TextFile(
        str(here / "data.csv"), label={"a": "label", "b": "label"}, batch_size=4
    )
    found = dry_run(experiment(model=model, train_input=data, eval_input=data))
    assert found.tensors == {
        "text": "string [4]",
        "labels a": "int64 [4]",
        "labels b": "float32 [4]",
    }
    assert found.sizes["not trained"].variables == 0
    assert found.sizes["trained"].variables == 5


def test_what_checkpoints_leave_out_has_its_values(experiment):
    made = experiment()
    model = dataclasses.replace(made.model, save_frozen=False)
    assert dry_run(experiment(model=model)).loss == dry_run(made).loss
