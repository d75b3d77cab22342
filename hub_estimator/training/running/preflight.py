"""Everything that can be wrong with a run, found before it writes or trains anything."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import tensorflow as tf

from hub_estimator import errors, files
from hub_estimator.format.checkpoint import open_checkpoint
from hub_estimator.format.origin import Origin
from hub_estimator.graph.origins import origins
from hub_estimator.graph.registration import registered_modules
from hub_estimator.training.example_spec import ExampleSpec, class_names_of
from hub_estimator.training.experiment import Experiment
from hub_estimator.training.exporters import folders
from hub_estimator.training.exporters.base import FolderExporter
from hub_estimator.training.exporters.modules import check_names
from hub_estimator.training.inputs.base import Input, InputFn
from hub_estimator.training.labels.class_counts import Classes
from hub_estimator.training.model.contract import TrainableModel, capabilities_of
from hub_estimator.training.model.frozen_variables import frozen_variables
from hub_estimator.training.model_folder import trained_modules
from hub_estimator.training.model_folder.model_folder import ModelFolder
from hub_estimator.training.model_folder.trained_modules import Modules
from hub_estimator.training.running import places, reporting, training_classes
from hub_estimator.training.running.places import Places
from hub_estimator.training.running.session_config import session_config
from hub_estimator.training.serving import ServingInput


@dataclasses.dataclass(frozen=True)
class Checked:
    """What the check of a run found out.

    Attributes:
      model: the model, with what the training data tells of its classes.
      classes: that, where the model asks for it.
      spec: what the model takes of each example, with the names that the training data gives the
        classes.
      metric_names: the names of what evaluations will give.
      session_config: the `ConfigProto` for the model's sessions; None is TensorFlow's own choice.
      modules: the modules of the model.
      reads: what the run reads.
    """

    model: TrainableModel
    classes: Mapping[str, Classes]
    spec: ExampleSpec
    metric_names: frozenset[str]
    session_config: Any
    modules: Modules
    reads: Places


@dataclasses.dataclass(frozen=True)
class Built:
    """A model in a graph of its own.

    Attributes:
      graph: the graph.
      features: what the model was given, placeholders by feature name.
      spec: the `tf.estimator.EstimatorSpec`.
    """

    graph: tf.Graph
    features: Mapping[str, Any]
    spec: Any

    @property
    def origins(self) -> Mapping[str, Origin]:
        """Where the modules in the model are."""
        return origins(self.graph)


def check(experiment: Experiment, folder: ModelFolder) -> Checked:
    """Checks the data, the modules, the model folder, and that the model can be built.

    The model is built once for each mode, in graphs that are thrown away.

    Args:
      experiment: the experiment.
      folder: where the run will write; it is not touched.

    Returns:
      What was found out on the way.

    Raises:
      errors.Error: something is wrong; the class and the message say what.
    """
    check_folder(folder.path)
    if experiment.report is not None:
        experiment.report.check()
    train_input, eval_input = experiment.train_input, experiment.eval_input
    classes = training_classes.of_data(experiment.model, train_input, folder)
    model = training_classes.closed_with(experiment.model, classes)
    sources = {"train": train_input, "eval": eval_input}
    for mode, source in sources.items():
        check_features(model, mode, source)
    spec = model.example_spec()
    spec = spec.with_class_names(training_classes.names_of_data(spec.labels, train_input))
    for source in sources.values():
        source.check(spec)
    reporting.check_kept(experiment.report, eval_input, spec)
    folder.check_class_names(class_names_of(spec.labels))
    training_fn = train_input.training_fn(spec, seed=0, start_step=lambda: 0)
    evaluation_fn = eval_input.evaluation_fn(spec)
    # What a checkpoint lacks for evaluating it lacks for training too.
    training = check_graph(folder, model, spec, "train", training_fn)
    modules = check_modules(folder, training.graph)
    reads = places.of_modules(origins(training.graph))
    reads += places.of_inputs(train_input=train_input, eval_input=eval_input)
    files.check_output("The model folder", folder.path, reads)
    for what, path in reads:
        folder.check_not_own(what, path)
    metrics = check_graph(None, model, spec, "eval", evaluation_fn).spec.eval_metric_ops or ()
    check_graph(None, model, spec, "infer", None)
    metric_names = frozenset({"loss", *metrics})
    _check_metric_names(experiment, metric_names)
    config = session_config(training.graph)
    return Checked(model, classes, spec, metric_names, config, modules, reads)


def _check_metric_names(experiment: Experiment, names: Collection[str]) -> None:
    """Checks that evaluations give what the run goes by."""
    if experiment.stops_early is not None:
        experiment.stops_early.check(names)
    if experiment.objective is not None:
        experiment.objective.check("Experiment.objective", names)


def check_features(model: TrainableModel, mode: str, source: Input) -> None:
    """Checks that the data gives what the model takes.

    Raises:
      errors.Error: see `TrainableModel.check`.
    """
    with _clear_errors():
        model.check(mode, source.feature_names)


def check_graph(
    folder: ModelFolder | None,
    model: TrainableModel,
    spec: ExampleSpec,
    mode: str,
    input_fn: InputFn | None,
    config: Any = None,
) -> Built:
    """Checks that the model can be built, in a graph of its own.

    Args:
      folder: where a checkpoint must fit the model, if there is one; None is nowhere.
      model: the model.
      spec: what it takes.
      mode: the Estimator's mode.
      input_fn: gives the examples, none of which is read; None is as a served model has them.
      config: the `RunConfig` of an Estimator, to build the model as that does; None is nobody's.

    Returns:
      The model.

    Raises:
      errors.ModelBuildError: it cannot be built.
      errors.ExportError: a module cannot be exported under its name.
      errors.ModelFolderError: the checkpoint is that of another model.
    """
    with tf.Graph().as_default() as graph:
        tf.compat.v1.train.create_global_step()
        given = {}
        if config is not None:
            tf.compat.v1.set_random_seed(config.tf_random_seed)
            given["config"] = config
        with _clear_errors():
            features, labels = _inputs(spec, input_fn)
            built = model.model_fn(features, labels, mode, **given)
        check_names(registered_modules())
        if folder is not None:
            leaves_out = capabilities_of(model).unsaved_variables
            _check_checkpoint(folder, frozen_variables() if leaves_out else [])
    return Built(graph, features, built)


def check_modules(folder: ModelFolder, graph: tf.Graph) -> Modules:
    """Checks that the modules of a graph are those that a model folder's model was trained on.

    Returns:
      The modules.

    Raises:
      errors.ModuleChangedError: one is another.
    """
    modules = trained_modules.of(origins(graph))
    folder.check_modules(modules)
    return modules


@contextlib.contextmanager
def _clear_errors() -> Iterator[None]:
    """Says of what TensorFlow raises that it comes from the model's settings."""
    try:
        yield
    except errors.Error:
        raise
    except (TypeError, ValueError, AttributeError) as error:
        message = str(error).split("\n", 1)[0].rstrip(".")
        raise errors.ModelBuildError(
            f"The model cannot be built: {message}. Check its settings, and those of its parts."
        ) from error


