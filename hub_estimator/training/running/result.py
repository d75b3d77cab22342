"""The last words of a run: how good the model is, where everything is, what to do next."""

from __future__ import annotations

import dataclasses
import itertools
import os
import shlex
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from hub_estimator import compat, config, files, shell, texts
from hub_estimator.training.exporters import export_records, folders
from hub_estimator.training.model_folder.checkpoint_names import name_of
from hub_estimator.training.model_folder.history import Evaluation, is_metric
from hub_estimator.training.objective import NOT_METRICS
from hub_estimator.training.running.stopping import EarlyEnd


@dataclasses.dataclass(frozen=True)
class Result:
    """What a run made.

    Attributes:
      model_dir: the folder with checkpoints, TensorBoard logs and exports.
      step: the global step of the checkpoint that the run ended on: the last one, or the best with
        `Experiment.load_best_model_at_end`.
      metrics: the metrics of its evaluation by name.
      checkpoint: its prefix.
      modules: the folders of the modules exported last.
      exports: the newest export of each exporter by the exporter's name, also of an earlier step.
      objective: the metric by which the best checkpoint is the best.
      best: the evaluation of the best checkpoint; None where that is not known.
      last_step: the global step of the last checkpoint, from which training goes on; None is `step`.
      early_end: how early stopping ended training, in this run or in an earlier one, or would have
        at its last step; None if it did not.
    """

    model_dir: str
    step: int
    metrics: Mapping[str, Any]
    checkpoint: str
    modules: tuple[str, ...]
    exports: Mapping[str, str] = dataclasses.field(default_factory=dict)
    objective: str = "loss"
    best: Evaluation | None = None
    last_step: int | None = None
    early_end: EarlyEnd | None = None


# Shown first, because people look for them first.
_FIRST = ("accuracy", "auc", "average_loss", "loss")


def summary(
    result: Result, macros: Mapping[str, Any] | None = None, imports: Collection[str] = ()
) -> str:
    """Returns a summary of a run, with the commands that people need next.

    They run as they are in a shell, in the folder where the run did; what they train has folders of
    its own.

    Args:
      result: what the run made.
      macros: those of its configuration with their values; commands that set others would be
        refused, and what is so already is not proposed.
      imports: the modules that its gin files imported, which a model folder's does not.
    """
    lines = [f"Evaluation at step {result.step}:", *metric_lines(result.metrics)]
    lines += _checkpoints(result)
    if result.early_end is not None:
        how = "Early stopping:" if result.early_end.is_at_last_step else "Ended early:"
        lines += [f"{how:18}{texts.one_line(str(result.early_end))}"]
    lines += _exports(result)
    lines += [f"TensorBoard logs: {result.model_dir}", "", "Next:"]
    lines += _commands(result, macros or {}, imports)
    return "\n".join(lines)


def _checkpoints(result: Result) -> Iterator[str]:
    yield f"Checkpoint:       {result.checkpoint}"
    best, by = result.best, texts.one_line(result.objective)
    if best is not None and best["step"] == result.step:
        yield f"Best checkpoint:  this one, by {by}"
    elif best is not None:
        path = files.join(result.model_dir, best["checkpoint"])
        value = f"{by} {best[result.objective]:.4f}"
        yield f"Best checkpoint:  {path} (step {best['step']}: {value}; --checkpoint=best)"
    if result.last_step not in (None, result.step):
        path = files.join(result.model_dir, name_of(result.last_step))
        yield f"Last checkpoint:  {path} (training goes on from it)"


def _modules(result: Result) -> list[str]:
    """Returns the modules in the newest exports, also those of earlier steps."""
    newest = (module for path in result.exports.values() for module in folders.modules_in(path))
    return list(dict.fromkeys([*result.modules, *newest]))


def _exports(result: Result) -> Iterator[str]:
    for path in _modules(result):
        yield f"Exported module:  {path}{_which(result, files.parent(path))}"
    for path in result.exports.values():
        if not folders.modules_in(path):
            yield f"Exported model:   {path}{_which(result, path)}"
    for path in result.exports.values():
        yield from (f"Stable path:      {link}" for link in folders.links_to(path))


def _which(result: Result, export: str) -> str:
    """Returns of which checkpoint an export is, where that is not the one of the evaluation."""
    step = export_records.step(export)
    if step in (0, result.step):
        return ""
    is_best = result.best is not None and step == result.best["step"]
    return f" (step {step}{', the best' if is_best else ''})"


def metric_lines(metrics: Mapping[str, Any]) -> list[str]:
    """Returns a line for each metric, with those that people look for first; None is no number."""
    names = [name for name in _FIRST if name in metrics]
    others = sorted(set(metrics) - {*_FIRST, *NOT_METRICS})
    names += [name for name in others if metrics[name] is None or is_metric(name, metrics)]
    values = {name: metrics[name] for name in names}
    return [
        f"  {texts.one_line(name):24} {'nan' if value is None else f'{float(value):.4f}'}"
        for name, value in values.items()
    ]


def _commands(result: Result, macros: Mapping[str, Any], imports: Collection[str]) -> list[str]:
    python, folder = shell.python(), shlex.quote(result.model_dir)
    look = f"{python} -m tensorboard.main --logdir={folder}"
    missing = compat.missing_for_tensorboard()
    if missing is not None:
        look = f"{python} -m pip install {shlex.quote(missing)} && {look}"
    settings = shlex.quote(files.join(result.model_dir, config.OPERATIVE_CONFIG))
    flags = " ".join(
        [f"--gin_file={settings}", *(f"--allow_import={module}" for module in imports)]
    )
    free = _free_folders(result.model_dir)

    def again(binding: str, model_dir: str | None = None) -> str:
        return (
            f"{python} -m hub_estimator.train {flags} "
            f"--model_dir={shlex.quote(model_dir or next(free))} --gin_bindings={shell.quoted(binding)}"
        )

    lines = [f"  look at it:       {look}"]
    if result.early_end is not None and not result.early_end.is_at_last_step:
        patience = 2 * result.early_end.evaluations
        lines += [
            "  go on:            " + again(f"EarlyStopping.patience={patience}", result.model_dir)
        ]
    if "MODULE" in macros:
        lines += ["  swap the module:  " + again("MODULE='<path or URL>'")]
        lines += ["  use this one:     " + again(f"MODULE={path!r}") for path in _to_use(result)]
    if macros.get("FINE_TUNE") is False:
        lines += ["  fine-tune:        " + again("FINE_TUNE=True")]
    return lines


def _to_use(result: Result) -> list[str]:
    """Returns the exported modules to go on with: of those of one name that of the best."""
    best = None if result.best is None else result.best["step"]
    found: dict[str, str] = {}
    for path in _modules(result):
        name, is_best = os.path.basename(path), export_records.step(files.parent(path)) == best
        if is_best or name not in found:
            found[name] = path
    return list(found.values())


def _free_folders(model_dir: str) -> Iterator[str]:
    """Yields model folders that are not there, named after this one."""
    folders = (f"{model_dir.rstrip('/')}_{number}" for number in itertools.count(2))
    return (folder for folder in folders if not files.exists(folder))
