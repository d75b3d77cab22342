"""The report of a sweep: its pictures, the text and the page."""

from __future__ import annotations

import html.parser
import re

import pytest

from hub_estimator.sweep.results import pictures, report
from hub_estimator.sweep.results.final_results import FinalResult
from hub_estimator.sweep.results.leaderboard import Leaderboard
from tests.sweep.results.trial_values import of_two, study, text_study, trial

pytestmark = pytest.mark.one_tensorflow

PNG = b"\x89PNG\r\n\x1a\n"
FINAL = [FinalResult(1, {"accuracy": [0.81, 0.82, 0.80]})]
COMMANDS = {"train it again": "python -m hub_estimator.train --model_dir='a b'"}


def test_there_is_a_picture_for_what_there_is_to_see():
    drawn = pictures.draw(text_study())
    assert list(drawn) == ["history", "importances", "parallel_coordinates"]
    assert all(png.startswith(PNG) for png in drawn.values())


def test_several_objectives_have_a_pareto_front():
    trials = [trial(n, 0.1 * n, 9.0 - n, settings={"MODULE": "'a'"}) for n in range(4)]
    drawn = pictures.draw(of_two(*trials, trial(4, 0.1, 9.5, state="pruned")))
    assert list(drawn) == ["history", "parallel_coordinates", "pareto_front"]


@pytest.mark.parametrize(
    ("trials", "names"),
    [
        ([], []),
        ([trial(0, state="failed"), trial(1, 0.5, state="pruned")], []),
        ([trial(0, 0.5)], ["history"]),
        ([trial(0, 0.5, settings={"MODULE": "'$a$ ☃'"}), trial(1, 0.5)],
         ["history", "parallel_coordinates"]),
    ],
    ids=["none", "none complete", "one", "equal values, odd names"],
)  # fmt: skip
def test_of_few_trials_there_are_fewer_pictures(trials, names):
    assert list(pictures.draw(study(*trials))) == names


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("sweep")
    (place / "report").mkdir()
    (place / "report" / "old.png").write_bytes(b"")
    report.write(str(place), Leaderboard(text_study(), FINAL), COMMANDS)
    return place / "report"


def test_the_report_takes_the_place_of_an_older_one(folder):
    assert {path.name for path in folder.iterdir()} == {
        "report.md", "index.html", "history.png", "importances.png", "parallel_coordinates.png",
    }  # fmt: skip


def test_the_text_has_the_result_before_what_the_search_went_by(folder):
    text = (folder / "report.md").read_text()
    titles = re.findall("^## (.*)$", text, re.MULTILINE)
    assert titles == [
        "Final check", "Trials", "History", "Which settings matter", "Settings and values", "Next",
        "Failed trials",
    ]  # fmt: skip
    assert "| 1 | '/modules/own' | True | 0.001 | 0.8100 ± 0.0100 | 3 |" in text
    assert "and are not the result of the sweep." in text
    assert "![History](history.png)" in text
    assert f"    {COMMANDS['train it again']}\n" in text
    assert "\\<b>random" in text
    assert "| 7 | LossNotFiniteError: it is nan |" in text


def test_without_a_final_check_the_report_says_that_there_is_no_result(tmp_path):
    report.write(str(tmp_path), Leaderboard(study(trial(0, 0.5))), {})
    text = (tmp_path / "report" / "report.md").read_text()
    assert (
        "There was no final check, so this sweep has no result on data that it did not see." in text
    )


class _Page(html.parser.HTMLParser):
    """The elements of a page, with their attributes."""

    def __init__(self, text):
        super().__init__()
        self.elements = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))


def test_the_page_loads_nothing_and_runs_nothing(folder):
    text = (folder / "index.html").read_text()
    page = _Page(text)
    tags = [tag for tag, _ in page.elements]
    assert not {"script", "link", "iframe", "b"} & set(tags)
    images = [attributes for tag, attributes in page.elements if tag == "img"]
    assert len(images) == 3 and all(image["alt"] for image in images)
    assert all(image["src"].startswith("data:image/png;base64,iVBOR") for image in images)
    assert "default-src 'none'" in text and "&lt;b&gt;random&lt;/b&gt;" in text
    assert [
        name for _, attributes in page.elements for name in attributes if name.startswith("on")
    ] == []


def test_the_page_has_what_the_text_has(folder):
    text = (folder / "index.html").read_text()
    assert "<td>0.8100 ± 0.0100</td>" in text
    assert "--model_dir=&#39;a b&#39;" in text
    assert "LossNotFiniteError: it is nan" in text


def test_what_is_not_installed_is_left_out(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(report.plots, "are_possible", lambda: False)
    monkeypatch.setattr(report.descriptions, "are_possible", lambda: False)
    with caplog.at_level("INFO", "hub_estimator"):
        report.write(str(tmp_path), Leaderboard(text_study()), {})
    assert [path.name for path in (tmp_path / "report").iterdir()] == ["report.md"]
    assert caplog.messages == [
        "The report has no pictures: they need pip install 'hub_estimator[plots]'.",
        "The report has no page: it needs pip install 'hub_estimator[site]'.",
    ]
