"""Sweeps in gin: what a text makes, what is left of the experiment, what is said before anything runs."""

from __future__ import annotations

import os
import pathlib
import re

import pytest

from hub_estimator import config, errors
from hub_estimator.sweep import experiments, optuna_library, pruners, samplers
from hub_estimator.sweep.space import Choice, LogUniform
from hub_estimator.sweep.sweep import Sweep
from hub_estimator.training.objective import Objective
from tests import text_data

SWEEP = """
MODULES = ['module', 'other']
Sweep.space = [@module/Choice(), @tune/Choice(), @rate/LogUniform()]
module/Choice.setting = 'MODULE'
module/Choice.values = %MODULES
tune/Choice.setting = 'FINE_TUNE'
tune/Choice.values = [False, True]
rate/LogUniform.setting = 'LEARNING_RATE'
rate/LogUniform.low = 0.01
rate/LogUniform.high = 0.1
rate/LogUniform.when = {'FINE_TUNE': True}
Sweep.sampler = @TPE()
"""
DATA = ["TRAIN_DATA='data.csv'", "EVAL_DATA='data.csv'"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = text_data.write_both(tmp_path_factory.mktemp("sweep"))
    os.symlink("module", made / "other")
    (made / "sweep.gin").write_text(SWEEP)
    return made


@pytest.fixture(autouse=True)
def here(folder, monkeypatch):
    monkeypatch.chdir(folder)


def read(*bindings, files=("smoke.gin", "sweep.gin"), imports=()):
    return experiments.from_gin(files, [*DATA, *bindings], imports)


def test_a_sweep_of_gin_files():
    sweep, runner = read("Sweep.trials=7", "Sweep.pruner=@MedianPruner()")
    assert [type(each) for each in sweep.space] == [Choice, Choice, LogUniform]
    assert sweep.space[0] == Choice("MODULE", ["module", "other"])
    assert sweep.space[2].when == {"FINE_TUNE": True} and sweep.number_of_trials == 7
    assert sweep.chosen_by == samplers.TPE() and sweep.pruner == pruners.MedianPruner()
    assert sweep.objectives == (Objective("accuracy"),)  # the experiment's
    assert runner.gin_bindings == ("TRAIN_DATA = 'data.csv'", "EVAL_DATA = 'data.csv'")
    assert "Experiment.max_steps = %MAX_STEPS\n" in runner.gin_text
    assert not re.search("Sweep|Choice|LogUniform|MODULES|TPE", runner.gin_text)
    assert runner.bindings({"FINE_TUNE": "True"})[-1] == "FINE_TUNE = True"


def test_what_is_left_is_the_experiment():
    """Overridden statements stay, so that what is said of useless ones is what `train` says."""
    _, runner = read("DenseLayers.units=[3]", "MAX_STEPS=40")
    assert runner.gin_text.count("MAX_STEPS = ") == 2
    pathlib.Path("left.gin").write_text(runner.gin_text)
    from hub_estimator.training import early_checks

    early_checks.check_training(["left.gin"], runner.bindings({"MODULE": "'module'"}), [])


def test_objectives_of_their_own():
    several = ["a/Objective.metric='accuracy'", "b/Objective.metric='loss'"]
    sweep, runner = read("Sweep.objective=[@a/Objective(), @b/Objective()]", *several)
    assert [each.metric for each in sweep.objectives] == ["accuracy", "loss"]
    assert not any("Objective" in each for each in runner.gin_bindings)
    assert "Objective.metric = %METRIC\n" in runner.gin_text


def test_a_choice_of_parts():
    chosen = [
        "o/Choice.setting='Optimization.optimizer'",
        "o/Choice.values=[@AdamOptimizer, @AdagradOptimizer]",
        "Sweep.space=[@module/Choice(), @o/Choice()]",
    ]
    sweep, _ = read(*chosen)  # what the files say of others is of no use then, and no error
    assert sweep.space[1].points() == ("@AdamOptimizer", "@AdagradOptimizer")


def test_a_sweep_around_a_trained_model(tmp_path):
    settings = tmp_path / "operative_config.gin"
    settings.write_text("include 'smoke.gin'")
    settings.write_text("\n".join(_flat("smoke.gin")))
    _, runner = read(files=(str(settings), "sweep.gin"))
    assert runner.gin_text == f"include {str(settings)!r}\n"


def _flat(name):
    with config.early_session([name], is_complete=False) as session:
        left = session.without([], "Objective", "Experiment", [])
    # A model folder's has values for all.
    return [line for line in left.text.splitlines() if "gin.REQUIRED" not in line] + [
        "MODULE = 'module'", "TRAIN_DATA = 'x.csv'", "EVAL_DATA = 'x.csv'"
    ]  # fmt: skip


def test_what_imports_is_imported(monkeypatch):
    pathlib.Path("parts_of_a_sweep.py").write_text(
        "import gin\n\n\n@gin.configurable\ndef own_head():\n    return None\n"
    )
    monkeypatch.syspath_prepend(os.getcwd())
    pathlib.Path("own.gin").write_text("import parts_of_a_sweep\nMAX_STEPS = 30\n")
    given = ("smoke.gin", "own.gin", "sweep.gin")
    sweep, runner = read(files=given)
    assert sweep.number_of_trials == 20 and "import parts_of_a_sweep\n" in runner.gin_text
    with pytest.raises(errors.UnreadBindingError, match="^Nothing reads this setting: NOTHING "):
        read("NOTHING=1", files=given)


@pytest.mark.parametrize(
    ("bindings", "error", "message"),
    [
        (
            ["MODULES=%gin.REQUIRED"],
            errors.MissingSettingError,
            (
                "The configuration needs MODULES. Give it in a gin file or by "
                '--gin_bindings="MODULES=...".'
            ),
        ),
        (
            ["Sweep.space=[@x/Choice()]", "x/Choice.values=[1]"],
            errors.MissingSettingError,
            (
                "The configuration needs x/Choice.setting. Give it in a gin file or by "
                '--gin_bindings="x/Choice.setting=...".'
            ),
        ),
        (
            ["rate/LogUniform.setting='LERNING_RATE'"],
            errors.UnreadBindingError,
            (
                "Nothing reads this setting: LERNING_RATE (Did you mean LEARNING_RATE?) Correct the name, "
                "or remove the binding."
            ),
        ),
        (
            ["x/Choice.values=[1]"],
            errors.UnreadBindingError,
            (
                "Nothing reads this setting: x/Choice.values (Did you mean tune/Choice.values or "
                "module/Choice.values or tune/Choice.name?) Correct the name, or remove the binding."
            ),
        ),
        (
            ["MODULES=['module', 'modul']"],
            errors.HandleNotFoundError,
            "There is nothing at 'modul' (in {here}): check the path of the module.",
        ),
        (
            ["NOTHING=1"],
            errors.UnreadBindingError,
            (
                "Nothing reads this setting: NOTHING (There is: BATCH_SIZE, EVAL_DATA, FINE_TUNE, LABEL, "
                "LEARNING_RATE, MAX_STEPS, METRIC, MODULE, SEED, TEXT, TRAIN_DATA.) Correct the name, or remove the "
                "binding."
            ),
        ),
        (
            ["Sweep.space=[]"],
            errors.InvalidSettingError,
            "Sweep.space is empty; give what trials set, as in [@module/Choice()].",
        ),
        (
            ["Sweep.space=[@module/Choice]"],
            errors.InvalidSettingError,
            "Sweep.space is @module/Choice; give it a part like [@module/Choice()].",
        ),
        (
            ["Sweep.gpus='all'"],
            errors.InvalidSettingError,
            "Sweep.gpus is 'all'; it must be 'shared' or 'in_turn'.",
        ),
        (
            ["Sweep.pruner=@MedianPruner()", "Sweep.objective=[@Objective(), @Objective()]"],
            errors.PartsMismatchError,
            (
                "Sweep.pruner goes by one objective, and Sweep.objective has several. Leave one of them "
                "out."
            ),
        ),
        (
            ["Sweep.objective=@Objective()", "Objective.metric='rows_per_second'"],
            errors.PartsMismatchError,
            (
                "Sweep.objective has rows_per_second first, which is known only when a trial has ended. "
                "Put a metric of its evaluations first, as in [@quality/Objective(), "
                "@cost/Objective()]."
            ),
        ),
    ],
)
def test_what_is_wrong_is_said_before(bindings, error, message):
    with pytest.raises(error) as caught:
        read(*bindings)
    assert str(caught.value) == message.format(here=os.getcwd())


SPACE = [Choice("A", [1, 2])]


def test_number_of_trials():
    assert Sweep(SPACE).number_of_trials == 20 and Sweep(SPACE, trials=3).number_of_trials == 3
    grid = samplers.Grid()
    assert Sweep(SPACE, sampler=grid).number_of_trials == 2
    assert Sweep(SPACE, sampler=grid, trials=1).number_of_trials == 1
    assert Sweep(SPACE, sampler=grid, trials=9).number_of_trials == 2


def test_samplers_that_need_more(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(
        errors.MissingExtraError, match=r"^GP needs torch: pip install torch scipy\.$"
    ):
        Sweep(SPACE, sampler=samplers.GP())
    needs = re.escape("CmaEs needs cmaes: pip install 'hub_estimator[sweep]'.")
    with pytest.raises(errors.MissingExtraError, match=f"^{needs}$"):
        Sweep(SPACE, sampler=samplers.CmaEs())


def test_cma_es_of_several_objectives(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    several = [Objective("accuracy"), Objective("loss")]
    with pytest.raises(errors.PartsMismatchError) as caught:
        Sweep(SPACE, several, samplers.CmaEs())
    assert str(caught.value) == (
        "CmaEs goes by one objective, and Sweep.objective has several. Take TPE, RandomSearch, Grid "
        "or GP."
    )


def test_without_optuna(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "optuna", None)
    with pytest.raises(errors.MissingExtraError) as caught:
        optuna_library.module()
    assert str(caught.value) == "Sweeps need Optuna: pip install 'hub_estimator[sweep]'."


@pytest.mark.parametrize(
    "pruner",
    [
        pruners.MedianPruner(2, 100),
        pruners.PercentilePruner(25, 2, 100),
        pruners.HyperbandPruner(500, 2000),
    ],
    ids=lambda pruner: type(pruner).__name__,
)
def test_pruners_are_those_of_optuna(pruner, recwarn):
    assert type(pruner.made()).__name__ == type(pruner).__name__
    assert not recwarn.list


@pytest.mark.parametrize("sampler", [samplers.TPE(3), samplers.RandomSearch()])
def test_samplers_are_those_of_optuna(sampler, recwarn):
    names = {"TPE": "TPESampler", "RandomSearch": "RandomSampler"}
    assert type(sampler.made(3)).__name__ == names[type(sampler).__name__]
    assert not recwarn.list


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: samplers.TPE(-1), "TPE.startup_trials is -1; it must be at least 0."),
        (lambda: samplers.CmaEs(0), "CmaEs.startup_trials is 0; it must be at least 1."),
        (lambda: samplers.GP("x"), "GP.startup_trials is 'x'; it must be a whole number."),
        (
            lambda: pruners.MedianPruner(warmup_steps=-1),
            "MedianPruner.warmup_steps is -1; it must be at least 0.",
        ),
        (
            lambda: pruners.PercentilePruner(101),
            "PercentilePruner.percentile is 101; it must be at most 100.",
        ),
        (
            lambda: pruners.HyperbandPruner(100, 10),
            "HyperbandPruner.max_steps is 10; it must be at least 100.",
        ),
        (lambda: Sweep(SPACE, trials=0), "Sweep.trials is 0; it must be at least 1."),
        (lambda: Sweep(SPACE, seed=-1), "Sweep.seed is -1; it must be at least 0."),
        (
            lambda: Sweep(SPACE, heartbeat_secs=0),
            "Sweep.heartbeat_secs is 0; it must be at least 1.",
        ),
        (lambda: Sweep(SPACE, name=""), "Sweep.name is ''; it must be a text in quotes."),
        (
            lambda: Sweep(SPACE, sampler=3),
            "Sweep.sampler is 3; give it a part like @TPE().",
        ),
    ],
)
def test_impossible_settings(make, message):
    with pytest.raises(errors.InvalidSettingError, match=f"^{re.escape(message)}$"):
        make()
