"""What a trial's process is given, and what its answer comes to."""

from __future__ import annotations

import threading

import pytest

from hub_estimator import errors
from hub_estimator.sweep import runner, trials
from hub_estimator.sweep.runner import Ended, ExperimentRunner, Run

pytestmark = pytest.mark.one_tensorflow


@pytest.fixture
def ran(monkeypatch):
    """Runs a trial whose process answers something; returns what it comes to, and what was asked."""

    def run(answer, settings=None, **more):
        asked = []

        def fresh_process(gin_text, model_dir, verb, bindings, imports, **given):
            asked.append((gin_text, model_dir, verb, bindings, imports, given))
            if verb == "rows_per_second":
                return 250.0
            return {"step": 20, "metrics": {"loss": 0.5}, "exports": {}, **answer}

        monkeypatch.setattr(runner, "answer_of_fresh_process", fresh_process)
        made = ExperimentRunner("TEXT", ("A = 1",), ("own",), **more)
        stopping = threading.Event()
        ended = made(Run(settings or {}, "model", "log", {"THREADS": "1"}), stopping)
        for *_, given in asked:
            assert given.pop("stopping") is stopping
        return ended, asked

    return run


def test_the_settings_of_a_trial_override_all_others(ran):
    _, asked = ran({}, {"FINE_TUNE": "True", "MODULE": "'/a'"})
    bindings = ["A = 1", "FINE_TUNE = True", "MODULE = '/a'"]
    given = {"log_path": "log", "environment": {"THREADS": "1"}}
    assert asked == [("TEXT", "model", "train_and_evaluate", bindings, ("own",), given)]


def test_how_fast_the_model_predicts_where_that_is_asked_for(ran):
    ended, asked = ran({}, {"B": "2"}, measures_speed=True)
    assert ended == Ended(20, {"loss": 0.5, trials.ROWS_PER_SECOND: 250.0})
    assert [verb for _, _, verb, *_ in asked] == ["train_and_evaluate", "rows_per_second"]
    assert [bindings for *_, bindings, _, _ in asked] == [["A = 1", "B = 2"]] * 2


def test_metrics_that_are_finite_count(ran):
    metrics = {"accuracy": 0.5, "auc": None, "loss": float("nan"), "global_step": 20}
    assert ran({"metrics": metrics})[0] == Ended(20, {"accuracy": 0.5})


def test_the_size_of_each_exported_module_counts_once(ran, tmp_path):
    for exporter in ("module", "best_module"):
        (tmp_path / exporter / "text").mkdir(parents=True)
        (tmp_path / exporter / "text" / "tfhub_module.pb").write_bytes(bytes(500_000))
    (tmp_path / "servable" / "variables").mkdir(parents=True)
    (tmp_path / "servable" / "saved_model.pb").write_bytes(bytes(900_000))
    exports = {name: str(tmp_path / name) for name in ("module", "best_module", "servable")}
    assert ran({"exports": exports})[0].metrics == {"loss": 0.5, trials.MODULE_SIZE: 0.5}


def test_no_evaluation_is_an_error(ran):
    with pytest.raises(errors.ModelFolderError) as caught:
        ran({"metrics": {}})
    assert str(caught.value) == (
        "The run in 'model' has no evaluation that could count. Remove the folder, and run the same "
        "command again."
    )
