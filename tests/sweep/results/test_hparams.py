"""What TensorBoard's HParams tab finds in the folder of a sweep."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest
import tensorflow as tf

from hub_estimator.sweep.results import hparams
from tests.sweep.results.trial_values import study, trial

ROOT = pathlib.Path(__file__).parent.parent.parent.parent


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder of a sweep whose trials have logs of evaluations."""
    place = tmp_path_factory.mktemp("sweep")
    settings = {"MODULE": "'/m/a'", "FINE_TUNE": "True", "LEARNING_RATE": "0.1"}
    trials = [
        trial(0, 0.8, settings=settings, model_dir=str(place / "trials" / "0")),
        trial(1, state="failed", settings={**settings, "LEARNING_RATE": "@rate"},
              model_dir=str(place / "trials" / "1")),
        trial(2, state="running", settings=settings, model_dir=str(place / "trials" / "2")),
        trial(3, 0.7, settings=settings, model_dir=str(place / "elsewhere")),
        trial(4, state="waiting"),
    ]  # fmt: skip
    for number in range(3):
        with (
            tf.Graph().as_default(),
            tf.compat.v1.summary.FileWriter(str(place / "trials" / str(number) / "eval")) as writer,
        ):
            value = tf.compat.v1.Summary.Value(tag="accuracy", simple_value=0.5 + number / 8)
            writer.add_summary(tf.compat.v1.Summary(value=[value]), 20)
    for _ in range(2):
        hparams.write(study(*trials), str(place))
    return place


def test_what_all_trials_share_grows_with_them(tmp_path):
    first = trial(0, state="running", model_dir=str(tmp_path / "0"))
    hparams.write(study(first), str(tmp_path))
    [path] = tmp_path.iterdir()
    before = path.read_bytes()
    hparams.write(study(trial(0, 0.8), trial(1, state="waiting")), str(tmp_path))
    assert list(tmp_path.iterdir()) == [path]
    assert b"loss" not in before and b"loss" in path.read_bytes()


def test_each_file_is_written_once(folder):
    names = sorted(path.suffix for path in folder.rglob("events.*.hparams.*"))
    assert names == [".complete", ".experiment", ".failed", ".running"]
    assert not (folder / "elsewhere").exists()


@pytest.fixture(scope="module")
def groups(folder):
    """What the tab's own code makes of the folder: the sessions by the names of their groups."""
    from tensorboard.backend.event_processing import data_provider, plugin_event_multiplexer
    from tensorboard.context import RequestContext
    from tensorboard.plugins import base_plugin
    from tensorboard.plugins.hparams import api_pb2, backend_context, list_session_groups

    multiplexer = plugin_event_multiplexer.EventMultiplexer()
    multiplexer.AddRunsFromDirectory(str(folder))
    multiplexer.Reload()
    provider = data_provider.MultiplexerDataProvider(multiplexer, str(folder))
    context = backend_context.Context(base_plugin.TBContext(data_provider=provider))
    statuses = [api_pb2.STATUS_SUCCESS, api_pb2.STATUS_FAILURE, api_pb2.STATUS_UNKNOWN]
    request = api_pb2.ListSessionGroupsRequest(
        start_index=0, slice_size=10, allowed_statuses=statuses
    )
    handler = list_session_groups.Handler(RequestContext(), context, "", request)
    return {group.name: group for group in handler.run().session_groups}


def test_the_tab_has_the_settings_of_each_trial(groups):
    assert sorted(groups) == ["0", "1", "2"]
    found = groups["0"].hparams
    assert found["MODULE"].string_value == "/m/a"
    assert found["FINE_TUNE"].bool_value is True
    assert found["LEARNING_RATE"].number_value == 0.1
    assert groups["1"].hparams["LEARNING_RATE"].string_value == "@rate"


def test_the_tab_has_the_metrics_of_the_evaluations(groups):
    for number in range(3):
        [metric] = groups[str(number)].metric_values
        assert (metric.name.group, metric.name.tag) == ("eval", "accuracy")
        assert (metric.value, metric.training_step) == (0.5 + number / 8, 20)


def test_the_tab_has_how_each_trial_ended(groups):
    from tensorboard.plugins.hparams import api_pb2

    statuses = [groups[name].sessions[0].status for name in ("0", "1", "2")]
    assert statuses == [api_pb2.STATUS_SUCCESS, api_pb2.STATUS_FAILURE, api_pb2.STATUS_UNKNOWN]
    [session] = groups["0"].sessions
    assert session.end_time_secs - session.start_time_secs == pytest.approx(12.34)


def test_writing_needs_no_tensorflow(tmp_path):
    program = (
        "import sys; from hub_estimator.sweep.results import hparams, results; "
        "from tests.sweep.results import trial_values; "
        f"hparams.write(trial_values.text_study(), {str(tmp_path)!r}); print('tensorflow' in sys.modules)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=ROOT
    )
    assert ended.stdout == "False\n"
