"""The final check: what it is of, that its data is unseen, and its runs."""

from __future__ import annotations

import dataclasses
import threading

import pytest

from hub_estimator import errors
from hub_estimator.sweep import finishing, runner, unseen_data
from hub_estimator.sweep.final_check import FinalCheck
from hub_estimator.sweep.final_runs import FinalRuns
from hub_estimator.sweep.plan import Plan
from hub_estimator.sweep.runner import Ended, ExperimentRunner
from hub_estimator.sweep.space import Choice
from hub_estimator.sweep.sweep import Sweep
from hub_estimator.training.objective import Objective
from tests.sweep.results.trial_values import study, trial

pytestmark = pytest.mark.one_tensorflow

BINDINGS = ("EVAL_DATA = 'test.csv'",)
TEXT = "include 'text_classification.gin'\n"
GIVEN = ["MODULE = 'm'", "TRAIN_DATA = 'train.csv'", "EVAL_DATA = 'eval.csv'"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"bindings": "EVAL_DATA = 1"},
         ("FinalCheck.bindings is 'EVAL_DATA = 1'; give it a list, as in "
         "[\"EVAL_DATA = 'test.csv'\"].")),
        ({"bindings": []},
         ("FinalCheck.bindings is empty; give the data that the search does not see, as in "
         "[\"EVAL_DATA = 'test.csv'\"].")),
        ({"bindings": [3]}, "FinalCheck.bindings is 3; it must be a text in quotes."),
        ({"best": 0}, "FinalCheck.best is 0; it must be at least 1."),
        ({"seeds": 3}, "FinalCheck.seeds is 3; give it a list, as in [101, 102, 103]."),
        ({"seeds": []}, "FinalCheck.seeds is []; give at least one, and none twice."),
        ({"seeds": [1, 1]}, "FinalCheck.seeds is [1, 1]; give at least one, and none twice."),
        ({"seeds": [-1]}, "FinalCheck.seeds is -1; it must be at least 0."),
    ],
    ids=lambda value: str(value)[:24] if isinstance(value, dict) else "",
)  # fmt: skip
def test_settings_are_checked(given, message):
    with pytest.raises(errors.InvalidSettingError) as caught:
        FinalCheck(**{"bindings": BINDINGS, **given})
    assert str(caught.value) == message


# --- data -----------------------------------------------------------------------------------------


def test_other_data_is_fine(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("train", "eval", "test"):
        (tmp_path / f"{name}.csv").write_text(f"text,label\n{name},1\n")
    unseen_data.check(TEXT, GIVEN, BINDINGS)
    unseen_data.check(TEXT, [*GIVEN[:2], "EVAL_DATA = 0.1"], BINDINGS)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ("MAX_STEPS = 3",
         ("FinalCheck.bindings, ['MAX_STEPS = 3'], leave the data that the search evaluates on. Give "
         "other data, as in [\"EVAL_DATA = 'test.csv'\"].")),
        ("EVAL_DATA = './eval.csv'",
         ("The final check would be made on './eval.csv', on which the search evaluates. Give other "
         "data in FinalCheck.bindings.")),
        ("EVAL_DATA = 'train.csv'",
         ("The final check would be made on 'train.csv', on which the search trains. Give other data "
         "in FinalCheck.bindings.")),
        ("EVAL_DATA = 'copy.csv'",
         ("The final check would be made on 'copy.csv', on which the search evaluates. Give other "
         "data in FinalCheck.bindings.")),
        ("EVAL_DATA = 0.2",
         ("The final check would be made on a part of the training data (0.2), on which the search "
         "trains. Give other data in FinalCheck.bindings.")),
        ("Experiment.eval_input = 0.2",
         ("The final check would be made on a part of the training data (0.2), on which the search "
         "trains. Give other data in FinalCheck.bindings.")),
    ],
    ids=["none", "the same", "training data", "a copy", "a part", "a part as input"],
)  # fmt: skip
def test_data_that_the_search_saw_is_refused(tmp_path, monkeypatch, changed, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.csv").write_text("text,label\na,1\n")
    for name in ("eval", "copy"):
        (tmp_path / f"{name}.csv").write_text("text,label\nb,1\n")
    with pytest.raises(errors.SeenDataError) as caught:
        unseen_data.check(TEXT, GIVEN, [changed])
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "name"),
    [(TEXT, "SEED"), (f"{TEXT}Experiment.seed = 5\n", "Experiment.seed")],
    ids=["macro", "setting"],
)
def test_the_seed_is_set_by_what_the_experiment_has_it_of(text, name):
    assert unseen_data.seed_name(text, GIVEN) == name


# --- runs -----------------------------------------------------------------------------------------


