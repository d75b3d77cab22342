"""Which models of a sweep stay, how its best one is named, and what to run next."""

from __future__ import annotations

import os

import pytest

from hub_estimator import errors, shell
from hub_estimator.site import descriptions
from hub_estimator.sweep.results import commands, keeping
from hub_estimator.sweep.results.publication import Publication
from hub_estimator.sweep.results.results import Results
from hub_estimator.sweep.trials import Study
from hub_estimator.training.objective import Objective
from tests.sweep.results.trial_values import of_two, study, text_study, trial

pytestmark = pytest.mark.one_tensorflow

LOGS = ["events.out.tfevents.1.vm", "metrics.jsonl", "operative_config.gin"]


def write_model(folder):
    """Writes what a training leaves, as far as it is asked for here."""
    module = folder / "export" / "module" / "1790000000" / "text"
    module.mkdir(parents=True)
    (module / "tfhub_module.pb").write_bytes(b"")
    names = [f"model.ckpt-{step}.{ending}" for step in (0, 20)
             for ending in ("index", "meta", "data-00000-of-00001")]  # fmt: skip
    for name in (*LOGS, *names, "checkpoint"):
        (folder / name).write_text("")
    return module


def numbers(trials):
    return [each.number for each in trials]


def test_what_is_not_finished_stays():
    found = study(
        trial(0, 0.5),
        trial(1, 0.9),
        trial(2, state="running"),
        trial(3, state="failed"),
        trial(4, 0.95, state="pruned"),
        trial(5, state="waiting"),
    )
    assert numbers(keeping.superfluous(found, 1)) == [0, 3, 4]
    assert numbers(keeping.superfluous(found, 2)) == [3, 4]


def test_the_whole_pareto_front_stays():
    found = of_two(trial(0, 0.9, 50.0), trial(1, 0.8, 10.0), trial(2, 0.7, 60.0))
    assert numbers(keeping.superfluous(found, 1)) == [2]


def test_checkpoints_and_exports_go_and_what_tells_of_the_run_stays(tmp_path):
    trials = []
    for number, value in enumerate((0.5, 0.9)):
        write_model(tmp_path / str(number))
        trials.append(trial(number, value, model_dir=str(tmp_path / str(number))))
    found = study(*trials, trial(2, 0.1, model_dir=str(tmp_path / "elsewhere")))
    for _ in range(2):
        keeping.remove_models(found, 1)
    assert sorted(os.listdir(tmp_path / "0")) == LOGS
    assert len(os.listdir(tmp_path / "1")) == len(LOGS) + 8
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may remove anything")
def test_what_cannot_be_removed_stays_with_a_warning(tmp_path, caplog):
    write_model(tmp_path / "0")
    (tmp_path / "0").chmod(0o500)
    keeping.remove_models(study(trial(0, state="failed", model_dir=str(tmp_path / "0"))), 1)
    (tmp_path / "0").chmod(0o700)
    assert "The model of trial 0 cannot be removed: " in caplog.text


def test_the_modules_of_a_trial_are_named(tmp_path):
    module = write_model(tmp_path / "0")
    assert commands.modules(trial(0, 0.5, model_dir=str(tmp_path / "0"))) == [str(module)]
    assert commands.modules(trial(0, 0.5, model_dir=str(tmp_path / "1"))) == []
    assert commands.modules(trial(0, state="waiting", model_dir="")) == []


def test_the_command_trains_with_all_settings_of_a_trial():
    line = commands.train_again(trial(3, 0.5, model_dir="out/a b/3"), "out/best", ["my.heads"])
    assert line == (
        f"{shell.python()} -m hub_estimator.train --gin_file='out/a b/3/operative_config.gin' "
        "--allow_import=my.heads --model_dir=out/best"
    )


@pytest.mark.parametrize(
    ("storage", "shown"),
    [
        ("sqlite:////srv/a b/sweep.db", "'sqlite:////srv/a b/sweep.db'"),
        ("postgresql://me:***@host/sweeps", "postgresql://me@host/sweeps"),
    ],
)
def test_the_command_of_the_dashboard_has_no_password(storage, shown):
    found = Study("reviews", (Objective("accuracy"),), storage=storage)
    assert commands.dashboard(found) == f"optuna-dashboard {shown}"


def test_the_last_words_name_the_best_trial_and_what_to_do(tmp_path):
    found = text_study(str(tmp_path))
    module = write_model(tmp_path / "trials" / "1")
    text = Results(found, str(tmp_path)).text("/srv/hub/acme/words/1")
    last = text.split("Sweep.final_check.\n\n")[1].splitlines()
    again = commands.train_again(found.trials[1], f"{tmp_path}/best")
    settings = "MODULE='/modules/own', FINE_TUNE=True, LEARNING_RATE=0.001"
    look = commands.tensorboard(str(tmp_path))
    assert last == [
        f"Best by search:   trial 1: {settings} (accuracy 0.84)",
        f"Its model folder: {tmp_path}/trials/1",
        f"Its module:       {module}",
        "Its page:         /srv/hub/acme/words/1",
        f"Leaderboard:      {tmp_path}/leaderboard.csv",
        f"Report:           {tmp_path}/report/report.md",
        "",
        "Next:",
        f"  train it again:   {again}",
        f"  look at the runs: {look}",
        "  at the search:    optuna-dashboard sqlite:///out/sweep.db",
    ]


def test_of_a_large_pareto_front_the_first_are_named(tmp_path):
    found = of_two(*(trial(number, 0.1 * number, 1.0 * number) for number in range(7)))
    lines = Results(found, str(tmp_path)).text().splitlines()
    named = [line for line in lines if line.startswith("Best by search:")]
    assert len(named) == 5 and named[1].endswith("(accuracy 0.1, size 1)")
    assert "and 2 more of the Pareto front." in lines


def test_progress_is_written_whole_and_the_report_at_the_end(tmp_path):
    (tmp_path / "trials" / "0").mkdir(parents=True)
    results = Results(text_study(str(tmp_path)), str(tmp_path))
    results.write_progress()
    assert (tmp_path / "leaderboard.csv").read_bytes() == results.board.csv()
    assert not (tmp_path / "report").exists()
    results.write()
    assert (tmp_path / "report" / "report.md").exists()
    assert list((tmp_path / "trials" / "0").glob("events.*.hparams.complete"))


# --- publication ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"site": "", "name": "a/b"}, "Publication.site is ''; it must be a path in quotes."),
        ({"site": "hub", "name": 3}, "Publication.name is 3; it must be a text in quotes."),
        (
            {"site": "hub", "name": "a/b", "url": 3},
            "Publication.url is 3; it must be a text in quotes.",
        ),
    ],
)
def test_settings_of_a_publication_are_checked(given, message):
    with pytest.raises(errors.InvalidSettingError) as caught:
        Publication(**given)
    assert str(caught.value) == message


def test_the_name_of_a_publication_is_that_of_a_model():
    with pytest.raises(errors.InvalidModelNameError):
        Publication("hub", "words")


def test_a_publication_needs_what_makes_pages(monkeypatch):
    monkeypatch.setattr(descriptions, "are_possible", lambda: False)
    with pytest.raises(errors.MissingExtraError, match="hub_estimator\\[site\\]"):
        Publication("hub", "acme/words").check()


def test_a_module_that_is_none_is_an_error_in_one_line(tmp_path):
    module = write_model(tmp_path / "0")
    with pytest.raises(errors.BestModuleError) as caught:
        Publication(str(tmp_path / "hub"), "acme/words").publish(str(module))
    assert str(caught.value).startswith("The best module was not published: ")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "hub" / "acme").exists()
