"""Exporting the whole model for serving, as a SavedModel."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

from hub_estimator import compat, errors, files
from hub_estimator.training.example_spec import ClassNames, class_names_of
from hub_estimator.training.exporters.base import FolderExporter, Write
from hub_estimator.training.exporters.choices import Every, Latest, best
from hub_estimator.training.objective import Objective
from hub_estimator.training.serving import Form, ServingInput, check_form

CLASS_NAMES = "class_names%s.txt"
_EXTRA_ASSETS = "assets.extra"
_DEFAULT_SIGNATURE = "serving_default"


class LatestExporter(FolderExporter):
    """Exports the whole model for serving, with the values of each checkpoint.

    As an exporter of a `tf.estimator.EvalSpec` it writes `<model_dir>/export/<name>/<timestamp>/`,
    each a SavedModel with the tag `serve`: TensorFlow Serving and `tf.saved_model.load` take it. It
    needs no module's folder any more: the vocabularies are inside. Where the classes have names,
    `assets.extra/class_names.txt` has them, one a line; for several heads,
    `assets.extra/class_names.<head>.txt`.

    The signature `serving_default` takes what `receives` says and gives the model's predictions;
    for examples it is the one that TensorFlow's heads make for the classification API, and
    `predict` gives the predictions.

    Args:
      name: the name of the exporter's folder.
      serving_input_fn: what the training gives. A function that returns a `ServingInputReceiver`
        is used as it is.
      exports_to_keep: see `LatestModuleExporter`.
      every: see `LatestModuleExporter`.
      stable_path: see `LatestModuleExporter`.
      receives: the form of a request: `"features"`, `"files"` or `"examples"`; see `ServingInput`.

    Raises:
      errors.InvalidSettingError: a setting is not what it must be.
      errors.InvalidPathNameError: `name` cannot be that of a folder.
    """

    def __init__(
        self,
        name: str,
        serving_input_fn: Callable[[], Any],
        exports_to_keep: int | None = 5,
        every: Every = "evaluation",
        stable_path: bool = False,
        receives: Form = "features",
    ) -> None:
        source = WholeModel(_serving_input(type(self).__name__, serving_input_fn, receives))
        super().__init__(name, source, Latest(), exports_to_keep, every, stable_path)


class BestExporter(FolderExporter):
    """Exports the whole model for serving whenever an evaluation is better than ever.

    Args:
      name: the name of the exporter's folder.
      serving_input_fn: see `LatestExporter`.
      objective: what is better; None is the experiment's objective, or the least loss without one.
      exports_to_keep: how many of its own timestamps to keep, the best ones; None keeps all.
      every: see `BestModuleExporter`.
      stable_path: see `BestModuleExporter`.
      receives: see `LatestExporter`.

    Raises:
      errors.InvalidSettingError: a setting is not what it must be.
      errors.InvalidPathNameError: `name` cannot be that of a folder.
    """

    def __init__(
        self,
        name: str,
        serving_input_fn: Callable[[], Any],
        objective: Objective | None = None,
        exports_to_keep: int | None = 5,
        every: Every = "evaluation",
        stable_path: bool = False,
        receives: Form = "features",
    ) -> None:
        source = WholeModel(_serving_input(type(self).__name__, serving_input_fn, receives))
        choice = best(type(self).__name__, objective)
        super().__init__(name, source, choice, exports_to_keep, every, stable_path)


@dataclasses.dataclass(frozen=True)
class WholeModel:
    """The model itself.

    Attributes:
      serving_input_fn: returns a `ServingInputReceiver`.
    """

    serving_input_fn: Callable[[], Any]
    what: str = "the model"

    @contextlib.contextmanager
    def opened(self, estimator: Any, checkpoint: str) -> Iterator[Write]:
        """Gives a function that writes the model into a folder as a SavedModel.

        Args:
          estimator: the Estimator with the model.
          checkpoint: the prefix of the checkpoint with the values.
        """
        yield lambda folder: self._write(estimator, checkpoint, folder)

    def _write(self, estimator: Any, checkpoint: str, folder: str) -> None:
        if isinstance(self.serving_input_fn, ServingInput):
            _write_class_names(folder, class_names_of(self.serving_input_fn.spec.labels))
            if self.serving_input_fn.form != "examples":
                estimator = _predicting(estimator)
        # Where another export is at work too, TensorFlow's own temporary folder is in none's way.
        below = files.join(folder, "saved_model")
        made = files.as_path(
            estimator.export_saved_model(below, self.serving_input_fn, checkpoint_path=checkpoint)
        )
        for name in files.listing(made):
            files.move(files.join(made, name), files.join(folder, name))
        files.remove(below)


def _write_class_names(folder: str, names: ClassNames | None) -> None:
    by_head = names if isinstance(names, dict) else {"": names or ()}
    for head, class_names in by_head.items():
        if class_names:
            path = files.join(folder, _EXTRA_ASSETS, CLASS_NAMES % (head and f".{head}"))
            files.make_folder(files.parent(path))
            # One a line, whatever is in them: their order is that of the numbers.
            lines = [" ".join(name.splitlines()) for name in class_names]
            files.write_text(path, "".join(f"{line}\n" for line in lines))


def _serving_input(
    owner: str, serving_input_fn: Callable[[], Any], receives: Form
) -> Callable[[], Any]:
    check_form(f"{owner}.receives", receives)
    if isinstance(serving_input_fn, ServingInput):
        return dataclasses.replace(serving_input_fn, form=receives)
    if receives != "features":
        raise errors.InvalidSettingError(
            f"{owner}.receives is {receives!r}, but its serving_input_fn is a function of your own, "
            "which says itself what a request gives. Leave receives out."
        )
    return serving_input_fn


def _predicting(estimator: Any) -> Any:
    """Returns an Estimator of the same model whose default signature gives the predictions.

    Heads for classes make one for the classification API, which takes only serialized examples.
    """
    api = compat.estimator_module()

    def model_fn(features: Any, labels: Any, mode: str, config: Any) -> Any:
        spec = estimator.model_fn(features=features, labels=labels, mode=mode, config=config)
        output = api.export.PredictOutput(spec.predictions)
        return api.EstimatorSpec(
            mode,
            predictions=spec.predictions,
            export_outputs={_DEFAULT_SIGNATURE: output},
            scaffold=spec.scaffold,
        )

    return api.Estimator(model_fn, estimator.model_dir, estimator.config)