def plan(folder, **given):
    check = FinalCheck(BINDINGS, best=2, seeds=[5, 6])
    sweep = Sweep([Choice("MODULE", ["a", "b", "c"])], Objective("accuracy"), name="reviews",
                  final_check=check)  # fmt: skip
    at_work = ExperimentRunner(TEXT, tuple(GIVEN[1:]))
    return Plan(dataclasses.replace(sweep, **given), at_work, str(folder), 2)


def searched():
    chosen = [{"MODULE": f"'{name}'"} for name in "abc"]
    values = (0.5, 0.9, 0.7)
    return study(
        *(trial(n, value, settings=chosen[n]) for n, value in enumerate(values)),
        trial(3, state="failed"),
    )


def test_the_runs_are_the_best_settings_with_each_seed(tmp_path):
    runs = FinalRuns.of(plan(tmp_path), searched())
    assert runs.trials == (1, 1, 2, 2)
    space = runs.plan.sweep.dimensions
    assert [space.settings(values) for values in space.grid()] == [
        {"MODULE": "'b'", "SEED": "5"},
        {"MODULE": "'b'", "SEED": "6"},
        {"MODULE": "'c'", "SEED": "5"},
        {"MODULE": "'c'", "SEED": "6"},
    ]
    assert runs.plan.folder.startswith(f"{tmp_path}/final_check/")
    assert runs.plan.name.startswith("reviews final check ")
    assert FinalRuns.of(plan(tmp_path), searched()) == runs


def test_another_check_has_another_folder(tmp_path):
    before = FinalRuns.of(plan(tmp_path), searched())
    other = FinalCheck(["EVAL_DATA = 'other.csv'"], best=2, seeds=[5, 6])
    now = FinalRuns.of(plan(tmp_path, final_check=other), searched())
    assert now.plan.folder != before.plan.folder and now.plan.name != before.plan.name


@pytest.mark.parametrize(
    "found",
    [study(), study(trial(0, state="failed")), study(trial(0, 0.5), trial(1, state="running"))],
    ids=["no trial", "none complete", "not finished"],
)
def test_without_a_finished_search_there_are_no_runs(tmp_path, found):
    assert FinalRuns.of(plan(tmp_path), found) is None


def test_without_a_final_check_there_are_no_runs(tmp_path):
    assert FinalRuns.of(plan(tmp_path, final_check=None), searched()) is None


def test_what_was_not_begun_has_no_results(tmp_path):
    runs = FinalRuns.of(plan(tmp_path), searched())
    assert runs.seen() is None and runs.results(None) == []
    assert not list(tmp_path.iterdir())


def test_a_run_is_evaluated_on_the_other_data(tmp_path, monkeypatch):
    asked = []

    def answer(gin_text, model_dir, verb, gin_bindings, *others, **given):
        asked.append((verb, gin_bindings, given.get("name")))
        if verb == "evaluate":
            return [{"step": 20, "checkpoint": "model.ckpt-20", "accuracy": 0.6, "loss": None}]
        return {"step": 20, "metrics": {"accuracy": 0.9, "loss": 0.1}, "exports": {}}

    monkeypatch.setattr(runner, "answer_of_fresh_process", answer)
    at_work = FinalRuns.of(plan(tmp_path), searched()).plan.runner
    ended = at_work(runner.Run({"SEED": "5"}, "out", "log", {}), threading.Event())
    assert ended == Ended(20, {"accuracy": 0.6})
    assert asked == [
        ("train_and_evaluate", [*GIVEN[1:], "SEED = 5"], None),
        ("evaluate", [*GIVEN[1:], "SEED = 5", *BINDINGS], "test"),
    ]


@dataclasses.dataclass(frozen=True)
class Scripted:
    """Runs that find what their settings say, with no process."""

    def __call__(self, run, stopping):
        value = {"'b'": 0.6, "'c'": 0.8}[run.settings["MODULE"]] + int(run.settings["SEED"]) / 100
        if run.settings == {"MODULE": "'c'", "SEED": "6"}:
            raise errors.LossNotFiniteError("The loss is nan.")
        return Ended(20, {"accuracy": value, "loss": 0.5})


def test_the_runs_are_made_once_and_their_results_are_of_trials(tmp_path, monkeypatch):
    runs = FinalRuns.of(plan(tmp_path), searched())
    scripted = dataclasses.replace(runs.plan, runner=Scripted(), workers=1)
    found = [finishing.Supervisor(scripted, threading.Event()).run() for _ in range(2)]
    results = runs.results(found[-1])
    assert [(each.trial, each.runs, each.failed) for each in results] == [(1, 2, 0), (2, 1, 1)]
    assert results[0].metrics["accuracy"] == pytest.approx([0.65, 0.66])
    assert runs.results(runs.seen()) == results
