"""What all exporters share: when they export, what lies beside it, what stays and what goes."""

from __future__ import annotations

import contextlib
import json
import os
import re

import numpy as np
import pytest

from hub_estimator import errors, files
from hub_estimator.training.exporters.base import FolderExporter
from hub_estimator.training.exporters.choices import Best, Latest
from hub_estimator.training.objective import Objective


class Content:
    """A source that writes one file; it may fail, or have nothing to write."""

    what = "a file"

    def __init__(self, error=None, is_empty=False):
        self.error, self.is_empty = error, is_empty

    @contextlib.contextmanager
    def opened(self, estimator, checkpoint):
        yield None if self.is_empty else lambda folder: self.write(folder, checkpoint)

    def write(self, folder, checkpoint):
        files.write_text(files.join(folder, "saved_model.pb"), checkpoint)
        if self.error is not None:
            raise self.error


def exporter(keep=5, every="evaluation", stable_path=False, choice=None, source=None):
    return FolderExporter(
        "files", source or Content(), choice or Latest(), keep, every, stable_path
    )


@pytest.fixture
def folder(tmp_path):
    return str(tmp_path / "export" / "files")


@pytest.fixture
def evaluate(folder, make_checkpoint):
    """Exports the checkpoint of a step as evaluation does; other arguments are metrics."""

    def export(made, step, is_final=False, in_folder=folder, **metrics):
        path = make_checkpoint(step)
        metrics["global_step"] = step
        return made.export(None, in_folder, path, metrics, is_the_final_export=is_final)

    return export


def steps(folder):
    names = [name for name in files.listing(folder) if name.isdecimal()]
    return [int(files.read_bytes(files.join(folder, name, "global_step"))) for name in names]


def test_what_lies_beside_an_export(evaluate):
    path = evaluate(exporter(), 7, loss=np.float32(0.5), nan=np.float32("nan"), by_class=np.ones(2))
    assert sorted(os.listdir(path)) == [
        "checkpoint.json", "global_step", "metrics.json", "saved_model.pb",
    ]  # fmt: skip
    assert files.read_bytes(f"{path}/global_step") == b"7\n"
    assert json.loads(files.read_bytes(f"{path}/metrics.json")) == {
        "by_class": [1.0, 1.0], "global_step": 7, "loss": 0.5, "nan": None,
    }  # fmt: skip
    assert json.loads(files.read_bytes(f"{path}/checkpoint.json"))["name"] == "model.ckpt-7"


def test_outside_of_training_there_are_no_metrics_and_each_call_exports(estimator_at, folder):
    made = exporter(every="end", stable_path=True)
    paths = [made.export(estimator_at(3), folder) for _ in range(2)]
    assert steps(folder) == [3, 3] and len(set(paths)) == 2
    assert "metrics.json" not in os.listdir(paths[0])
    assert os.path.samefile(f"{folder}/latest", paths[1])


def test_a_checkpoint_that_is_evaluated_again_is_not_exported_again(evaluate, folder, caplog):
    caplog.set_level("INFO", "hub_estimator")
    first = evaluate(exporter(), 4)
    assert evaluate(exporter(), 4, is_final=True) == first and steps(folder) == [4]
    assert f"FolderExporter: this checkpoint is already exported to {first}." in caplog.messages
    evaluate(exporter(), 5)
    assert steps(folder) == [4, 5]


def test_another_checkpoint_of_the_same_step_is_exported(make_checkpoint, folder):
    for value in (1.0, 2.0, 2.0):
        exporter().export(None, folder, make_checkpoint(4, value), {"loss": 1.0})
    assert steps(folder) == [4, 4]


@pytest.mark.parametrize(
    "every, exported", [("evaluation", [2, 4, 6, 7, 9]), ("end", [9]), (4, [4, 9]), (3, [4, 7, 9])]
)
def test_schedules(evaluate, folder, every, exported):
    for step in (2, 4, 6, 7, 9):  # each in a process of its own
        path = evaluate(exporter(every=every), step, is_final=step == 9)
        assert (path is not None) == (step in exported)
    assert steps(folder) == exported


