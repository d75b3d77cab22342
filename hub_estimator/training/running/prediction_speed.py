"""How fast a trained model predicts: the model alone, without what reads data and writes results."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping

import numpy as np

from hub_estimator import errors, files
from hub_estimator.training.experiment import Experiment
from hub_estimator.training.inputs.batches import first_features
from hub_estimator.training.inputs.failures import clear_errors
from hub_estimator.training.model_folder.choice import DEFAULT, CheckpointChoice
from hub_estimator.training.model_folder.model_folder import ModelFolder
from hub_estimator.training.running.loaded_model import LoadedModel
from hub_estimator.training.running.trained_model import TrainedModel

_SECS = 1.0
_LEAST_CALLS = 5


@clear_errors()
def rows_per_second(
    experiment: Experiment,
    model_dir: files.PathLike,
    checkpoint: CheckpointChoice = DEFAULT,
) -> float:
    """Measures for how many examples in a second a model predicts, on this machine as it is.

    It is the median over calls with the first batch of the evaluation data, in about a second.

    Args:
      experiment: what was trained.
      model_dir: the folder in which `train_and_evaluate` ran.
      checkpoint: which one to predict with.

    Raises:
      errors.Error: something is wrong; the class and the message say what.
    """
    folder = ModelFolder(files.as_path(model_dir))
    trained = TrainedModel.of(experiment, folder, experiment.eval_input.class_names)
    trained.check("eval", experiment.eval_input)
    if experiment.source is not None:
        experiment.source.check_given_read()
    batch = first_features(experiment.eval_input.evaluation_fn(trained.spec))
    if batch is None:
        raise errors.DataFileError("Experiment.eval_input gives no examples.")
    built, config = trained.check_model("infer"), trained.estimator.config
    with folder.pinned(checkpoint.one(folder, experiment.goal, experiment.ends_on)) as pinned:
        model = LoadedModel(built, None, pinned.path, config)
    with model:
        secs = _seconds(model, batch)
    return len(next(iter(batch.values()))) / secs


def _seconds(model: LoadedModel, batch: Mapping[str, np.ndarray]) -> float:
    """Returns how long a call takes."""
    model.predictions(batch)  # the first one plans
    took: list[float] = []
    while len(took) < _LEAST_CALLS or sum(took) < _SECS:
        start = time.perf_counter()
        model.predictions(batch)
        took.append(time.perf_counter() - start)
    return statistics.median(took)
