"""Runs of a job with all that TensorFlow would do replaced: what is published, kept, held back, said."""

from __future__ import annotations

import os

import pytest

from hub_estimator import errors, files
from hub_estimator.jobs import journal, ledger
from hub_estimator.jobs.candidates import Best
from hub_estimator.jobs.destinations.folders import Folder, NumberedFolder
from hub_estimator.jobs.gates import AtLeast, Evaluation, NoWorseThanPublished
from hub_estimator.jobs.job import ExportJob
from hub_estimator.jobs.keeping import Keep
from tests.jobs import job_parts
from tests.jobs.job_parts import FakeWork, make_run


@pytest.fixture
def model_dir(tmp_path):
    return str(tmp_path / "model")


@pytest.fixture
def make(tmp_path, model_dir):
    def make(**settings):
        destinations = [Folder(str(tmp_path / "out"))]
        return ExportJob(
            **{"name": "job", "model_dir": model_dir, "destinations": destinations, **settings}
        )

    return make


@pytest.fixture
def run(tmp_path):
    """Runs a job as a process does that was just started: it knows what the journal says."""

    def run(job, work=None, had_folder=False):
        known = ledger.ledgers(journal.read(str(tmp_path / "state" / "journal.jsonl")))
        made = make_run(job, tmp_path / "state", work or FakeWork(), known.get(job.name))
        try:
            return made.run(had_folder)
        finally:
            made.journal.close()

    return run


@pytest.fixture
def events(tmp_path):
    def events(*names):
        found = journal.read(str(tmp_path / "state" / "journal.jsonl"))
        return [event for event in found if not names or event["event"] in names]

    return events


def steps(destination):
    return [version.publication.step for version in destination.versions("job")]


def test_a_checkpoint_is_published_once(make, run, model_dir, events, tmp_path):
    job = make()
    job_parts.save(model_dir, 5)
    work = FakeWork()
    outcome = run(job, work)
    [version] = job.destinations[0].versions("job")
    assert (outcome.result, outcome.has_folder) == ("published", True)
    assert outcome.said == f"step 5 is published: {version.path}"
    outcome = run(job, work)
    assert (outcome.result, outcome.said) == ("unchanged", "step 5 is published already")
    assert work.done == [("export", 5)] and steps(job.destinations[0]) == [5]
    assert [event["event"] for event in events()] == ["publishing", "published"]
    assert os.listdir(tmp_path / "state" / "work") == []
    job_parts.save(model_dir, 7)
    run(job, work)
    assert steps(job.destinations[0]) == [5, 7]


def test_what_was_removed_is_not_published_again(make, run, model_dir):
    job = make()
    job_parts.save(model_dir, 5)
    run(job)
    [version] = job.destinations[0].versions("job")
    job.destinations[0].remove(version)
    assert run(job).result == "unchanged" and steps(job.destinations[0]) == []


def test_the_same_step_with_other_values_is_another_checkpoint(make, run, model_dir):
    job = make()
    job_parts.save(model_dir, 5)
    run(job)
    job_parts.save(model_dir, 5, "trained anew")
    assert run(job).result == "published" and steps(job.destinations[0]) == [5, 5]


def test_without_a_journal_what_is_there_is_found(make, run, model_dir, tmp_path):
    job = make(then=["true"])
    job_parts.save(model_dir, 5)
    run(job)
    (tmp_path / "state" / "journal.jsonl").unlink()
    work = FakeWork()
    assert run(job, work).result == "unchanged" and steps(job.destinations[0]) == [5]
    assert [done[0] for done in work.done] == ["then"]


def test_waiting(make, run, model_dir):
    outcome = run(make())
    assert (outcome.result, outcome.has_folder) == ("waiting", False)
    assert outcome.said == f"waits for a model folder in {model_dir!r}"
    os.mkdir(model_dir)
    outcome = run(make())
    assert (outcome.result, outcome.has_folder) == ("waiting", True)
    assert outcome.said == f"waits for a checkpoint to publish in {model_dir!r}"


def test_a_model_folder_that_was_deleted(make, run, model_dir):
    with pytest.raises(errors.ModelFolderError) as caught:
        run(make(), had_folder=True)
    assert str(caught.value) == (
        f"The model folder {model_dir!r} was there and is not any more. Bring it back, or take the "
        "job 'job' out of ExportJobs.jobs."
    )


