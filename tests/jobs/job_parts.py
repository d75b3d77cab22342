"""Model folders as jobs see them, and the work of a job without TensorFlow."""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Callable
from typing import Any

from hub_estimator import digests, errors, files
from hub_estimator.format import checkpoint_paths
from hub_estimator.jobs.destinations import site_publication
from hub_estimator.jobs.job import ExportJob
from hub_estimator.jobs.journal import Journal
from hub_estimator.jobs.ledger import Ledger
from hub_estimator.jobs.running import Run
from hub_estimator.site import module_facts
from tests.site import published


def save(model_dir: Any, step: int, value: str = "", listed: bool = True) -> str:
    """Writes what jobs read of a checkpoint; returns the digest of its index."""
    folder = os.fspath(model_dir)
    os.makedirs(folder, exist_ok=True)
    prefix = f"{folder}/model.ckpt-{step}"
    for ending in ("data-00000-of-00001", "index"):
        pathlib.Path(f"{prefix}.{ending}").write_text(f"{step} {value}")
    if listed:
        names = [*checkpoint_paths.read_list(folder).names, f"model.ckpt-{step}"]
        checkpoint_paths.write_list(folder, [*dict.fromkeys(names)])
    return digests.of_checkpoint(prefix)


def remove(model_dir: Any, step: int) -> None:
    """Removes a checkpoint as training does."""
    for path in pathlib.Path(model_dir).glob(f"model.ckpt-{step}.*"):
        path.unlink()


def record(model_dir: Any, step: int, **metrics: float | None) -> None:
    """Adds a recorded evaluation."""
    with open(f"{model_dir}/metrics.jsonl", "a") as file:
        line = {"step": step, "checkpoint": f"model.ckpt-{step}", **metrics}
        file.write(f"{json.dumps(line)}\n")


def write_export(path: str, sha256: str, content: str = "") -> None:
    """Writes what jobs read of an export."""
    os.makedirs(f"{path}/text/variables")
    pathlib.Path(f"{path}/checkpoint.json").write_text(json.dumps({"index_sha256": sha256}))
    pathlib.Path(f"{path}/text/tfhub_module.pb").write_text(content)
    pathlib.Path(f"{path}/text/variables/values").write_text(content)


def publish_to_sites_here(set_attribute: Callable[[Any, str, Any], None]) -> None:
    """Has sites publish in this process, without TensorFlow: what the module is is made up."""
    set_attribute(module_facts, "read", lambda folder: published.about())
    set_attribute(
        site_publication, "run", lambda request, secs: site_publication.publish_once(request)
    )


class FakeWork:
    """Copies the digest of a checkpoint where TensorFlow would export it.

    Args:
      metrics: what evaluations give.
      fails: what the exports raise, one after the other; None is no failure.

    Attributes:
      done: what was done, in order.
    """

    def __init__(self, metrics: dict[str, float] | None = None, fails: Any = ()) -> None:
        self.done: list[Any] = []
        self._metrics = metrics or {}
        self._fails = iter(fails)

    def export(self, job: ExportJob, step: int, path: str) -> None:
        self.done.append(("export", step))
        failure = next(self._fails, None)
        if callable(failure):
            failure = failure()
        if failure is not None:
            raise failure
        prefix = f"{job.folder}/model.ckpt-{step}"
        if not files.exists(f"{prefix}.index"):
            raise errors.ModelFolderError(f"There is no checkpoint of step {step}.")
        write_export(path, digests.of_checkpoint(prefix), str(step))

    def evaluate(self, job: ExportJob, step: int, evaluation: Any) -> dict[str, float | None]:
        self.done.append(("evaluate", step, evaluation.name))
        return dict(self._metrics)

    def run_command(self, job: ExportJob, about: Any) -> None:
        self.done.append(("then", dict(about)))
        failure = next(self._fails, None)
        if failure is not None:
            raise failure


def make_run(job: ExportJob, state: pathlib.Path, work: Any, ledger: Ledger | None = None) -> Run:
    """Makes a run of a job with a journal in a folder."""
    (state / "work").mkdir(parents=True, exist_ok=True)
    journal = Journal(str(state / "journal.jsonl"))
    return Run(job, ledger or Ledger(), journal, work, str(state / "work"))
