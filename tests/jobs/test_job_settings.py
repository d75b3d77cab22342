"""Jobs as gin files describe them."""

from __future__ import annotations

import pytest

from hub_estimator import config, errors
from hub_estimator.jobs import configurables
from hub_estimator.jobs.candidates import Best, Latest
from hub_estimator.jobs.destinations.folders import Folder, NumberedFolder
from hub_estimator.jobs.destinations.site import Site
from hub_estimator.jobs.gates import AtLeast, Evaluation, NoWorseThanPublished
from hub_estimator.jobs.job import ExportJob, ExportJobs
from hub_estimator.jobs.keeping import Keep
from hub_estimator.jobs.schedules import Every, OnNewCheckpoint

TEXT = """
ExportJobs.jobs = [@reviews/ExportJob(), @images/ExportJob()]
ExportJobs.state_dir = 'state'
Best.metric = 'accuracy'
reviews/ExportJob.name = 'reviews'
reviews/ExportJob.model_dir = 'runs/reviews'
reviews/ExportJob.what = 'modules'
reviews/ExportJob.choose = @Best()
reviews/Best.days = 30
reviews/ExportJob.when = @Every()
Every.minutes = 5
reviews/ExportJob.gates = [@AtLeast(), @NoWorseThanPublished()]
AtLeast.metric = 'accuracy'
AtLeast.value = 0.8
AtLeast.evaluation = @Evaluation()
Evaluation.name = 'held_out'
Evaluation.bindings = ["EVAL_DATA = 'held_out.csv'"]
reviews/ExportJob.destinations = [@Folder()]
reviews/Folder.path = 'out/reviews'
reviews/ExportJob.keep = @Keep()
Keep.newest = 3
reviews/ExportJob.then = ['systemctl', 'reload', 'nginx']
images/ExportJob.name = 'images'
images/ExportJob.model_dir = 'runs/images'
images/ExportJob.destinations = [@NumberedFolder(), @Site()]
images/NumberedFolder.path = 'out/images'
images/Site.path = 'out/hub'
images/Site.name = 'acme/images'
images/Site.module = 'image'
"""


def parse(path, text, *bindings):
    path.write_text(text)
    configurables.register()
    with config.gin_session([str(path)], bindings) as session:
        made = session.call("ExportJobs")
        session.check_all_read()
        return made


@pytest.fixture
def path(tmp_path):
    return tmp_path / "jobs.gin"


def test_the_settings(path):
    jobs = parse(path, TEXT, "ExportJobs.at_once = 4")
    reviews, images = jobs.jobs
    assert (jobs.folder, jobs.at_once) == ("state", 4)
    held_out = Evaluation("held_out", ["EVAL_DATA = 'held_out.csv'"])
    assert reviews == ExportJob(
        "reviews",
        "runs/reviews",
        [Folder("out/reviews")],
        choose=Best("accuracy", days=30),
        when=Every(5),
        gates=[AtLeast("accuracy", 0.8, held_out), NoWorseThanPublished()],
        keep=Keep(newest=3),
        then=["systemctl", "reload", "nginx"],
    )
    assert reviews.evaluations == [held_out]
    assert images == ExportJob(
        "images",
        "runs/images",
        [NumberedFolder("out/images"), Site("out/hub", "acme/images", "image")],
    )
    assert images.chosen == Latest() and images.schedule == OnNewCheckpoint()


@pytest.mark.parametrize(
    ("binding", "error_type", "message"),
    [
        ("reviews/ExportJob.whn = 1", errors.UnknownSettingError, "whn"),
        ("images/Folder.path = 'x'", errors.UnreadBindingError, "images/Folder.path"),
        ("ExportJobs.jobs = []", errors.InvalidSettingError, "ExportJobs.jobs is empty. Give it "),
        ("images/ExportJob.name = 'reviews'", errors.DuplicateNameError, "Two jobs are called "),
        (
            "images/NumberedFolder.path = 'out/../out/reviews'",
            errors.DuplicateNameError,
            "The jobs 'reviews' and 'images' both publish to ",
        ),
        (
            "images/ExportJob.what = 'model'",
            errors.InvalidSettingError,
            "ExportJob.what is 'model'; a site has modules.",
        ),
        ("images/ExportJob.name = 'a/b'", errors.InvalidPathNameError, "ExportJob.name is 'a/b'"),
        ("ExportJobs.state_dir = 'gs://x'", errors.InvalidSettingError, "ExportJobs.state_dir is "),
        ("ExportJobs.at_once = 0", errors.InvalidSettingError, "ExportJobs.at_once is 0; it must"),
    ],
)
def test_settings_that_cannot_be(path, binding, error_type, message):
    with pytest.raises(error_type) as caught:
        parse(path, TEXT, binding)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"what": "all"}, "ExportJob.what is 'all'; it must be one of 'modules', 'model'."),
        (
            {"receives": "x"},
            "ExportJob.receives is 'x'; it must be one of 'features', 'files', 'examples'.",
        ),
        (
            {"destinations": []},
            "The job 'x' has no destination. Give it one: ExportJob.destinations = [@Folder()].",
        ),
        (
            {"destinations": [Folder]},
            "ExportJob.destinations is @Folder, which nothing has called: write @Folder(), with ().",
        ),
        (
            {"when": Every},
            "ExportJob.when is @Every, which nothing has called: write @Cron(), with ().",
        ),
        (
            {"then": "reload"},
            "ExportJob.then is 'reload'; give it a list, as in ['systemctl', 'reload', 'nginx'].",
        ),
        ({"then": [1]}, "An element of ExportJob.then is 1; it must be a text in quotes."),
        ({"timeout_minutes": 0}, "ExportJob.timeout_minutes is 0; it must be greater than 0."),
        (
            {
                "gates": [
                    AtLeast("a", 1, Evaluation("e")),
                    AtLeast("a", 1, Evaluation("e", ["B=1"])),
                ]
            },
            (
                "The job 'x' has two evaluations called 'e', with other bindings each. Give one of them "
                "another name."
            ),
        ),
    ],
)
def test_settings_of_a_job_that_cannot_be(settings, message):
    with pytest.raises(errors.ModelError) as caught:
        ExportJob(**{"name": "x", "model_dir": "m", "destinations": [Folder("o")], **settings})
    assert str(caught.value) == message


def test_all_jobs_are_jobs():
    with pytest.raises(errors.InvalidSettingError) as caught:
        ExportJobs([ExportJob])
    assert str(caught.value) == (
        "ExportJobs.jobs is @ExportJob, which nothing has called: write @ExportJob(), with ()."
    )
