"""A model folder that many tests begin with: trained once, copied for each of them."""

from __future__ import annotations

import shutil

import pytest

from hub_estimator.training.inputs.text_file import TextFile
from hub_estimator.training.model_folder.model_folder import ModelFolder
from tests.training import runs


@pytest.fixture(scope="session")
def four_steps(make_regression, data_file, tmp_path_factory) -> str:
    """The path of a run of `make_regression()`; its checkpoints are of the steps 0, 2 and 4."""
    path = tmp_path_factory.mktemp("four_steps") / "model"
    source = TextFile(data_file, batch_size=8)
    runs.train(path, make_regression(), source, source, 4, 2)
    return str(path)


@pytest.fixture
def trained_folder(four_steps, folder) -> ModelFolder:
    """A copy of the folder of that run, which is the test's own."""
    shutil.copytree(four_steps, folder.path)
    return folder
