"""A run up to its first step: all that is checked, and a batch through the model; nothing is written."""

from __future__ import annotations

import dataclasses
import math
import os
import tempfile
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import tensorflow as tf

from hub_estimator import errors, files, texts
from hub_estimator.graph.origins import origins
from hub_estimator.training.experiment import Experiment
from hub_estimator.training.inputs import batches
from hub_estimator.training.inputs.failures import clear_errors
from hub_estimator.training.model_folder import checkpoints
from hub_estimator.training.model_folder.model_folder import ModelFolder
from hub_estimator.training.running import preflight
from hub_estimator.training.running.train_and_evaluate import Prepared, prepare

_UNITS = ("bytes", "KB", "MB", "GB")


@dataclasses.dataclass(frozen=True)
class Size:
    """How large some variables are.

    Attributes:
      variables: their number.
      parameters: the number of their elements.
      num_bytes: what these take.
    """

    variables: int
    parameters: int
    num_bytes: int

    @classmethod
    def of(cls, variables: Iterable[Any]) -> Size:
        """Returns that of variables."""
        sizes = [(variable.shape.num_elements() or 0, variable.dtype) for variable in variables]
        num_bytes = sum(number * dtype.base_dtype.size for number, dtype in sizes)
        return cls(len(sizes), sum(number for number, _ in sizes), num_bytes)


@dataclasses.dataclass(frozen=True)
class DryRun:
    """What a run would begin with.

    Attributes:
      step: the step at which training would begin.
      modules: the handle of each module by its scope.
      tensors: the types and shapes of a batch by what they are.
      loss: of that batch, with the values that training would begin with.
      sizes: of the model's variables that are trained, of those that are not, and of those that the
        optimizer adds.
    """

    step: int
    modules: Mapping[str, str]
    tensors: Mapping[str, str]
    loss: float
    sizes: Mapping[str, Size]


def dry_run(experiment: Experiment, model_dir: files.PathLike | None = None) -> DryRun:
    """Checks a run as `train_and_evaluate` does, and takes a batch through the model.

    A module at a URL is downloaded into the cache of modules, as ever; nothing else is written.

    Args:
      experiment: what would be trained.
      model_dir: the folder that it would be trained in; None is a new one.

    Raises:
      errors.Error: something is wrong; see `train_and_evaluate`.
    """
    folder = ModelFolder(_new_folder() if model_dir is None else files.as_path(model_dir))
    prepared = prepare(experiment, folder)
    return _with_a_batch(experiment, folder, prepared)


def summary(experiment: Experiment, found: DryRun) -> str:
    """Returns text for people about a run that could begin."""
    begins = f"go on at step {found.step}" if found.step else "begin"
    lines = [
        f"Nothing is wrong: training would {begins}, and end at step {experiment.max_steps}.",
        "Checked: settings, data, modules, the model for training, evaluation and prediction,",
        "exporters, metrics that the run goes by, and the model folder where one was given.",
        "",
        "Data:",
        _data_line("train_input", experiment.train_input),
        _data_line("eval_input", experiment.eval_input),
        "",
        "Modules:",
        *(f"  {scope:20} {handle}" for scope, handle in found.modules.items()),
        "",
        "One batch of the training data:",
        *(f"  {name:20} {shape}" for name, shape in found.tensors.items()),
        f"  {'loss':20} {found.loss:.4f}",
        "",
        f"  {'Variables':20} {'number':>8} {'parameters':>16} {'size':>12}",
        *(
            f"  {what:20} {size.variables:>8,} {size.parameters:>16,} {_bytes(size.num_bytes):>12}"
            for what, size in found.sizes.items()
        ),
    ]
    return "\n".join(lines)


def _new_folder() -> str:
    """Returns the path of a folder that is not there."""
    return os.path.join(tempfile.gettempdir(), f"hub_estimator-{uuid.uuid4().hex}")


@clear_errors()
def _with_a_batch(experiment: Experiment, folder: ModelFolder, prepared: Prepared) -> DryRun:
    spec = prepared.checked.spec
    found = checkpoints.resumption(folder.path)
    input_fn = experiment.train_input.training_fn(spec, experiment.seed, lambda: found.step)
    with tf.Graph().as_default() as graph:
        tf.compat.v1.set_random_seed(experiment.seed)
        tf.compat.v1.train.create_global_step()
        examples = batches.of(input_fn)
        features, labels = examples.next
        model = prepared.checked.model.model_fn(features, labels, "train")
        tensors = dict(_named(features, labels))
        creator = tf.compat.v1.train.ChiefSessionCreator(
            model.scaffold,
            config=prepared.config.session_config,
            checkpoint_filename_with_path=found.checkpoint and found.checkpoint.path,
        )
        with tf.compat.v1.train.MonitoredSession(creator, [examples.hook()]) as session:
            values, loss = session.run((tensors, model.loss))
        sizes = _sizes(prepared)
    if not math.isfinite(loss):
        raise errors.LossNotFiniteError(
            f"The loss of the first batch is {loss}: the data, or what a module gives for it, has "
            "values that are not finite."
        )
    return DryRun(
        found.step,
        {scope: origin.handle for scope, origin in origins(graph).items()},
        {
            name: f"{tensor.dtype.name} {list(values[name].shape)}"
            for name, tensor in tensors.items()
        },
        float(loss),
        sizes,
    )


def _named(features: Mapping[str, Any], labels: Any) -> Iterator[tuple[str, tf.Tensor]]:
    """Yields the features and labels of a batch with their names."""
    yield from features.items()
    if not isinstance(labels, Mapping):
        labels = {"": labels}
    for head, values in labels.items():
        for number, tensor in enumerate(tf.nest.flatten(values)):
            name = f"labels {head}".rstrip()
            yield (f"{name} {number}" if number else name), tensor


def _sizes(prepared: Prepared) -> dict[str, Size]:
    """Returns the sizes of the variables of the default graph, which trains."""
    checked = prepared.checked
    predicting = preflight.check_graph(None, checked.model, checked.spec, "infer", None).graph
    own = {variable.op.name for variable in predicting.get_collection(_GLOBAL)}
    trained = {variable.op.name for variable in tf.compat.v1.trainable_variables()}
    step = tf.compat.v1.train.get_global_step()
    variables = [each for each in tf.compat.v1.global_variables() if each is not step]
    return {
        "trained": Size.of(each for each in variables if each.op.name in trained),
        "not trained": Size.of(each for each in variables if each.op.name in own - trained),
        "of the optimizer": Size.of(
            each for each in variables if each.op.name not in own | trained
        ),
    }


_GLOBAL = tf.compat.v1.GraphKeys.GLOBAL_VARIABLES


def _data_line(setting: str, source: Any) -> str:
    """Returns what an input reads, and how many examples there are, as far as it tells."""
    number = source.num_examples
    count = "" if number is None else f", {number:,} examples"
    paths = ", ".join(map(texts.shown_name, getattr(source, "paths", ())))
    return f"  {setting:20} {type(source).__name__}{count}{paths and f': {paths}'}"


def _bytes(number: int) -> str:
    """Returns a number of bytes in the unit that people read it in."""
    size, unit = float(number), 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:,.0f} {_UNITS[unit]}" if unit == 0 else f"{size:,.1f} {_UNITS[unit]}"
