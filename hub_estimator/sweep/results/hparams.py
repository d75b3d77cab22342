"""What TensorBoard's HParams tab shows: the settings of each trial beside its curves.

Beside the logs of a trial goes a file with its settings and how it ended; the metrics are those that
its evaluations wrote into `eval/`. The file is made with TensorBoard's own messages, no TensorFlow.
"""

from __future__ import annotations

import ast
import io
import time
from collections.abc import Iterable
from typing import Any

from hub_estimator import files
from hub_estimator.sweep.trials import Study, Trial

_EVALUATIONS = "eval"
_SUFFIX = ".hparams"
_LAST = 9_999_999_999


def write(study: Study, sweep_dir: str) -> None:
    """Writes what the tab needs of the trials whose model folders are on this machine.

    Each file appears whole: that of the sweep anew where more is known, those of a trial once for each
    of its states.

    Args:
      study: the study.
      sweep_dir: its folder, where what all trials share goes.
    """
    _write_shared(study, sweep_dir)
    for trial in study.trials:
        if trial.started is None or trial.state == "waiting":
            continue
        path = _path_of(trial, trial.started.timestamp())
        if not files.exists(path) and files.is_folder(trial.model_dir):
            parts = [_start(trial), *([_end(trial)] if trial.is_finished else [])]
            files.write_bytes(path, _events(parts))


def _path_of(trial: Trial, began: float) -> str:
    """Returns the path of the file of a trial in its state.

    TensorBoard goes through the files of a folder in their order, and looks at none again: while a
    trial runs, its own logs are to come after this file; then nothing does.
    """
    secs = _LAST if trial.is_finished else began
    return _path(trial.model_dir, secs, f"{_SUFFIX}.{trial.state}")


def _write_shared(study: Study, sweep_dir: str) -> None:
    began = [trial.started.timestamp() for trial in study.trials if trial.started is not None]
    if not began:
        return
    path = _path(sweep_dir, min(began), f"{_SUFFIX}.experiment")
    content = _events([_experiment(study, min(began))], min(began))
    if not files.exists(path) or files.read_bytes(path) != content:
        files.write_bytes(path, content)


def _path(folder: str, secs: float, suffix: str) -> str:
    """Returns the path of a file of logs, which are in the order of their times."""
    return files.join(folder, f"events.out.tfevents.{int(secs):010d}{suffix}")


def _events(data: Iterable[tuple[str, Any]], secs: float | None = None) -> bytes:
    """Returns an event file with a summary for each of some messages by tag.

    Args:
      data: the tags and messages.
      secs: its time, in seconds since 1970; None is now.
    """
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams import metadata
    from tensorboard.summary.writer.record_writer import RecordWriter

    buffer, when = io.BytesIO(), time.time() if secs is None else secs
    writer = RecordWriter(buffer)
    writer.write(Event(wall_time=when, file_version="brain.Event:2").SerializeToString())
    for tag, content in data:
        about = metadata.create_summary_metadata(content)
        value = Summary.Value(tag=tag, metadata=about, tensor=metadata.NULL_TENSOR)
        event = Event(wall_time=when, summary=Summary(value=[value]))
        writer.write(event.SerializeToString())
    return buffer.getvalue()


def _experiment(study: Study, secs: float) -> tuple[str, Any]:
    from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

    names = [objective.metric for objective in study.objectives]
    others = {name for trial in study.trials for name in trial.metrics} - {*names}
    experiment = api_pb2.Experiment(
        name=study.name,
        hparam_infos=[_info(name, study) for name in study.settings],
        metric_infos=[
            api_pb2.MetricInfo(
                name=api_pb2.MetricName(group=_EVALUATIONS, tag=name),
                display_name=name,
                dataset_type=api_pb2.DATASET_VALIDATION,
            )
            for name in [*names, *sorted(others)]
        ],
        time_created_secs=secs,
    )
    return metadata.EXPERIMENT_TAG, plugin_data_pb2.HParamsPluginData(experiment=experiment)


def _info(name: str, study: Study) -> Any:
    from tensorboard.plugins.hparams import api_pb2

    values = [_value(trial.settings[name]) for trial in study.trials if name in trial.settings]
    kinds = {type(value) for value in values}
    kind = api_pb2.DATA_TYPE_STRING
    if kinds == {bool}:
        kind = api_pb2.DATA_TYPE_BOOL
    elif kinds == {float}:
        kind = api_pb2.DATA_TYPE_FLOAT64
    return api_pb2.HParamInfo(name=name, type=kind)


def _start(trial: Trial) -> tuple[str, Any]:
    from tensorboard.plugins.hparams import metadata, plugin_data_pb2

    assert trial.started is not None
    start = plugin_data_pb2.SessionStartInfo(
        group_name=str(trial.number),
        start_time_secs=trial.started.timestamp(),
        model_uri=trial.model_dir,
    )
    for name, text in trial.settings.items():
        value = _value(text)
        if isinstance(value, bool):
            start.hparams[name].bool_value = value
        elif isinstance(value, float):
            start.hparams[name].number_value = value
        else:
            start.hparams[name].string_value = value
    return metadata.SESSION_START_INFO_TAG, plugin_data_pb2.HParamsPluginData(
        session_start_info=start
    )


def _end(trial: Trial) -> tuple[str, Any]:
    from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

    assert trial.started is not None
    is_failed = trial.state == "failed"
    end = plugin_data_pb2.SessionEndInfo(
        status=api_pb2.STATUS_FAILURE if is_failed else api_pb2.STATUS_SUCCESS,
        end_time_secs=trial.started.timestamp() + trial.seconds,
    )
    return metadata.SESSION_END_INFO_TAG, plugin_data_pb2.HParamsPluginData(session_end_info=end)


def _value(text: str) -> bool | float | str:
    """Returns a gin text as the tab takes values: what is neither true nor a number is a text."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return text
    if isinstance(value, (bool, str)):
        return value
    return float(value) if isinstance(value, (int, float)) else text
