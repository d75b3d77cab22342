"""The model of a model folder, ready to evaluate, to predict with, or to export."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Protocol

from hub_estimator import compat, files
from hub_estimator.format.origin import Origin
from hub_estimator.graph.origins import origins
from hub_estimator.training import checks
from hub_estimator.training.example_spec import ExampleSpec
from hub_estimator.training.inputs.base import Input, InputFn
from hub_estimator.training.model.model_fn import Model
from hub_estimator.training.running import preflight
from hub_estimator.training.running.model_folder import ModelFolder


class Settings(Protocol):
    """Where the settings are from; `config.Session` is one."""

    def check_given_read(self) -> None:
        """Raises an error where a setting that was given for this call has no effect."""


@dataclasses.dataclass(frozen=True)
class FolderModel:
    """A trained model and where it is.

    Attributes:
      folder: the model folder.
      model: the model.
      spec: what the model takes of each example, with the names of the classes.
      estimator: an Estimator of the model in the folder.
    """

    folder: ModelFolder
    model: Model
    spec: ExampleSpec
    estimator: Any

    @classmethod
    def make(
        cls,
        owner: str,
        model_dir: files.PathLike,
        model: Model,
        seed: int = 1,
        class_names: tuple[str, ...] | None = None,
    ) -> FolderModel:
        """Returns the model of a folder.

        Args:
          owner: the function with the setting `model`, for messages.
          model_dir: a folder in which `train_and_evaluate` ran.
          model: the model that was trained.
          seed: that of training.
          class_names: the names of the classes, should the folder have none.

        Raises:
          errors.ModelError: `model` is none.
          errors.ModelFolderError: there is no such folder.
        """
        checks.made(f"{owner}.model", model, "@Model()", "model_fn", "example_spec")
        checks.whole_number(f"{owner}.seed", seed, least=0)
        folder = ModelFolder(files.as_path(model_dir))
        folder.latest()
        kept = folder.class_names()
        names = kept if isinstance(kept, tuple) else class_names
        api = compat.estimator_module()
        estimator = api.Estimator(
            model.model_fn, folder.path, api.RunConfig(tf_random_seed=seed), params={}
        )
        return cls(folder, model, model.example_spec().with_class_names(names), estimator)

    def check(self, mode: str, source: Input) -> Mapping[str, Origin]:
        """Checks that the model can be used on some data, and is that of the checkpoints.

        Args:
          mode: `"eval"`, which reads of the data what it takes to check it, or `"infer"`, which
            does not.
          source: the data.

        Returns:
          Where the modules in the model are.

        Raises:
          errors.Error: something is wrong; the class and the message say what.
        """
        input_fn = None
        preflight.check_features(self.model, mode, source)
        if mode == "eval":
            source.check(self.spec)
            input_fn = source.evaluation_fn(self.spec)
        return self.check_model(mode, input_fn)

    def check_model(self, mode: str, input_fn: InputFn | None = None) -> Mapping[str, Origin]:
        """Checks that the model, with its modules, is that of the checkpoints.

        Args:
          mode: the Estimator's mode.
          input_fn: gives the examples; None is as a served model has them.

        Returns:
          Where the modules in the model are.

        Raises:
          errors.Error: it is not, or cannot be built; the class and the message say what.
        """
        built = preflight.check_graph(self.folder, self.model, self.spec, mode, input_fn)
        preflight.check_modules(self.folder, built.graph)
        return origins(built.graph)
