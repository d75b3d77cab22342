"""The verbs in a program that has no graph of its own, as programs of TF2 have none."""

from __future__ import annotations

from hub_estimator import compat, training
from hub_estimator.training.inputs.text_file import TextFile
from tests.training import runs


def test_each_verb(make_regression, data_file, tmp_path):
    source, model_dir = TextFile(data_file, batch_size=8), str(tmp_path / "model")
    with compat.eagerly():
        experiment = runs.experiment(
            make_regression(), source, source, 2, 1, profile_every_steps=1, log_every_steps=1
        )
        result = training.train_and_evaluate(experiment, model_dir)
        assert result.step == 2
        every = training.CheckpointChoice("all")
        found = training.evaluate(experiment, model_dir, every, name="again")
        assert [each["step"] for each in found] == [0, 1, 2]
        assert found[1:] == training.ModelFolder(model_dir).history().evaluations()
        training.predict(experiment, model_dir, data_file, tmp_path / "predictions.csv")
        training.export(experiment, model_dir, tmp_path / "export")
        assert training.rows_per_second(experiment, model_dir) > 0
    assert list((tmp_path / "model" / "profile").glob("timeline-*.json"))