def check_exporters(
    folder: ModelFolder, exporters: Sequence[Any], metric_names: Collection[str]
) -> None:
    """Checks the names of a run's exporters, and that each can write into its folder.

    Args:
      folder: the model folder.
      exporters: those of this package, or of somebody else.
      metric_names: the names of what evaluations will give.

    Raises:
      errors.MetricNotFoundError: one goes by a metric that these have not.
      errors.InvalidPathNameError: a name cannot be that of a folder.
      errors.DuplicateNameError: two have the same.
      errors.ExportError: nothing can be exported into such a folder.
    """
    names = [exporter.name for exporter in exporters]
    for exporter, name in zip(exporters, names, strict=True):
        files.check_name(f"{type(exporter).__name__}.name", name)
        if names.count(name) > 1:
            raise errors.DuplicateNameError(
                f"Two exporters are called {name!r}. Give each a name of its own."
            )
        if isinstance(exporter, FolderExporter):
            exporter.check_metrics(metric_names)
            exporter.check_place(folder.export(name), folder.path)
        else:
            folders.check_place(folder.export(name), folder.path)


def check_folder(model_dir: str) -> None:
    """Checks that a model folder can be written to, as far as that is seen without writing.

    Raises:
      errors.ModelFolderError: it has no name, is a file, not writable, or on a filesystem that
        nobody knows.
    """
    if not model_dir:
        raise errors.ModelFolderError("The model folder has an empty name. Give it a path.")
    if files.is_remote(model_dir):
        ModelFolder(model_dir).check_filesystem()
        return
    path = os.path.abspath(model_dir)
    while not os.path.exists(path):
        path = os.path.dirname(path)
    if not os.path.isdir(path) or not os.access(path, os.W_OK | os.X_OK):
        what = "is not a folder" if not os.path.isdir(path) else "cannot be written to"
        raise errors.ModelFolderError(
            f"The model folder {model_dir!r} cannot be made or used: {path!r} {what}."
        )


def _inputs(spec: ExampleSpec, input_fn: InputFn | None) -> tuple[Any, Any]:
    """Returns features and labels of the right types; no example is read."""
    if input_fn is None:
        return ServingInput(spec)().features, None
    return tf.nest.map_structure(
        lambda spec: tf.compat.v1.placeholder(spec.dtype, spec.shape), input_fn().element_spec
    )


def _check_checkpoint(folder: ModelFolder, left_out: Sequence[tf.Variable]) -> None:
    """Checks that the default graph can go on from the folder's checkpoint, where there is one.

    Args:
      folder: the model folder.
      left_out: the variables that checkpoints do not hold.
    """
    saved = _newest_contents(folder)
    if saved is None:
        return
    elsewhere = {id(variable) for variable in left_out}
    for variable in tf.compat.v1.global_variables():
        if not isinstance(variable, tf.Variable) or id(variable) in elsewhere:
            continue
        name, shape = variable.op.name, variable.shape
        # Slices of a partitioned variable are under the name of the whole.
        if name in saved and shape.is_compatible_with(saved[name]) or "/part_" in name:
            continue
        expected = shape.as_list() if shape.rank is not None else "unknown"
        there = f"with shape {saved[name]}" if name in saved else "not there"
        raise errors.ModelFolderError(
            f"The model folder {folder.path!r} has a checkpoint of another model: the variable "
            f"{name!r} of shape {expected} is {there}. Choose another model folder, or remove this "
            "one."
        )


def _newest_contents(folder: ModelFolder) -> dict[str, Any] | None:
    """Returns the shapes in the newest checkpoint whose index can be read; None without one."""
    for checkpoint in reversed(folder.checkpoints()):
        with contextlib.suppress(tf.errors.OpError, ValueError, LookupError, RuntimeError):
            return dict(open_checkpoint(checkpoint.path).get_variable_to_shape_map())
    return None
