"""Tables as CSV and as Markdown."""

from __future__ import annotations

import numpy as np

from hub_estimator.training.charts.report_table import ReportTable


def test_csv():
    table = ReportTable(("a", "b,c"), [('x "y"', np.float32(0.1)), (3, float("nan"))])
    assert table.csv() == b'a,"b,c"\n"x ""y""",0.1\n3,\n'


def test_names_from_outside():
    name = "a\x1b[2J\u202e\r\n$|\udcff" + 200 * "b"
    table = ReportTable(("class",), [(name,)])
    assert table.csv() == (b'class\n"a\x1b[2J\xe2\x80\xae\r\n$|\\udcff' + 200 * b"b" + b'"\n')
    shown = table.markdown().splitlines()[-1]
    assert shown.startswith(r"| a\\x1b\[2J\\u202e $\|\\udcffbb") and shown.endswith("b... |")
    assert shown.isprintable()


def test_markdown():
    table = ReportTable(("a_b", "c"), [("x|y\n<b> z", 1 / 3), ("w" * 200, float("nan")), ("z", 4)])
    assert table.markdown(2) == (
        "| a\\_b | c |\n| --- | --- |\n| x\\|y \\<b> z | 0.3333 |\n"
        f"| {'w' * 120}... | - |\n\n1 more rows are in the CSV file.\n"
    )
    assert table.markdown().endswith("| z | 4 |\n")
