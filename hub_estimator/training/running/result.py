"""The last words of a run: how good the model is, where everything is, what to do next."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any

from hub_estimator.training.running.history import is_metric


@dataclasses.dataclass(frozen=True)
class Result:
    """What a run made.

    Attributes:
      model_dir: the folder with checkpoints, TensorBoard logs and exports.
      step: the global step of the last checkpoint.
      metrics: the last evaluation's metrics by name.
      checkpoint: the prefix of the last checkpoint.
      modules: the folders of the modules exported last.
    """

    model_dir: str
    step: int
    metrics: Mapping[str, Any]
    checkpoint: str
    modules: tuple[str, ...]


_NOT_METRICS = ("global_step", "step", "checkpoint")
# Shown first, because people look for them first.
_FIRST = ("accuracy", "auc", "average_loss", "loss")


def summary(result: Result, macros: Collection[str] = (), imports: Collection[str] = ()) -> str:
    """Returns a summary of a run, with the commands that people need next.

    Args:
      result: what the run made.
      macros: those of its configuration; commands that set others would be refused.
      imports: the modules that its gin files imported, which a model folder's does not.
    """
    lines = [f"Evaluation at step {result.step}:", *metric_lines(result.metrics)]
    lines += [f"Checkpoint:       {result.checkpoint}"]
    lines += [f"Exported module:  {path}" for path in result.modules]
    lines += [f"TensorBoard logs: {result.model_dir}", "", "Next:"]
    lines += _commands(result, macros, imports)
    return "\n".join(lines)


def metric_lines(metrics: Mapping[str, Any]) -> list[str]:
    """Returns a line for each metric, with those that people look for first; None is no number."""
    names = [name for name in _FIRST if name in metrics]
    others = sorted(set(metrics) - {*_FIRST, *_NOT_METRICS})
    names += [name for name in others if metrics[name] is None or is_metric(name, metrics)]
    values = {name: metrics[name] for name in names}
    return [
        f"  {name:24} {'nan' if value is None else f'{float(value):.4f}'}"
        for name, value in values.items()
    ]


def _commands(result: Result, macros: Collection[str], imports: Collection[str]) -> list[str]:
    flags = [f"--gin_file={result.model_dir}/operative_config.gin"]
    config = " ".join([*flags, *(f"--allow_import={module}" for module in imports)])
    again = f"python -m hub_estimator.train {config} --model_dir=<another folder>"
    lines = [f"  look at it:       tensorboard --logdir {result.model_dir}"]
    if "MODULE" in macros:
        lines += [f"  swap the module:  {again} --gin_bindings=\"MODULE='<path or URL>'\""]
        lines += [
            f"  use this one:     {again} --gin_bindings=\"MODULE='{path}'\""
            for path in result.modules
        ]
    if "FINE_TUNE" in macros:
        lines += [f'  fine-tune:        {again} --gin_bindings="FINE_TUNE=True"']
    return lines