@pytest.mark.parametrize("every", ["sometimes", "", 0, 1.5, True, None])
def test_a_schedule_that_is_none(every):
    with pytest.raises(errors.ModelError) as caught:
        exporter(every=every)
    what = {
        "sometimes": "'sometimes'; it must be 'evaluation', 'end' or a number of steps.",
        "": "''; it must be 'evaluation', 'end' or a number of steps.",
        0: "0; it must be at least 1.",
    }.get(every, f"{every!r}; it must be a whole number.")
    assert str(caught.value) == f"FolderExporter.every is {what}"


def test_a_stable_path_leads_to_the_newest(evaluate, folder):
    made = exporter(keep=1, stable_path=True)
    for step in (1, 2):
        path = evaluate(made, step)
        assert os.readlink(f"{folder}/latest") == os.path.basename(path)
        assert files.read_bytes(f"{folder}/latest/global_step") == b"%d\n" % step
    assert sorted(os.listdir(folder)) == [os.path.basename(path), "latest"]


def test_what_the_link_leads_to_is_kept(evaluate, folder):
    first = evaluate(exporter(stable_path=True), 1)
    for step in (2, 3):
        evaluate(exporter(keep=1), step)
    assert steps(folder) == [1, 3] and os.path.samefile(f"{folder}/latest", first)


def test_a_link_that_was_not_made_before_the_process_died(evaluate, folder):
    path = evaluate(exporter(), 1)
    assert evaluate(exporter(stable_path=True), 1) == path
    assert os.path.samefile(f"{folder}/latest", path)


def test_something_else_in_the_place_of_the_link(evaluate, folder):
    os.makedirs(f"{folder}/latest/mine")
    with pytest.raises(errors.ExportError) as caught:
        evaluate(exporter(stable_path=True), 1)
    assert str(caught.value) == (
        f"There is something at {folder + '/latest'!r} that is no link. Remove it, or set "
        "stable_path=False."
    )
    assert os.listdir(folder) == ["latest"] and os.listdir(f"{folder}/latest") == ["mine"]


def test_a_remote_folder_has_a_file_in_place_of_the_link(evaluate, tmp_path):
    folder = f"ram://{tmp_path.name}/export"
    for step in (1, 2, 3):
        path = evaluate(exporter(keep=1, stable_path=True), step, in_folder=folder)
    assert steps(folder) == [3]
    assert files.read_bytes(f"{folder}/latest").decode() == os.path.basename(path)


def best(metric="accuracy", higher_is_better=True, **settings):
    return exporter(choice=Best(Objective(metric, higher_is_better)), **settings)


def test_only_better_checkpoints_are_exported(evaluate, folder):
    values = [0.5, 0.4, 0.5, float("nan"), 0.6, 0.55, 0.7]
    for step, value in enumerate(values):  # each in a process of its own
        evaluate(best(keep=2), step, accuracy=np.float32(value))
    assert steps(folder) == [4, 6]
    assert json.loads(files.read_bytes(f"{folder}/best.json")) == {
        "metric": "accuracy",
        "higher_is_better": True,
        "value": pytest.approx(0.7),
        "global_step": 6,
    }


def test_lower_may_be_better(evaluate, folder):
    for step, loss in enumerate([float("nan"), float("inf"), 3.0, 2.0, 2.5]):
        evaluate(best("loss", False, stable_path=True), step, loss=loss)
    assert steps(folder) == [2, 3]
    assert files.read_bytes(f"{folder}/best/global_step") == b"3\n"


def test_the_best_is_remembered_where_the_process_died_right_after_the_export(evaluate, folder):
    path = evaluate(best(), 1, accuracy=0.6)
    os.remove(f"{folder}/best.json")
    assert evaluate(best(), 2, accuracy=0.5) is None
    assert evaluate(best(stable_path=True), 1, accuracy=0.6) == path
    assert files.listing(folder) == [os.path.basename(path), "best", "best.json"]


def test_the_link_to_the_best_is_made_after_a_kill_in_between(evaluate, folder):
    path = evaluate(best(), 1, accuracy=0.6)
    os.remove(f"{folder}/best.json")
    assert evaluate(best(stable_path=True), 2, accuracy=0.5) is None
    assert files.listing(folder) == [os.path.basename(path), "best", "best.json"]


