"""The last words of a run: how good the model is, where everything is, what to do next."""

from __future__ import annotations

import dataclasses
import itertools
import os
import re
import shlex
import shutil
import sys
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from hub_estimator import compat, config, files, texts
from hub_estimator.training.model_folder.history import is_metric
from hub_estimator.training.objective import NOT_METRICS


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


# Shown first, because people look for them first.
_FIRST = ("accuracy", "auc", "average_loss", "loss")
_PLAIN = re.compile(r"[^\"$`\\!]*")  # what a shell leaves as it is between double quotes


def summary(result: Result, macros: Collection[str] = (), imports: Collection[str] = ()) -> str:
    """Returns a summary of a run, with the commands that people need next.

    They run as they are in a shell, in the folder where the run did; what they train has folders of
    its own.

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
    others = sorted(set(metrics) - {*_FIRST, *NOT_METRICS})
    names += [name for name in others if metrics[name] is None or is_metric(name, metrics)]
    values = {name: metrics[name] for name in names}
    return [
        f"  {texts.one_line(name):24} {'nan' if value is None else f'{float(value):.4f}'}"
        for name, value in values.items()
    ]


def _commands(result: Result, macros: Collection[str], imports: Collection[str]) -> list[str]:
    python, folder = _python(), shlex.quote(result.model_dir)
    look = f"{python} -m tensorboard.main --logdir={folder}"
    missing = compat.missing_for_tensorboard()
    if missing is not None:
        look = f"{python} -m pip install {shlex.quote(missing)} && {look}"
    settings = shlex.quote(files.join(result.model_dir, config.OPERATIVE_CONFIG))
    flags = " ".join(
        [f"--gin_file={settings}", *(f"--allow_import={module}" for module in imports)]
    )
    free = _free_folders(result.model_dir)

    def again(binding: str) -> str:
        return (
            f"{python} -m hub_estimator.train {flags} "
            f"--model_dir={shlex.quote(next(free))} --gin_bindings={_quoted(binding)}"
        )

    lines = [f"  look at it:       {look}"]
    if "MODULE" in macros:
        lines += ["  swap the module:  " + again("MODULE='<path or URL>'")]
        lines += ["  use this one:     " + again(f"MODULE={path!r}") for path in result.modules]
    if "FINE_TUNE" in macros:
        lines += ["  fine-tune:        " + again("FINE_TUNE=True")]
    return lines


def _python() -> str:
    """Returns how a shell starts this Python, from the current folder."""
    this = sys.executable or "python"
    if shutil.which("python") == this:
        return "python"
    relative = os.path.relpath(this)
    is_below = not relative.startswith("..") and os.sep in relative
    return shlex.quote(relative if is_below else this)


def _free_folders(model_dir: str) -> Iterator[str]:
    """Yields model folders that are not there, named after this one."""
    folders = (f"{model_dir.rstrip('/')}_{number}" for number in itertools.count(2))
    return (folder for folder in folders if not files.exists(folder))


def _quoted(text: str) -> str:
    """Returns a text with quotes in it as a shell takes it: in double quotes where they do."""
    return f'"{text}"' if _PLAIN.fullmatch(text) else shlex.quote(text)
