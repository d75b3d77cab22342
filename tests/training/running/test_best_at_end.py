"""A run that ends on its best checkpoint: what it says, exports, reports, and what comes after."""

from __future__ import annotations

import functools
import json
import pathlib

import pytest

import hub_estimator as hub
from hub_estimator import errors, training
from hub_estimator.training.exporters import export_records
from hub_estimator.training.model_folder.choice import CheckpointChoice
from tests.training import runs

# The loss falls: by this the first evaluation is the best.
FIRST = training.Objective("loss", higher_is_better=True)


class Recorded(hub.estimator.Exporter):
    """Exports nothing; keeps what it is called with."""

    name = "recorded"

    def __init__(self):
        self.calls = []

    def export(self, estimator, export_path, checkpoint_path, eval_result, is_the_final_export):
        step = int(checkpoint_path.rsplit("-", 1)[1])
        assert step == eval_result["global_step"]
        self.calls.append((step, eval_result["loss"], is_the_final_export))


@pytest.fixture
def run(make_regression, examples, folder):
    """Trains in a folder of the test; keyword arguments replace those of the loop."""

    def train(**changes):
        settings = {"load_best_model_at_end": True, "objective": FIRST, "max_steps": 6, **changes}
        experiment = runs.experiment(
            make_regression(),
            examples,
            examples,
            eval_every_steps=2,
            keep_checkpoints=1,
            **settings,
        )
        return training.train_and_evaluate(experiment, folder.path)

    return train


def exporters(recorded=None):
    made = [
        functools.partial(hub.LatestModuleExporter, "module"),
        functools.partial(hub.LatestModuleExporter, "at_end", every="end"),
        functools.partial(hub.LatestExporter, "servable", every="end", stable_path=True),
        functools.partial(hub.BestModuleExporter, "best_module"),
    ]
    return [*made, lambda serving_input_fn: recorded] if recorded else made


def steps_of(folder, exporter):
    paths = sorted(pathlib.Path(folder.export(exporter)).glob("[0-9]*"))
    return [export_records.step(str(path)) for path in paths]


def test_the_result_the_report_and_the_last_exports_are_of_the_best(run, folder):
    recorded = Recorded()
    result = run(exporters=exporters(recorded), report=training.Report(pictures=False))
    first, _, last = folder.history().evaluations()
    assert result.step == 2 and result.last_step == 6
    assert result.checkpoint == f"{folder.path}/model.ckpt-2"
    assert result.metrics["loss"] == first["loss"] != last["loss"]
    assert result.metrics["global_step"] == 2 and result.best == first
    assert (
        pathlib.Path(folder.report(), "report.md")
        .read_text()
        .startswith("# Evaluation at step 2\n")
    )
    assert steps_of(folder, "module") == [2, 4, 2]
    assert steps_of(folder, "at_end") == steps_of(folder, "servable") == [2]
    assert steps_of(folder, "best_module") == [2]
    assert [call[0] for call in recorded.calls] == [2, 4, 2]
    assert recorded.calls[-1] == (2, pytest.approx(recorded.calls[0][1]), True)
    newest = result.exports["module"]
    content = json.loads(pathlib.Path(newest, "metrics.json").read_text())
    assert content["loss"] == first["loss"] and content["global_step"] == 2
    assert list(result.exports) == ["module", "at_end", "servable", "best_module"]
    assert [path.rsplit("/", 3)[1] for path in result.modules] == [
        "module",
        "at_end",
        "best_module",
    ]


def test_without_it_all_is_of_the_last(run, folder):
    result = run(load_best_model_at_end=False, exporters=exporters())
    assert result.step == result.last_step == 6 and result.best["step"] == 2
    assert steps_of(folder, "module") == [2, 4, 6] and steps_of(folder, "at_end") == [6]
    # Its newest export is of an earlier step, and there all the same.
    assert export_records.step(result.exports["best_module"]) == 2
    assert [path.rsplit("/", 3)[1] for path in result.modules] == ["module", "at_end"]


