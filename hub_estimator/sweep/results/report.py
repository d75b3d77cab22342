"""The report of a sweep: `report.md` with pictures, and the same as a page that loads nothing."""

from __future__ import annotations

import base64
import dataclasses
import functools
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from hub_estimator import files
from hub_estimator.site import descriptions, pages
from hub_estimator.sweep.results import pictures
from hub_estimator.sweep.results.leaderboard import Leaderboard
from hub_estimator.training.charts import plots
from hub_estimator.training.charts.report_table import ReportTable, escaped
from hub_estimator.version import __version__

FOLDER, INDEX, PAGE = "report", "report.md", "index.html"
_MOST_ROWS = 100
_TITLES = {
    "history": "History",
    "importances": "Which settings matter",
    "parallel_coordinates": "Settings and values",
    "pareto_front": "Pareto front",
}
_SEARCHED = (
    "The search went by these values: it chose the best of many by them, so they flatter what they "
    "chose. They say which trials are better than others, and are not the result of the sweep."
)
_NO_FINAL = (
    "There was no final check, so this sweep has no result on data that it did not see. "
    "Sweep.final_check makes one."
)
_FINAL = (
    "The best settings trained again with other seeds, and evaluated on data that the search did not "
    "see: mean ± standard deviation. This is the result of the sweep."
)

_logger = logging.getLogger("hub_estimator")


@dataclasses.dataclass(frozen=True)
class Section:
    """A part of the report.

    Attributes:
      title: its title.
      text: a paragraph, empty without one.
      table: a table, if there is one.
      commands: what to run, each with what it does.
      picture: the name of a picture's file, without `.png`; empty without one.
    """

    title: str
    text: str = ""
    table: ReportTable | None = None
    commands: Mapping[str, str] = dataclasses.field(default_factory=dict)
    picture: str = ""


def write(sweep_dir: str, board: Leaderboard, commands: Mapping[str, str]) -> str:
    """Writes the report into `<sweep_dir>/report`, in place of an earlier one; returns the folder.

    Args:
      sweep_dir: the folder of the sweep.
      board: the trials.
      commands: what to run next, by what it does.
    """
    drawn = _pictures(board)
    sections = _sections(board, commands, list(drawn))
    content = {f"{name}.png": png for name, png in drawn.items()}
    title = f"Sweep {board.study.name}"
    content[INDEX] = _markdown(title, sections).encode("utf-8", "backslashreplace")
    page = _page(title, sections, drawn)
    if page is not None:
        content[PAGE] = page.encode("utf-8", "backslashreplace")
    folder = files.join(sweep_dir, FOLDER)
    files.remove_at_once(folder)
    with files.whole_folder(folder) as scratch:
        for name, file in content.items():
            files.write_bytes(files.join(scratch, name), file)
    return folder


def _pictures(board: Leaderboard) -> dict[str, bytes]:
    if not plots.are_possible():
        _logger.info("The report has no pictures: they need pip install 'hub_estimator[plots]'.")
        return {}
    return pictures.draw(board.study)


def _sections(
    board: Leaderboard, commands: Mapping[str, str], drawn: Sequence[str]
) -> list[Section]:
    final = Section("Final check", _FINAL, board.final_table()) if board.final else None
    failed = [trial for trial in board.trials if trial.error is not None]
    found = [
        final or Section("Final check", _NO_FINAL),
        Section("Trials", _SEARCHED, board.shown_table()),
        *(Section(_TITLES[name], picture=name) for name in drawn),
        Section("Next", commands=commands),
    ]
    if failed:
        rows = [(trial.number, trial.error) for trial in failed]
        found.append(Section("Failed trials", table=ReportTable(("trial", "error"), rows)))
    return found


def _markdown(title: str, sections: Sequence[Section]) -> str:
    lines = [f"# {escaped(title)}", ""]
    for section in sections:
        lines += [f"## {section.title}", ""]
        lines += [section.text, ""] if section.text else []
        if section.table is not None:
            lines += [section.table.markdown(_MOST_ROWS)]
        for what, command in section.commands.items():
            lines += [f"{what}:", "", f"    {command}", ""]
        if section.picture:
            lines += [f"![{section.title}]({section.picture}.png)", ""]
    return "\n".join(lines)


def _page(title: str, sections: Sequence[Section], drawn: Mapping[str, bytes]) -> str | None:
    """Returns the page; None where what makes pages is not installed."""
    if not descriptions.are_possible():
        _logger.info("The report has no page: it needs pip install 'hub_estimator[site]'.")
        return None
    images = {name: base64.b64encode(png).decode("ascii") for name, png in drawn.items()}
    template = _environment().get_template("sweep.html")
    style = pages.static_files()["site.css"].decode("utf-8")
    return str(
        template.render(
            title=title, sections=sections, images=images, style=style, most=_MOST_ROWS,
            release=__version__,
        )
    )  # fmt: skip


@functools.cache
def _environment() -> Any:
    return pages.environment("hub_estimator.sweep.results", cell=_cell)


def _cell(value: Any) -> str:
    from hub_estimator.training.charts.report_table import cell

    return cell(value)
