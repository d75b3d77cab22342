"""What a gin file of jobs can name. It describes jobs alone: what they train is in model folders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hub_estimator import config
from hub_estimator.jobs.candidates import Best, Latest
from hub_estimator.jobs.destinations.folders import Folder, NumberedFolder
from hub_estimator.jobs.destinations.site import Site
from hub_estimator.jobs.gates import AtLeast, AtMost, Evaluation, NoWorseThanPublished
from hub_estimator.jobs.job import ExportJob, ExportJobs
from hub_estimator.jobs.keeping import Keep
from hub_estimator.jobs.schedules import Cron, Every, OnNewCheckpoint

# Each with a setting that puts it to work.
_PARTS: tuple[tuple[Callable[..., Any], str | None], ...] = (
    (ExportJobs, None),
    (ExportJob, "ExportJobs.jobs = [@ExportJob()]"),
    (Latest, "ExportJob.choose = @Latest()"),
    (Best, "ExportJob.choose = @Best()"),
    (OnNewCheckpoint, "ExportJob.when = @OnNewCheckpoint()"),
    (Every, "ExportJob.when = @Every()"),
    (Cron, "ExportJob.when = @Cron()"),
    (AtLeast, "ExportJob.gates = [@AtLeast()]"),
    (AtMost, "ExportJob.gates = [@AtMost()]"),
    (NoWorseThanPublished, "ExportJob.gates = [@NoWorseThanPublished()]"),
    (Evaluation, "AtLeast.evaluation = @Evaluation()"),
    (Folder, "ExportJob.destinations = [@Folder()]"),
    (NumberedFolder, "ExportJob.destinations = [@NumberedFolder()]"),
    (Site, "ExportJob.destinations = [@Site()]"),
    (Keep, "ExportJob.keep = @Keep()"),
)


def register() -> None:
    """Makes the parts of jobs configurable by gin; calling it again changes nothing."""
    for part, use in _PARTS:
        config.add_configurable(part, uses=() if use is None else (use,))
