"""Workers and their supervisor: each trial once, whatever is killed, stopped or fails meanwhile."""

from __future__ import annotations

import collections
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

import pytest

from hub_estimator import errors
from hub_estimator.sweep import records, study, worker
from hub_estimator.sweep.pruners import MedianPruner
from hub_estimator.sweep.samplers import TPE, Grid, RandomSearch
from hub_estimator.sweep.space import Uniform
from hub_estimator.sweep.supervisor import Supervisor
from hub_estimator.training.objective import Objective
from tests.sweep import light_runs
from tests.sweep.light_runs import LightRunner, plan, starts

pytestmark = pytest.mark.one_tensorflow
ROOT = pathlib.Path(__file__).parent.parent.parent


def run(made):
    return Supervisor(made, threading.Event()).run()


def work(made, stopping=None):
    """Runs a sweep by one worker that is no process of its own."""
    opened = study.opened(made)
    study.describe(opened)
    opened.fill()
    worker.Worker(made, 0, stopping or threading.Event()).work()
    return opened.seen()


def pids(found):
    """Returns the processes of the workers that had trials."""
    return {
        int(trial.worker.rpartition("/")[2].split("-")[0]) for trial in found.trials if trial.worker
    }


def until(condition, secs=30.0):
    """Waits until something is so, and returns it."""
    end = time.monotonic() + secs
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("it did not happen")


def test_each_trial_is_run_once_and_known_afterwards(tmp_path):
    found = work(plan(tmp_path, 0.25, 0.5))
    assert starts(tmp_path) == {0: [0], 1: [0]}
    first, second = found.trials
    assert (first.number, first.state, first.settings) == (0, "complete", {"VALUE": "0.25"})
    assert first.values == (0.27,) and second.values == (0.52,) and found.is_finished
    assert first.reports == {10: 0.26, 20: 0.27} and first.step == 20
    assert first.metrics == {"accuracy": 0.27, "loss": 0.75}
    assert first.model_dir == str(tmp_path / "trials" / "0") and first.error is None
    assert first.seconds > 0 and first.started.tzinfo is not None
    assert found.name == tmp_path.name and found.objectives == (Objective("accuracy", True),)
    assert found.settings == ("VALUE",)
    assert study.read(plan(tmp_path, 1).storage, tmp_path.name) == found
    assert os.listdir(tmp_path / "workers") == []


def test_the_same_again_does_nothing_and_more_trials_are_added(tmp_path):
    space = {"space": [Uniform("VALUE", 0.1, 0.9)], "sampler": RandomSearch()}
    two = work(plan(tmp_path, trials=2, **space))
    assert work(plan(tmp_path, trials=2, **space)) == two
    three = work(plan(tmp_path, trials=3, **space))
    assert three.trials[:2] == two.trials and len(three.trials) == 3
    assert starts(tmp_path) == {0: [0], 1: [0], 2: [0]}
    # Fewer take none away, and what was not begun is not done.
    assert work(plan(tmp_path, trials=1, **space)).trials == three.trials


def test_what_fails_is_recorded_and_the_others_are_run(tmp_path):
    found = work(plan(tmp_path, "the loss is not a number", 0.5))
    assert [trial.state for trial in found.trials] == ["failed", "complete"]
    assert found.trials[0].error == "'the loss is not a number'"
    assert found.trials[0].values is None and found.trials[0].settings
    again = work(plan(tmp_path, "the loss is not a number", 0.5))
    assert again == found


def test_a_metric_that_evaluations_do_not_have_is_an_error_of_each_trial(tmp_path):
    found = work(plan(tmp_path, 0.5, objective=Objective("auc")))
    assert found.trials[0].error == (
        "Sweep.objective looks for the metric 'auc', which evaluations do not give. They give: "
        "accuracy, loss."
    )


def test_a_full_disk_stops_the_sweep_and_the_trial_is_run_again(tmp_path):
    full = f"The run failed: OSError: [Errno 28] {os.strerror(28)}"
    made = plan(tmp_path, full, 0.5)
    with pytest.raises(errors.SweepFailedError) as caught:
        run(made)
    assert str(caught.value) == (
        f"There is no room left: {full!r}. Make some, and run the same command again; it goes on."
    )
    seen = study.opened(made).seen()
    assert [trial.state for trial in seen.trials] == ["waiting", "waiting"]


def test_what_ends_early_stops_at_that_evaluation(tmp_path):
    pruner = MedianPruner(startup_trials=2)
    made = plan(tmp_path, 0.5, 0.6, 0.1, pruner=pruner, runner=LightRunner(0.3, 60))
    found = work(made)
    assert [trial.state for trial in found.trials] == ["complete", "complete", "pruned"]
    last = found.trials[2]
    assert last.values == (0.11,) and last.step == 10 and last.metrics["loss"] == 0.9
    assert last.reports == {10: 0.11} and last.error is None
    assert len(light_runs.evaluations(tmp_path / "trials" / "2")) == 1


