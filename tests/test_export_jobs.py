"""`python -m hub_estimator.export_jobs` on a folder that a real training made."""

from __future__ import annotations

import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest
import tensorflow as tf

import hub_estimator as hub
from hub_estimator import export_jobs, training
from hub_estimator.jobs import journal
from tests import text_data

TRAINING = """
include 'smoke.gin'
MODULE = '{folder}/module'
TRAIN_DATA = '{folder}/data.csv'
EVAL_DATA = '{folder}/data.csv'
MAX_STEPS = 4
Experiment.eval_every_steps = 2
Experiment.exporters = []
"""
JOBS = """
ExportJobs.jobs = [@modules/ExportJob(), @serving/ExportJob()]
modules/ExportJob.name = 'modules'
modules/ExportJob.model_dir = 'model'
modules/ExportJob.gates = [@AtLeast()]
AtLeast.metric = 'accuracy'
AtLeast.value = 0.0
modules/ExportJob.destinations = [@Folder()]
modules/Folder.path = 'out/modules'
modules/ExportJob.then = ['sh', '-c', 'echo $EXPORT_JOB $EXPORT_STEP $EXPORT_PATH >> then.txt']
serving/ExportJob.name = 'serving'
serving/ExportJob.model_dir = 'model'
serving/ExportJob.what = 'model'
serving/ExportJob.destinations = [@NumberedFolder()]
serving/NumberedFolder.path = 'out/serving'
"""
ROOT = pathlib.Path(__file__).parent.parent


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with `model`, of which there are the checkpoints of steps 2 and 4."""
    folder = text_data.write_both(tmp_path_factory.mktemp("trained"))
    with training.from_gin([], TRAINING.format(folder=folder).split("\n")[2:]) as _:
        pass
    return folder


def command(*arguments):
    return [sys.executable, "-m", "hub_estimator.export_jobs", "--gin_file=jobs.gin", *arguments]