def test_an_older_export_does_not_become_the_best_where_the_best_was_moved_away(evaluate, folder):
    evaluate(best(), 1, accuracy=0.6)
    files.remove(evaluate(best(), 2, accuracy=0.8))
    for step in (3, 4):
        assert evaluate(best(stable_path=True), step, accuracy=0.7) is None


def test_the_best_is_remembered_where_its_export_was_moved_away(evaluate, folder):
    files.remove(evaluate(best(), 1, accuracy=0.6))
    assert evaluate(best(), 2, accuracy=0.5) is None
    assert evaluate(best(), 3, accuracy=0.7) is not None


@pytest.mark.parametrize("content", ["", "[]", '{"metric": "accuracy", "value": "high"}'])
def test_what_was_best_by_another_metric_or_is_damaged_does_not_count(evaluate, folder, content):
    files.remove(evaluate(best("loss", False), 1, loss=0.9))
    assert evaluate(best(), 2, accuracy=0.5) is not None
    files.write_text(f"{folder}/best.json", content)
    assert evaluate(best(), 3, accuracy=0.4) is None


def test_a_metric_that_is_not_there(evaluate, folder):
    with pytest.raises(errors.MetricNotFoundError) as caught:
        evaluate(best("acuracy"), 1, accuracy=0.5, loss=1.0)
    assert str(caught.value) == (
        "FolderExporter looks for the metric 'acuracy', which evaluations do not give. They give: "
        "accuracy, loss."
    )
    assert not os.path.exists(folder)


def test_a_metric_that_is_not_one_number(evaluate):
    with pytest.raises(errors.ExportError) as caught:
        evaluate(best("by_class"), 1, by_class=np.ones(2))
    assert str(caught.value) == (
        "FolderExporter looks for the metric 'by_class', which is not one number but [1.0, 1.0]. "
        "Choose another one of: by_class, global_step."
    )


def test_choosing_needs_an_evaluation(estimator_at, folder):
    estimator = estimator_at(1)
    path = estimator.latest_checkpoint()
    for arguments in ({}, {"checkpoint_path": path}, {"eval_result": {"accuracy": 1.0}}):
        with pytest.raises(errors.ExportError) as caught:
            best().export(estimator, folder, **arguments)
        assert str(caught.value) == (
            "FolderExporter.export chooses by an evaluation: give it checkpoint_path, the "
            "checkpoint that was evaluated, and eval_result, the metrics."
        )


def test_the_disk_is_full(evaluate, folder):
    made = exporter(source=Content(error=OSError(28, "No space left on device")))
    with pytest.raises(errors.ExportError) as caught:
        evaluate(made, 1)
    assert re.fullmatch(
        rf"The export '{re.escape(folder)}/\d{{10}}' cannot be written: \[Errno 28\] No space left "
        r"on device\. Nothing of the export is left; run the same command again once that is "
        r"solved\.",
        str(caught.value),
    )
    assert os.listdir(folder) == []
    assert evaluate(exporter(), 1) is not None


def test_nothing_to_write(evaluate, folder):
    assert evaluate(exporter(source=Content(is_empty=True), stable_path=True), 1) is None
    assert not os.path.exists(folder)


def test_no_checkpoint_at_the_path(tmp_path, folder):
    with pytest.raises(errors.ExportError) as caught:
        exporter().export(None, folder, str(tmp_path / "none"))
    assert str(caught.value) == (
        f"There is no checkpoint of an Estimator at {str(tmp_path / 'none')!r}. Give its prefix, "
        "for example what estimator.latest_checkpoint() returns."
    )


def test_a_scratch_link_of_a_killed_process_is_removed(evaluate, folder):
    os.makedirs(folder)
    os.symlink("1", f"{folder}/.latest.tmp-00000000-1-0123abcd")
    os.utime(f"{folder}/.latest.tmp-00000000-1-0123abcd", (1.0, 1.0), follow_symlinks=False)
    path = evaluate(exporter(), 1)
    assert os.listdir(folder) == [os.path.basename(path)]
