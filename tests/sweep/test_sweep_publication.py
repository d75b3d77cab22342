"""The page of a sweep's best module on a private hub."""

from __future__ import annotations

import pathlib

from hub_estimator.sweep.results.publication import Publication
from hub_estimator.sweep.results.results import Results
from tests import text_data
from tests.sweep.results.trial_values import study, trial


def test_the_best_module_is_published_once(tmp_path):
    exports = tmp_path / "trials" / "0" / "export" / "best_module" / "1790000000"
    exports.mkdir(parents=True)
    text_data.write_module(exports / "text")
    publication = Publication(str(tmp_path / "hub"), "acme/words", url="https://hub.example.com")
    found = study(trial(0, 0.8, model_dir=str(tmp_path / "trials" / "0")), trial(1, 0.7))
    results = Results(found, str(tmp_path), publication=publication)
    page = results.publish()
    assert page == str(tmp_path / "hub" / "acme" / "words" / "1")
    assert "https://hub.example.com" in (pathlib.Path(page) / "index.html").read_text()
    assert results.publish() == page
    assert not (tmp_path / "hub" / "acme" / "words" / "2").exists()


def test_without_a_module_there_is_nothing_to_publish(tmp_path, caplog):
    publication = Publication(str(tmp_path / "hub"), "acme/words")
    found = study(trial(0, 0.8, model_dir=str(tmp_path)), trial(1, 0.7))
    assert Results(found, str(tmp_path), publication=publication).publish() is None
    assert caplog.messages == ["Nothing is published: the best trial has exported no module here."]
    assert Results(study(), str(tmp_path), publication=publication).publish() is None
    assert Results(found, str(tmp_path)).publish() is None