def test_several_objectives_have_a_value_each(tmp_path):
    objectives = [Objective("accuracy"), Objective("loss")]
    found = work(plan(tmp_path, 0.25, 0.5, objective=objectives))
    assert [trial.values for trial in found.trials] == [(0.27, 0.75), (0.52, 0.5)]
    assert found.trials[0].reports == {10: 0.26, 20: 0.27} and found.objectives[1].metric == "loss"


def test_a_stopped_worker_saves_and_its_trial_goes_on(tmp_path):
    made = plan(tmp_path, 0.5, runner=LightRunner(0.2, 60))
    stopping = threading.Event()
    path = tmp_path / "trials" / "0" / "metrics.jsonl"
    threading.Thread(target=lambda: (until(path.exists), stopping.set())).start()
    work(made, stopping)
    stopped = study.opened(made)
    assert records.kills(stopped.records()) == 0
    assert stopped.seen().trials[0].state == "waiting"
    assert stopped.seen().trials[0].settings == {"VALUE": "0.5"}
    [trial] = work(made).trials
    first, second = starts(tmp_path)[0]
    assert first == 0 and second >= 10
    assert trial.state == "complete" and list(trial.reports) == [10, 20, 30, 40, 50, 60]


def test_a_killed_workers_trial_is_run_again_from_where_it_was(tmp_path):
    runner = LightRunner(0.2, 60)
    made = plan(tmp_path, *(number / 10 for number in range(1, 5)), workers=2, runner=runner)

    def kill():
        first = tmp_path / "trials" / "0"
        until((first / "metrics.jsonl").exists)
        os.kill(int((first / "parent.txt").read_text()), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    found = run(made)
    killer.join()
    assert [trial.state for trial in found.trials] == ["complete"] * 4
    assert [trial.values for trial in found.trials] == [(0.16,), (0.26,), (0.36,), (0.46,)]
    first, second = starts(tmp_path)[0]
    assert first == 0 and second >= 10  # from its last checkpoint
    assert {number: len(each) for number, each in starts(tmp_path).items()} == {
        0: 2,
        1: 1,
        2: 1,
        3: 1,
    }
    assert found.trials[0].reports.keys() == {10, 20, 30, 40, 50, 60}


def test_what_a_killed_worker_left_is_waited_for(tmp_path):
    made = plan(tmp_path, 0.5, runner=light_runs.BusyAtFirst())
    assert work(made).trials[0].state == "complete"
    assert len(study.opened(made).records()) == 1 and starts(tmp_path) == {0: [0]}


def test_a_trial_whose_worker_is_always_killed_fails(tmp_path):
    made = plan(tmp_path, 0.5)
    opened = study.opened(made)
    for number in range(5):
        opened.fill()
        with pytest.warns(UserWarning, match="Heartbeat"):  # here there is none
            assert opened.study.ask().number == number
        opened.lose(number)
    opened.fill()
    [trial] = opened.seen().trials
    assert trial.state == "failed" and trial.error == (
        "Its worker was killed 5 times. Too little memory is the usual reason."
    )


def test_a_worker_of_another_machine_is_missed_by_its_heartbeat(tmp_path):
    made = plan(tmp_path, 0.5)
    opened = study.opened(made)
    study.describe(opened)
    opened.fill()
    program = (
        "import pathlib, os, sys; from tests.sweep import light_runs; from hub_estimator.sweep import "
        "study; opened = study.opened(light_runs.plan(pathlib.Path(sys.argv[1]), 0.5))\n"
        "def die(trial):\n    trial.set_user_attr('worker', 'elsewhere/1-a')\n"
        "    import time; time.sleep(0.5); os.kill(os.getpid(), 9)\n"
        "opened.study.optimize(die, n_trials=1)"
    )
    ended = subprocess.run([sys.executable, "-c", program, tmp_path], cwd=ROOT, check=False)
    assert ended.returncode == -signal.SIGKILL
    opened.lose_dead()
    assert opened.seen().trials[0].state == "running"  # it may be alive
    found = run(made)
    assert found.trials[0].state == "complete" and starts(tmp_path) == {0: [0]}


def test_two_that_add_the_same_trials_at_once_have_each_run_once(tmp_path):
    made = plan(tmp_path, 0.25, 0.5)
    opened = study.opened(made)
    study.describe(opened)
    opened.fill()
    for slot in (0, 1, 0, 1):  # as two machines that saw none
        opened.study.enqueue_trial({}, {records.SLOT: slot})
    found = work(made)
    assert len(opened.records()) == 6
    assert [trial.values for trial in found.trials] == [(0.27,), (0.52,)]
    assert starts(tmp_path) == {0: [0], 1: [0]}


def test_a_trial_that_is_somebody_elses_by_now_is_left_to_them(tmp_path):
    made = plan(tmp_path, 0.5, runner=LightRunner(0.4, 60))
    opened = study.opened(made)
    path = tmp_path / "trials" / "0" / "metrics.jsonl"

    def take_for_dead():
        until(path.exists)
        opened.study.enqueue_trial({}, {records.SLOT: 0})
        opened.lose(0)

    thread = threading.Thread(target=take_for_dead)
    thread.start()
    found = work(made)
    thread.join()
    [trial] = found.trials
    assert trial.state == "complete" and len(starts(tmp_path)[0]) == 2
    assert sum(records.state(each) == "complete" for each in opened.records()) == 1


def test_other_settings_under_the_same_name_are_refused(tmp_path):
    work(plan(tmp_path, 0.5))
    with pytest.raises(errors.OtherSweepError) as caught:
        run(plan(tmp_path, 0.75))
    place = f"sqlite:///{tmp_path / 'sweep.db'}"
    assert str(caught.value) == (
        f"The sweep {tmp_path.name!r} in {place!r} has other space: it was begun with "
        "[\"Choice(setting='VALUE', values=(0.5,), when=None, name=None)\"], and now has "
        "[\"Choice(setting='VALUE', values=(0.75,), when=None, name=None)\"]. Choose another "
        "--sweep_dir, or give the gin files that it was begun with; two sweeps in one storage need "
        "names, Sweep.name."
    )


def test_a_folder_is_that_of_one_sweep(tmp_path):
    study.take_folder(plan(tmp_path, 0.5))
    study.take_folder(plan(tmp_path, 0.75))  # what it is about, the storage knows
    for given in ({"name": "other"}, {"storage": "postgresql://me:secret@host/x"}):
        with pytest.raises(errors.OtherSweepError) as caught:
            study.take_folder(plan(tmp_path, 0.5, **given))
        assert str(caught.value) == (
            f"The folder {str(tmp_path)!r} is that of the sweep {tmp_path.name!r} in its own storage. "
            "Choose another --sweep_dir, or give the Sweep.name and --storage of that one."
        )


def test_workers_that_die_at_once_end_the_sweep(tmp_path):
    with pytest.raises(errors.SweepFailedError) as caught:
        run(plan(tmp_path, 0.5, runner=Deadly()))
    assert str(caught.value) == (
        "4 workers died one after the other, and no trial came to its end meanwhile. Their last words "
        "are above. Once that is solved, run the same command again; it goes on."
    )


class Deadly:
    """A runner that ends the process that unpickles it."""

    def __reduce__(self):
        return os._exit, (7,)


def test_work_is_spread_follows_from_the_seed_and_ends_the_workers(tmp_path):
    space = {"space": [Uniform("VALUE", 0.1, 0.9)], "sampler": RandomSearch(), "trials": 8}
    found = run(plan(tmp_path / "two", workers=2, runner=LightRunner(0.1), **space))
    by_worker = collections.Counter(trial.worker for trial in found.trials)
    assert sum(by_worker.values()) == 8 and len(by_worker) == 2 and min(by_worker.values()) >= 3
    assert all(not pathlib.Path(f"/proc/{pid}").exists() for pid in pids(found))
    (tmp_path / "one").mkdir()
    alone = work(plan(tmp_path / "one", **space))
    assert [trial.settings for trial in alone.trials] == [each.settings for each in found.trials]
    assert len({trial.settings["VALUE"] for trial in found.trials}) == 8


@pytest.mark.parametrize("sampler", [TPE(startup_trials=2), Grid()], ids=["TPE", "Grid"])
def test_conditions_and_ranges_with_samplers(tmp_path, sampler):
    from hub_estimator.sweep.space import Choice, LogUniform

    space = [
        light_runs.choice(0.25, 0.5),
        Choice("FINE_TUNE", [False, True]),
        LogUniform("RATE", 0.01, 1, 3, when={"FINE_TUNE": True}),
    ]
    found = work(
        plan(tmp_path, space=space, sampler=sampler, trials=None if sampler.is_grid else 6)
    )
    assert len(found.trials) == (8 if sampler.is_grid else 6)
    for trial in found.trials:
        assert ("RATE" in trial.settings) == (trial.settings["FINE_TUNE"] == "True")
    if sampler.is_grid:
        assert len({str(trial.settings) for trial in found.trials}) == 8
