"""Several jobs in one process: which are due, one that is broken, two processes, signals, numbers."""

from __future__ import annotations

import json
import os
import threading
import time

import pytest

from hub_estimator import errors
from hub_estimator.jobs import journal, prometheus, scheduler, status
from hub_estimator.jobs.candidates import Best
from hub_estimator.jobs.destinations.folders import NumberedFolder
from hub_estimator.jobs.job import ExportJob, ExportJobs
from hub_estimator.jobs.places import Places
from hub_estimator.jobs.runs import LastRun, LastRuns
from hub_estimator.jobs.schedules import Every
from tests.jobs import job_parts
from tests.jobs.job_parts import FakeWork


@pytest.fixture
def make(tmp_path):
    """Makes a job whose model folder has its name."""

    def make(name, **settings):
        settings = {"destinations": [NumberedFolder(str(tmp_path / "out" / name))], **settings}
        return ExportJob(name, str(tmp_path / name), **settings)

    return make


@pytest.fixture
def state(tmp_path):
    return str(tmp_path / "state")


def once(jobs, work=None, regardless=False):
    with scheduler.held(jobs) as places:
        made = scheduler.Scheduler(jobs, places, work or FakeWork(), threading.Event())
        try:
            found = made.once(regardless)
        finally:
            made.close()
    return {name: outcome.result for name, outcome in found.items()}


def versions(job):
    return [version.publication.step for version in job.destinations[0].versions(job.name)]


def test_five_jobs_one_of_which_is_broken(make, state):
    jobs = [make(name, choose=Best("accuracy") if name == "e" else None) for name in "abcde"]
    for job in jobs:
        job_parts.save(job.model_dir, 3)
        job_parts.record(job.model_dir, 3, loss=0.5)
    made = ExportJobs(jobs, state)
    assert once(made) == {**dict.fromkeys("abcd", "published"), "e": "failed"}
    assert [versions(job) for job in jobs] == [[3], [3], [3], [3], []]
    assert once(made) == {"e": "failed"}  # what failed is tried again, however soon
    found = {each.job: each for each in status.statuses(made)}
    assert found["e"].failures == 2 and found["e"].last_error == (
        "No evaluation in the model folder has the metric 'accuracy'. They have: loss."
    )
    assert found["a"].last_error is None and found["a"].step == 3


def test_a_fault_in_a_job_holds_up_no_other(make, state, caplog):
    jobs = [make("a"), make("b")]
    for job in jobs:
        job_parts.save(job.model_dir, 1)
    work = FakeWork(fails=[ZeroDivisionError("fault")])
    assert sorted(once(ExportJobs(jobs, state, at_once=1), work).values()) == [
        "failed",
        "published",
    ]
    assert "a: a fault in the job." in caplog.text and "Traceback" in caplog.text


def test_what_is_due(make, state):
    jobs = ExportJobs([make("a"), make("b", when=Every(60))], state)
    assert once(jobs) == {"a": "waiting", "b": "waiting"}  # the first time
    assert once(jobs) == {}
    assert once(jobs, regardless=True) == {"a": "waiting", "b": "waiting"}
    for job in jobs.jobs:
        job_parts.save(job.model_dir, 1)
    assert once(jobs) == {"a": "published"}
    assert once(jobs) == {}
    job_parts.record(jobs.jobs[0].model_dir, 1, loss=0.5)
    assert once(jobs) == {"a": "unchanged"}


def test_after_downtime_one_run(make, state):
    jobs = ExportJobs([make("b", when=Every(60))], state)
    once(jobs)
    runs = LastRuns(Places(state).runs)
    long_ago = time.time() - 40 * 3600
    runs.set("b", LastRun(long_ago, long_ago, long_ago, "waiting"))
    assert once(jobs) == {"b": "waiting"} and once(jobs) == {}


def test_a_model_folder_that_is_deleted_is_an_error_of_its_job_alone(make, state):
    jobs = ExportJobs([make("a"), make("b")], state)
    for job in jobs.jobs:
        job_parts.save(job.model_dir, 1)
    once(jobs)
    os.rename(jobs.jobs[0].model_dir, f"{jobs.jobs[0].model_dir}.moved")
    job_parts.save(jobs.jobs[1].model_dir, 2)
    assert once(jobs) == {"a": "failed", "b": "published"}
    os.rename(f"{jobs.jobs[0].model_dir}.moved", jobs.jobs[0].model_dir)
    assert once(jobs) == {"a": "unchanged"}


def test_a_second_process_is_told_who_has_the_jobs(make, state):
    jobs = ExportJobs([make("a")], state)
    with scheduler.held(jobs), pytest.raises(errors.LockHeldError) as caught, scheduler.held(jobs):
        pass
    message = str(caught.value)
    assert message.startswith(
        f"Somebody else runs the jobs in {state!r}: process {os.getpid()} on "
    )
    assert message.endswith(
        ". Stop that, or give ExportJobs.state_dir another folder, and the jobs other destinations."
    )


