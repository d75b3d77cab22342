"""The model of a model folder, ready to evaluate, to predict with, or to export."""

from __future__ import annotations

import dataclasses
from typing import Any

from hub_estimator import compat
from hub_estimator.training.example_spec import ExampleSpec
from hub_estimator.training.experiment import Experiment
from hub_estimator.training.inputs.base import Input, InputFn
from hub_estimator.training.model.contract import TrainableModel
from hub_estimator.training.model_folder.model_folder import ModelFolder
from hub_estimator.training.running import preflight, training_classes
from hub_estimator.training.running.preflight import Built


@dataclasses.dataclass(frozen=True)
class TrainedModel:
    """A trained model and where it is.

    Attributes:
      folder: the model folder.
      model: the model.
      spec: what the model takes of each example, with the names of the classes.
      estimator: an Estimator of the model in the folder.
      eval_input: the examples that it is evaluated on.
    """

    folder: ModelFolder
    model: TrainableModel
    spec: ExampleSpec
    estimator: Any
    eval_input: Input

    @classmethod
    def of(
        cls,
        experiment: Experiment,
        folder: ModelFolder,
        class_names: tuple[str, ...] | None = None,
    ) -> TrainedModel:
        """Returns the model of an experiment as it was trained in a folder.

        Args:
          experiment: what was trained.
          folder: the folder in which `train_and_evaluate` ran.
          class_names: the names of the classes, should the folder have none.

        Raises:
          errors.ModelFolderError: there is no such folder.
        """
        folder.latest()
        saved = folder.class_names()
        names = saved if isinstance(saved, tuple) else class_names
        model = training_classes.of_folder(experiment.model, folder)
        api = compat.estimator_module()
        config = api.RunConfig(tf_random_seed=experiment.seed)

        def model_fn(
            features: Any, labels: Any, mode: str, params: Any = None, config: Any = None
        ) -> Any:
            # An Estimator goes by the names of the arguments, which a model may leave open.
            return model.model_fn(features, labels, mode, params=params, config=config)

        estimator = api.Estimator(model_fn, folder.path, config, params={})
        spec = model.example_spec().with_class_names(names)
        return cls(folder, model, spec, estimator, experiment.eval_input)

    def check(self, mode: str, source: Input) -> Built:
        """Checks that the model can be used on some data, and is that of the checkpoints.

        Args:
          mode: `"eval"`, which reads of the data what it takes to check it, or `"infer"`, which
            does not.
          source: the data.

        Returns:
          The model as it was built for the check.

        Raises:
          errors.Error: something is wrong; the class and the message say what.
        """
        input_fn = None
        preflight.check_features(self.model, mode, source)
        if mode == "eval":
            source.check(self.spec)
            input_fn = source.evaluation_fn(self.spec)
        return self.check_model(mode, input_fn)

    def check_model(self, mode: str, input_fn: InputFn | None = None) -> Built:
        """Checks that the model, with its modules, is that of the checkpoints.

        Args:
          mode: the Estimator's mode.
          input_fn: gives the examples; None is as a served model has them.

        Returns:
          The model as it was built for the check.

        Raises:
          errors.Error: it is not, or cannot be built; the class and the message say what.
        """
        config = self.estimator.config
        built = preflight.check_graph(self.folder, self.model, self.spec, mode, input_fn, config)
        preflight.check_modules(self.folder, built.graph)
        return built
