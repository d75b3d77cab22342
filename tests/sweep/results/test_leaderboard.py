"""The leaderboard, as a table and as a file."""

from __future__ import annotations

import csv
import io
import math

import pytest

from hub_estimator.sweep.results.final_results import FinalResult
from hub_estimator.sweep.results.leaderboard import Leaderboard
from tests.sweep.results.trial_values import of_two, study, text_study, trial

pytestmark = pytest.mark.one_tensorflow

FINAL = [
    FinalResult(1, {"accuracy": [0.81, 0.82, 0.80], "loss": [1.0, 2.0, math.nan]}),
    FinalResult(2, {"accuracy": [0.79]}, failed=2),
]


def rows(board):
    return list(csv.DictReader(io.StringIO(board.csv().decode())))


def test_the_file_has_a_row_for_each_trial_the_best_first():
    found = rows(Leaderboard(text_study()))
    assert [row["number"] for row in found] == ["1", "2", "0", "4", "5", "3", "8", "6", "7"]
    assert found[0] == {
        "number": "1", "state": "complete", "MODULE": "'/modules/own'", "FINE_TUNE": "True",
        "LEARNING_RATE": "0.001", "accuracy": "0.84", "loss": "1.5", "seconds": "12.34",
        "model_dir": "out/trials/1", "error": "",
    }  # fmt: skip
    assert found[2]["LEARNING_RATE"] == ""
    assert (found[-1]["state"], found[-1]["accuracy"]) == ("failed", "")
    assert found[-1]["error"] == "LossNotFiniteError: it is nan"


def test_the_file_has_what_the_final_check_found():
    found = rows(Leaderboard(text_study(), FINAL))
    assert found[0]["test_accuracy_mean"] == "0.81"
    assert found[0]["test_accuracy_deviation"] == "0.01"
    assert (found[0]["test_loss_mean"], found[0]["test_loss_deviation"]) == ("", "")
    assert [row["test_runs"] for row in found] == ["3", "1", *[""] * 7]
    assert (found[1]["test_accuracy_mean"], found[1]["test_accuracy_deviation"]) == ("0.79", "")


def test_the_table_says_that_its_values_are_no_result():
    found = study(
        trial(0, 0.81234, settings={"MODULE": "'/m/a'"}),
        trial(1, state="waiting"),
        settings=("MODULE",),
    )
    assert Leaderboard(found).text() == (
        "Trials of the sweep reviews: 1 complete, 1 waiting; by accuracy (higher is better), * is the "
        "best:\n"
        "     trial  state     MODULE  accuracy  seconds\n"
        "  *  0      complete  '/m/a'  0.8123    12.3\n"
        "     1      waiting   -       -         12.3\n"
        "These values chose the best trials, and flatter them: they are no result.\n"
        "A final check makes one: Sweep.final_check.\n"
    )


def test_the_table_ends_with_the_result():
    text = Leaderboard(text_study(), FINAL).text()
    assert text.split("they are no result.\n")[1] == (
        "The final check: trained again with other seeds, and evaluated on data that the search did "
        "not see; mean ± standard deviation:\n"
        "  trial  MODULE          FINE_TUNE  LEARNING_RATE  accuracy         runs\n"
        "  1      '/modules/own'  True       0.001          0.8100 ± 0.0100  3\n"
        "  2      '/modules/own'  True       0.1            0.7900           1 (2 failed)\n"
    )


def test_of_many_trials_the_table_has_the_first():
    text = Leaderboard(study(*(trial(number, 0.5) for number in range(23)), settings=())).text()
    assert text.count("complete  ") == 20 and "  3 more are in leaderboard.csv.\n" in text


def test_the_whole_pareto_front_is_marked():
    text = Leaderboard(of_two(trial(0, 0.9, 50.0), trial(1, 0.8, 10.0), trial(2, 0.7, 60.0))).text()
    assert (
        "by accuracy (higher is better) and size (lower is better), * is of the Pareto front:"
        in text
    )
    assert [line[2] for line in text.splitlines()[2:5]] == ["*", "*", " "]


def test_a_sweep_without_trials_has_an_empty_table():
    board = Leaderboard(study(settings=()))
    assert board.text() == (
        "Trials of the sweep reviews: none; by accuracy (higher is better), * is the best:\n"
        "    trial  state  accuracy  seconds\n"
    )
    assert board.csv() == b"number,state,accuracy,seconds,model_dir,error\n"