def test_gates_on_recorded_metrics(make, run, model_dir, events):
    gates = [AtLeast("accuracy", 0.5), NoWorseThanPublished("accuracy")]
    job = make(gates=gates)
    work = FakeWork()
    job_parts.save(model_dir, 1)
    outcome = run(job, work)
    assert (outcome.result, work.done) == ("held_back", [])
    assert outcome.said == (
        "step 1 is held back: there is no number for accuracy: it was not evaluated"
    )
    job_parts.record(model_dir, 1, accuracy=0.8)
    assert run(job, work).result == "published"
    job_parts.save(model_dir, 2)
    job_parts.record(model_dir, 2, accuracy=0.4)
    assert run(job, work).said == (
        "step 2 is held back: accuracy is 0.4, less than 0.5; accuracy is 0.4, worse than the 0.8 of "
        "what is published"
    )
    run(job, work)
    assert [event["step"] for event in events("held_back")] == [1, 2]  # once each


def test_gates_on_an_evaluation_of_their_own(make, run, model_dir):
    held_out = Evaluation("held_out", ["EVAL_DATA = 'x'"])
    gates = [AtLeast("auc", 0.5, held_out), NoWorseThanPublished("auc", evaluation=held_out)]
    job = make(gates=gates)
    job_parts.save(model_dir, 1)
    work = FakeWork({"auc": 0.9})
    assert run(job, work).result == "published"
    assert work.done == [("evaluate", 1, "held_out"), ("export", 1)]
    [version] = job.destinations[0].versions("job")
    assert version.publication.evaluations == {"held_out": {"auc": 0.9}}
    job_parts.save(model_dir, 2)
    assert run(job, FakeWork({"auc": 0.7})).said == (
        "step 2 is held back: auc is 0.7, worse than the 0.9 of what is published"
    )


def test_several_destinations_one_of_which_is_away(make, run, model_dir, tmp_path):
    destinations = [Folder(str(tmp_path / "a")), NumberedFolder(str(tmp_path / "b"))]
    job = make(destinations=destinations, then=["true"])
    (tmp_path / "a").write_text("a file where a folder should be")
    job_parts.save(model_dir, 1)
    work = FakeWork()
    with pytest.raises(errors.ExportError, match="is not a folder"):
        run(job, work)
    assert steps(destinations[1]) == [1]
    assert work.done[1][1]["EXPORT_PATH"] == str(tmp_path / "b" / "1")
    (tmp_path / "a").unlink()
    assert run(job, work).result == "published"
    assert steps(destinations[0]) == steps(destinations[1]) == [1]


def test_no_work_is_done_for_a_place_that_is_away(make, run, model_dir, tmp_path):
    job = make()
    job_parts.save(model_dir, 1)
    run(job)
    os.rename(tmp_path / "out", tmp_path / "elsewhere")
    job_parts.save(model_dir, 2)
    work = FakeWork()
    with pytest.raises(errors.ExportError, match="is not there: its disk is away"):
        run(job, work)
    assert work.done == [] and not (tmp_path / "out").exists()
    os.rename(tmp_path / "elsewhere", tmp_path / "out")
    assert run(job, work).result == "published" and steps(job.destinations[0]) == [1, 2]


