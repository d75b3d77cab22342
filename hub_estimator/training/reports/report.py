"""The report of an evaluation: what a model gets right and wrong, in pictures and tables."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from hub_estimator import errors, files
from hub_estimator.training import checks, kept
from hub_estimator.training.charts import plots
from hub_estimator.training.inputs.base import InputFn
from hub_estimator.training.labels.predicted_and_true import WORST, Contents, Outcomes
from hub_estimator.training.model_folder import summaries
from hub_estimator.training.reports import description, outcomes, worst_images
from hub_estimator.training.reports.mistake_images import MistakeImages
from hub_estimator.training.running.result import metric_lines
from hub_estimator.training.running.trained_model import TrainedModel

INDEX = "report.md"
# So many rows of a table are for people; its CSV file has all.
_WORST_SHOWN, _ROWS_SHOWN = 20, 100
_TITLES = {"roc": "Receiver operating characteristic"}

_logger = logging.getLogger("hub_estimator")


@dataclasses.dataclass(frozen=True)
class Report:
    """Looks at each prediction of an evaluation, and writes what it sees.

    `<model_dir>/report/` gets `report.md`, which shows all, pictures as PNG files and tables as CSV
    files; TensorBoard gets the same, but for the images of the worst mistakes. The examples count
    alike, also where the loss weighs them.

    Attributes:
      max_examples: how many examples to look at, the first ones of the data; fewer where there are
        so many classes that what is predicted would not fit into memory.
      max_classes: how many classes a picture shows, the most frequent ones.
      max_worst: how many mistakes the table of the worst has.
      pictures: whether to draw; None draws where matplotlib is installed. Images need it not.
      keep: columns of the data that the table of the worst mistakes has too, such as `["id"]`. The
        path of an image is always there.

    Raises:
      errors.InvalidSettingError: a setting is impossible.
    """

    max_examples: int = 100_000
    max_classes: int = 10
    max_worst: int = 50
    pictures: bool | None = None
    keep: Sequence[str] = ()

    def __post_init__(self) -> None:
        for name in ("max_examples", "max_classes", "max_worst"):
            checks.whole_number(f"Report.{name}", getattr(self, name))
        if self.pictures not in (None, True, False):
            raise errors.InvalidSettingError(
                f"Report.pictures is {self.pictures!r}; it must be True, False or None."
            )
        kept.check(self.keep, "Report.keep")

    def check(self) -> None:
        """Checks that it can be written.

        Raises:
          errors.MissingExtraError: `pictures` is True, and matplotlib is not installed.
        """
        if self.pictures:
            plots.require()

    def write(
        self,
        trained: TrainedModel,
        input_fn: InputFn,
        checkpoint: str,
        metrics: Mapping[str, Any],
        name: str | None = None,
    ) -> str:
        """Writes the report of the evaluation of a checkpoint; it takes the place of an older one.

        Args:
          trained: the model.
          input_fn: gives the features and labels that were evaluated.
          checkpoint: the prefix of the checkpoint.
          metrics: of the evaluation, with its `step` or `global_step`.
          name: of the evaluation.

        Returns:
          The folder of the report.
        """
        step = int(metrics.get("step", metrics.get("global_step", 0)))
        found = outcomes.collect(trained, input_fn, checkpoint, self.max_examples)
        parts = {head: self._contents(head, seen, step) for head, seen in found.items()}
        pictures = self._pictures(parts)
        mistakes = self._mistakes(trained, input_fn, parts)
        content = _tables(parts) | {f"{path}.png": png for path, png in pictures.items()}
        content |= {path: png for shown in mistakes.values() for path, png in shown.files.items()}
        about = description.lines(trained, checkpoint, _num_seen(found))
        index = _index(parts, pictures, mistakes, metrics, step, about)
        content[INDEX] = index.encode("utf-8", "backslashreplace")
        folder = trained.folder.report(name)
        _replace(folder, content)
        texts = {f"report/{path}": text for path, text in _shown_tables(parts).items()}
        shown = {f"report/{path}": png for path, png in pictures.items()}
        summaries.write(trained.folder.evaluation(name), step, texts, shown, suffix=".report")
        _logger.info("The report of step %d is in %s.", step, files.join(folder, INDEX))
        return folder

    def _contents(self, head: str, found: Outcomes, step: int) -> Contents:
        title = f"{f'head {head}, ' if head else ''}step {step}, {len(found.truth):,} examples"
        return found.labels.report(found, title, self.max_classes, self.max_worst)

    def _mistakes(
        self, trained: TrainedModel, input_fn: InputFn, parts: Mapping[str, Contents]
    ) -> dict[str, MistakeImages]:
        """Returns the images of the worst mistakes by head."""
        if self.pictures is False:
            return {}
        tables = {head: part.tables[WORST] for head, part in parts.items() if WORST in part.tables}
        rows = {
            head: [row[0] - 1 for row in table.rows[: worst_images.MOST]]
            for head, table in tables.items()
        }
        drawn = worst_images.draw(trained, input_fn, sorted({*chain.from_iterable(rows.values())}))
        return {
            head: MistakeImages.of(_path(head, "images"), table, drawn)
            for head, table in tables.items()
            if drawn
        }

    def _pictures(self, parts: Mapping[str, Contents]) -> dict[str, bytes]:
        """Returns the pictures by their path without `.png`."""
        if self.pictures is False:
            return {}
        if not plots.are_possible():
            _logger.info(
                "The report has no pictures: they need pip install 'hub_estimator[plots]'."
            )
            return {}
        return {
            _path(head, name): draw()
            for head, part in parts.items()
            for name, draw in part.pictures.items()
        }


def _path(head: str, name: str) -> str:
    return f"{head}/{name}" if head else name


def _tables(parts: Mapping[str, Contents]) -> dict[str, bytes]:
    return {
        f"{_path(head, name)}.csv": table.csv()
        for head, part in parts.items()
        for name, table in part.tables.items()
    }


def _shown_tables(parts: Mapping[str, Contents]) -> dict[str, str]:
    """Returns the tables for people by their path; a confusion matrix is better as a picture."""
    return {
        _path(head, name): table.markdown(_WORST_SHOWN if name == WORST else _ROWS_SHOWN)
        for head, part in parts.items()
        for name, table in part.tables.items()
        if name != "confusion_matrix"
    }


def _index(
    parts: Mapping[str, Contents],
    pictures: Mapping[str, bytes],
    mistakes: Mapping[str, MistakeImages],
    metrics: Mapping[str, Any],
    step: int,
    about: Sequence[str],
) -> str:
    """Returns the text that shows everything."""
    lines = [f"# Evaluation at step {step}", "", "```", *metric_lines(metrics), "```", ""]
    lines += [*about, ""]
    tables = _shown_tables(parts)
    for head, part in parts.items():
        lines += [f"## {head}", ""] if head else []
        for name in part.tables:
            path = _path(head, name)
            lines += [f"### {_title(name)} ([CSV]({path}.csv))", ""]
            lines += [tables[path]] if path in tables else []
        lines += mistakes[head].lines() if head in mistakes else []
        for name in part.pictures:
            path = _path(head, name)
            if path in pictures:
                lines += [f"### {_title(name)}", "", f"![{_title(name)}]({path}.png)", ""]
    return "\n".join(lines)


def _title(name: str) -> str:
    """Returns what people call a table or a picture, given the name of its file."""
    return _TITLES.get(name, name.replace("_", " ").capitalize())


def _num_seen(found: Mapping[str, Outcomes]) -> int | None:
    """Returns how many examples were looked at; None where nothing is known of the heads."""
    return max((len(outcome.truth) for outcome in found.values()), default=None)


def _replace(folder: str, content: Mapping[str, bytes]) -> None:
    """Puts a folder with these files in the place of the one that is there."""
    files.remove_at_once(folder)
    with files.whole_folder(folder) as scratch:
        for path, file in content.items():
            target = files.join(scratch, path)
            files.make_folder(files.parent(target))
            files.write_bytes(target, file)
