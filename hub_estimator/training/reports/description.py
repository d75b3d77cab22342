"""What was evaluated: the model, its modules, the data and the settings, for the head of a report."""

from __future__ import annotations

import os
from collections.abc import Sequence

from hub_estimator import texts
from hub_estimator.training.charts.report_table import escaped
from hub_estimator.training.running.trained_model import TrainedModel

_MOST_PATHS = 10


def lines(trained: TrainedModel, checkpoint: str, num_seen: int | None) -> list[str]:
    """Returns the lines of Markdown.

    Args:
      trained: the model.
      checkpoint: the prefix of the checkpoint.
      num_seen: how many examples the report looked at; None is not known.
    """
    folder = trained.folder
    found = ["## What was evaluated", ""]
    found += [f"- Checkpoint: {_shown(os.path.basename(checkpoint))} in {_shown(folder.path)}"]
    found += [
        f"- Module {_shown(scope)}: {_shown(module.handle)}, SHA-256 {_shown(module.sha256)}"
        for scope, module in folder.modules().items()
    ]
    found += [f"- Data: {_data(trained, num_seen)}"]
    if folder.settings is not None:
        name = os.path.basename(folder.settings)
        found += [f"- Settings: [{escaped(name)}](../{name})"]
    return found


def _data(trained: TrainedModel, num_seen: int | None) -> str:
    source = trained.eval_input
    paths: Sequence[str] = getattr(source, "paths", ())
    more = f" and {len(paths) - _MOST_PATHS} more" if len(paths) > _MOST_PATHS else ""
    where = ", ".join(map(_shown, paths[:_MOST_PATHS])) + more
    number = source.num_examples
    if number is None:
        number = num_seen
    parts = [where or type(source).__name__]
    parts += [] if number is None else [f"{number:,} examples"]
    if number is not None and num_seen is not None and num_seen < number:
        parts += [f"of which the first {num_seen:,} are looked at below"]
    return ", ".join(parts)


def _shown(text: str) -> str:
    return escaped(texts.one_line(text))