def test_a_destination_that_is_full(make, run, model_dir, tmp_path, monkeypatch):
    destinations = [Folder(str(tmp_path / "a")), NumberedFolder(str(tmp_path / "b"))]
    job = make(destinations=destinations)
    job_parts.save(model_dir, 1)
    copy = files.link_or_copy

    def full_or_copy(source, target):
        if target.startswith(str(tmp_path / "a")):
            raise OSError(28, "No space left on device", source)
        copy(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(files, "link_or_copy", full_or_copy)
        with pytest.raises(errors.ExportError) as caught:
            run(job)
    assert str(caught.value) == f"'{tmp_path}/a' cannot be used: No space left on device."
    assert os.listdir(tmp_path / "a") == [] and steps(destinations[1]) == [1]
    assert run(job).result == "published" and steps(destinations[0]) == [1]


def test_keeping(make, run, model_dir, events):
    job = make(keep=Keep(newest=2))
    for step in (1, 2, 3):
        job_parts.save(model_dir, step)
        run(job)
    assert steps(job.destinations[0]) == [2, 3]
    assert [event["step"] for event in events("removed")] == [1]


def test_the_command_is_run_once_after_a_version(make, run, model_dir):
    job = make(then=["true"], choose=Best("accuracy"))
    job_parts.save(model_dir, 1)
    job_parts.record(model_dir, 1, accuracy=0.5)
    work = FakeWork()
    run(job, work)
    run(job, work)
    [version] = job.destinations[0].versions("job")
    assert work.done[1:] == [
        (
            "then",
            {
                "EXPORT_PATH": version.path,
                "EXPORT_PATHS": version.path,
                "EXPORT_JOB": "job",
                "EXPORT_STEP": "1",
                "EXPORT_METRICS": '{"accuracy": 0.5}',
            },
        )
    ]


def test_a_command_that_fails_is_run_again_and_nothing_else(make, run, model_dir):
    job = make(then=["true"])
    job_parts.save(model_dir, 1)
    work = FakeWork(fails=[None, errors.FollowUpError("no")])
    with pytest.raises(errors.FollowUpError):
        run(job, work)
    assert run(job, work).result == "unchanged"
    assert [done[0] for done in work.done] == ["export", "then", "then"]


def test_what_fails_at_a_destination_is_told_beside_a_command_that_fails(
    make, run, model_dir, tmp_path
):
    destinations = [Folder(str(tmp_path / "a")), NumberedFolder(str(tmp_path / "b"))]
    job = make(destinations=destinations, then=["true"])
    (tmp_path / "a").write_text("a file where a folder should be")
    job_parts.save(model_dir, 1)
    with pytest.raises(errors.ExportError) as caught:
        run(job, FakeWork(fails=[None, errors.FollowUpError("The command failed.")]))
    assert "is not a folder" in str(caught.value) and "The command failed." in str(caught.value)


def test_a_checkpoint_that_training_removes_meanwhile(make, run, model_dir):
    job = make()
    job_parts.save(model_dir, 1)

    def removed():
        job_parts.remove(model_dir, 1)
        job_parts.save(model_dir, 2)
        return errors.ModelFolderError("no checkpoint of step 1")

    work = FakeWork(fails=[removed])
    assert run(job, work).result == "published"
    assert work.done == [("export", 1), ("export", 2)] and steps(job.destinations[0]) == [2]


def test_a_checkpoint_that_is_replaced_meanwhile(make, run, model_dir):
    job = make()
    job_parts.save(model_dir, 1)
    work = FakeWork(fails=[lambda: job_parts.save(model_dir, 1, "trained anew") and None])
    assert run(job, work).result == "published"
    assert work.done == [("export", 1), ("export", 1)] and steps(job.destinations[0]) == [1]


def test_what_fails_leaves_nothing(make, run, model_dir, tmp_path, events):
    job = make()
    job_parts.save(model_dir, 1)
    work = FakeWork(fails=[OSError(28, "No space left on device")])
    with pytest.raises(OSError, match="No space left on device"):
        run(job, work)
    assert os.listdir(tmp_path / "state" / "work") == [] and not (tmp_path / "out").exists()
    assert events() == []
    assert run(job, work).result == "published"


def test_an_error_that_stays_is_not_tried_over_and_over(make, run, model_dir):
    job_parts.save(model_dir, 1)
    work = FakeWork(fails=[errors.ExportError("no")] * 9)
    with pytest.raises(errors.ExportError):
        run(make(), work)
    assert work.done == [("export", 1)]


def test_an_export_that_fails_keeps_nothing_from_what_is_due(make, run, model_dir, events):
    """The command after an earlier version, and the removal of old ones."""
    job = make(then=["true"])
    for step in (1, 2):
        job_parts.save(model_dir, step)
        with pytest.raises(errors.FollowUpError):
            run(job, FakeWork(fails=[None, errors.FollowUpError("no")]))
    job_parts.save(model_dir, 3)
    broken = errors.RunTooLongError("The export took too long.")
    work = FakeWork(fails=[broken])
    with pytest.raises(errors.RunTooLongError, match="The export took too long"):
        run(make(then=["true"], keep=Keep(newest=1)), work)
    assert [done[0] for done in work.done] == ["export", "then"]
    assert steps(job.destinations[0]) == [2] and events("removed")


def test_an_export_and_a_command_that_fail_are_both_told(make, run, model_dir):
    job = make(then=["true"])
    job_parts.save(model_dir, 1)
    with pytest.raises(errors.FollowUpError):
        run(job, FakeWork(fails=[None, errors.FollowUpError("no")]))
    job_parts.save(model_dir, 2)
    fails = [errors.RunTooLongError("Too long."), errors.FollowUpError("It failed")]
    with pytest.raises(errors.ExportError) as caught:
        run(job, FakeWork(fails=fails))
    assert str(caught.value) == "Too long. It failed."
