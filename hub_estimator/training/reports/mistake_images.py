"""The worst mistakes of a head, an image each, in the text of a report."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from hub_estimator.training.charts.report_table import ReportTable, cell, escaped


@dataclasses.dataclass(frozen=True)
class MistakeImages:
    """Images of mistakes, and what is known of each.

    Attributes:
      table: of the mistakes; the first column is the row of each.
      paths: the files of each mistake's images in the folder of the report, by row.
      files: the PNG files by path.
    """

    table: ReportTable
    paths: Mapping[int, list[str]]
    files: Mapping[str, bytes]

    @classmethod
    def of(cls, folder: str, table: ReportTable, drawn: Mapping[int, list[bytes]]) -> MistakeImages:
        """Returns the images of a table of mistakes.

        Args:
          folder: where their files are to be in that of the report.
          table: of the mistakes.
          drawn: PNG files of each example, by its number from 0.
        """
        rows = [row[0] for row in table.rows if row[0] - 1 in drawn]
        files = {
            row: {
                f"{folder}/{row}_{number}.png": png for number, png in enumerate(drawn[row - 1], 1)
            }
            for row in rows
        }
        paths = {row: list(named) for row, named in files.items()}
        return cls(
            table, paths, {path: png for named in files.values() for path, png in named.items()}
        )

    def lines(self) -> list[str]:
        """Returns the lines of Markdown that show them, the worst first."""
        found = ["### Images of the worst mistakes", ""] if self.paths else []
        for row in self.table.rows:
            if row[0] not in self.paths:
                continue
            shown = " ".join(f"![row {row[0]}]({path})" for path in self.paths[row[0]])
            known = zip(self.table.header[1:], row[1:], strict=True)
            about = ", ".join(f"{escaped(name)}: {escaped(cell(value))}" for name, value in known)
            found += [f"#### Row {row[0]}", "", shown, "", about, ""]
        return found