def test_a_best_one_that_is_the_last(run):
    recorded = Recorded()
    result = run(objective=None, exporters=[lambda serving_input_fn: recorded])
    assert result.step == result.last_step == 6
    assert [(call[0], call[2]) for call in recorded.calls] == [(2, False), (4, False), (6, True)]


def test_a_run_that_goes_on_does_so_from_the_last(run, folder, caplog):
    run()
    caplog.set_level("INFO", "hub_estimator")
    result = run(max_steps=8)
    assert f"Training goes on from the checkpoint of step 6 in {folder.path}." in caplog.messages
    assert result.step == 2 and result.last_step == 8
    assert [evaluation["step"] for evaluation in folder.history().evaluations()] == [2, 4, 6, 8]


def test_a_finished_run_ends_on_the_best_again(run, folder):
    first = run(exporters=exporters())
    again = run(exporters=exporters())
    assert again.step == 2 and again.metrics == first.metrics and again.exports == first.exports


def test_a_run_that_ends_early_ends_on_the_best(run, folder):
    # Nothing improves by a million.
    stopping = training.EarlyStopping(patience=2, min_delta=1e6)
    result = run(max_steps=40, early_stopping=stopping, exporters=exporters())
    assert (result.step, result.last_step) == (2, 6)
    assert steps_of(folder, "at_end") == [2]
    assert str(result.early_end) == (
        "at step 6 of 40: loss has not improved for 2 evaluations, since that of step 2 "
        "(EarlyStopping.patience is 2)"
    )


def test_what_commands_take_where_nobody_chooses(run, make_regression, examples, folder, tmp_path):
    run()
    experiment = runs.experiment(
        make_regression(), examples, objective=FIRST, load_best_model_at_end=True
    )
    assert training.evaluate(experiment, folder.path)[0]["step"] == 2
    out = tmp_path / "out.csv"
    assert training.predict(experiment, folder.path, examples.path, out).step == 2
    assert training.export(experiment, folder.path, tmp_path / "out").step == 2
    latest = CheckpointChoice("latest")
    assert training.evaluate(experiment, folder.path, latest)[0]["step"] == 6
    assert training.predict(experiment, folder.path, examples.path, out, latest).step == 6


def test_where_nothing_was_evaluated_the_latest_is_taken(folder, save, caplog):
    save(1)
    save(2)
    assert CheckpointChoice().one(folder, FIRST, "best").step == 2
    assert caplog.messages == [
        f"No checkpoint in {folder.path} was evaluated by loss. Taken is the latest, of step 2."
    ]
    assert CheckpointChoice().one(folder, FIRST).step == 2
    with pytest.raises(errors.MetricNotFoundError):
        CheckpointChoice("best").one(folder, FIRST, "best")


@pytest.mark.parametrize("which", [None, "latest", 3])
def test_an_objective_without_a_best(which):
    with pytest.raises(errors.InvalidSettingError) as caught:
        CheckpointChoice(which, FIRST)
    assert str(caught.value) == (
        f"CheckpointChoice.objective says which checkpoint is the best, and which is {which!r}. "
        "Give which='best', or no objective."
    )


def test_what_is_neither_true_nor_false(run, folder):
    with pytest.raises(errors.InvalidSettingError) as caught:
        run(load_best_model_at_end="best")
    assert str(caught.value) == (
        "Experiment.load_best_model_at_end is 'best'; it must be True or False."
    )


def test_parts_without_an_objective_go_by_the_experiments(run, make_regression, examples, folder):
    made = runs.experiment(
        make_regression(),
        examples,
        objective=FIRST,
        early_stopping=training.EarlyStopping(patience=1),
    )
    assert made.stops_early.objective == FIRST and made.early_stopping.objective is None
    own = training.EarlyStopping(training.Objective("auc"))
    assert runs.experiment(make_regression(), examples, early_stopping=own).stops_early is own
    assert runs.experiment(make_regression(), examples).stops_early is None
    by_loss = functools.partial(hub.BestModuleExporter, "own", objective=training.Objective("loss"))
    run(exporters=[*exporters(), by_loss], load_best_model_at_end=False)
    assert steps_of(folder, "best_module") == [2] and steps_of(folder, "own") == [2, 4, 6]
