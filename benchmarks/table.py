"""The results as a table for people."""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks.harness import NEWEST, OURS, PEER, Row

_HEADER = ("what", "ours", "peer", "ratio", "goal", "", "newest")


def table(rows: Iterable[Row]) -> str:
    """Returns a table in Markdown: a line for each figure."""
    lines = [_HEADER, *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    shown = [_line(line, widths) for line in lines]
    return "\n".join([shown[0], _line(["-" * width for width in widths], widths), *shown[1:]])


def _cells(row: Row) -> tuple[str, ...]:
    goal = row.figure.goal
    bound = "" if goal is None else f"{'>=' if row.figure.more_is_better else '<='} {goal:g}"
    verdict = {True: "reached", False: "missed", None: ""}[row.reached]
    ratio = "" if row.ratio is None else f"{row.ratio:.3f}"
    ours, peer, newest = (_number(row.medians.get(who)) for who in (OURS, PEER, NEWEST))
    return (f"{row.benchmark}: {row.figure.what}", ours, peer, ratio, bound, verdict, newest)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


def _line(cells: Iterable[str], widths: Iterable[int]) -> str:
    padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=True)]
    return f"| {' | '.join(padded)} |"