def serving(jobs, work):
    """Starts the resident scheduler in a thread; returns how to stop it."""
    stopping = threading.Event()

    def serve():
        with scheduler.held(jobs) as places:
            made = scheduler.Scheduler(jobs, places, work, stopping)
            made.serve()
            made.close()

    thread = threading.Thread(target=serve)
    thread.start()

    def stop():
        stopping.set()
        thread.join(60)
        assert not thread.is_alive()

    return stop


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_resident_scheduler_publishes_what_comes(make, state):
    jobs = ExportJobs([make("a"), make("b")], state, poll_secs=0.05)
    stop = serving(jobs, FakeWork())
    try:
        for step in (1, 2):
            for job in jobs.jobs:
                job_parts.save(job.model_dir, step)
            wait_for(lambda step=step: all(step in versions(job) for job in jobs.jobs))
    finally:
        stop()
    assert [versions(job) for job in jobs.jobs] == [[1, 2], [1, 2]]


def test_a_job_that_hangs_holds_up_no_other(make, state):
    jobs = ExportJobs([make("a"), make("b")], state, poll_secs=0.05)
    for job in jobs.jobs:
        job_parts.save(job.model_dir, 1)
    going_on = threading.Event()

    class Hanging(FakeWork):
        def export(self, job, step, path):
            if job.name == "a":
                assert going_on.wait(60)
            super().export(job, step, path)

    stop = serving(jobs, Hanging())
    try:
        wait_for(lambda: versions(jobs.jobs[1]) == [1])
        job_parts.save(jobs.jobs[1].model_dir, 2)
        wait_for(lambda: versions(jobs.jobs[1]) == [1, 2])
        assert versions(jobs.jobs[0]) == []
    finally:
        going_on.set()
        stop()
    assert versions(jobs.jobs[0]) == [1]


def test_what_is_stopped_is_no_failure(make, state):
    job = make("a")
    job_parts.save(job.model_dir, 1)
    jobs = ExportJobs([job], state)
    stopping = threading.Event()

    def stopped():
        stopping.set()
        return errors.InterruptedRunError("stopped", 15)

    with scheduler.held(jobs) as places:
        made = scheduler.Scheduler(jobs, places, FakeWork(fails=[stopped]), stopping)
        assert made.once()["a"].result == "stopped"
        made.close()
    assert journal.read(Places(state).journal) == [] and versions(job) == []
    assert once(jobs) == {"a": "published"}


def test_a_journal_on_a_full_disk_is_a_failure_of_the_run(make, state, monkeypatch):
    job = make("a")
    job_parts.save(job.model_dir, 1)
    jobs = ExportJobs([job], state)

    def full(descriptor, content):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        assert once(jobs) == {"a": "failed"}
    assert versions(job) == []  # the intent could not be written down
    assert once(jobs) == {"a": "published"}


def test_numbers_for_prometheus(make, state, tmp_path):
    jobs = ExportJobs([make("a"), make('quo"te')], state)
    job_parts.save(jobs.jobs[0].model_dir, 7)
    once(jobs)
    path = Places(state).metrics
    with open(path) as file:
        lines = file.read().split("\n")
    assert "# TYPE hub_estimator_export_job_published_total counter" in lines
    assert 'hub_estimator_export_job_published_total{job="a"} 1.0' in lines
    assert 'hub_estimator_export_job_last_published_step{job="a"} 7' in lines
    assert 'hub_estimator_export_job_failures_in_a_row{job="quo\\"te"} 0.0' in lines
    assert not [line for line in lines if 'step{job="quo' in line]
    assert lines[-1] == ""
    kinds = [line.split()[2] for line in lines if line.startswith("# TYPE ")]
    assert len(kinds) == len(set(kinds)) == len(vars(prometheus)["_METRICS"])


def test_the_table(make, state):
    jobs = ExportJobs([make("a"), make("later", when=Every(60))], state)
    job_parts.save(jobs.jobs[0].model_dir, 7)
    assert [each.result for each in status.statuses(jobs)] == [None, None]
    assert not os.path.exists(state)
    once(jobs)
    found = status.statuses(jobs)
    header, first, second, said = status.table(found).splitlines()
    assert header.split("  ")[0] == "JOB" and header.endswith("NEXT RUN")
    [version] = jobs.jobs[0].destinations[0].versions("a")
    assert first.startswith("a ") and f" 7     {version.path}  new checkpoint" in first
    assert " waiting " in second
    assert said == f"later: waits for a model folder in {jobs.jobs[1].model_dir!r}"
    as_json = json.loads(status.as_json(found))
    assert as_json[0] == {
        "job": "a",
        "last_run": found[0].last_run,
        "result": "published",
        "said": f"step 7 is published: {version.path}",
        "last_export": found[0].last_export,
        "step": 7,
        "version": version.path,
        "next_run": None,
        "failures": 0,
        "last_error": None,
    }
    assert as_json[1]["next_run"] > as_json[1]["last_run"]
