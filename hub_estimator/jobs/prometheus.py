"""Numbers about jobs in the text format of Prometheus, for the textfile collector of node_exporter.

The format: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from hub_estimator import files
from hub_estimator.jobs.job import ExportJob
from hub_estimator.jobs.ledger import Ledger
from hub_estimator.jobs.runs import LastRun, LastRuns

_PREFIX = "hub_estimator_export_job"
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})

_Value = Callable[[LastRun, Ledger], float | None]
# Name, type, help, and the value: None leaves the job out.
_METRICS: tuple[tuple[str, str, str, _Value], ...] = (
    (
        "last_run_timestamp_seconds",
        "gauge",
        "When the last run of the job ended.",
        lambda run, ledger: run.ended,
    ),
    (
        "last_published_timestamp_seconds",
        "gauge",
        "When the job published last.",
        lambda run, ledger: (
            None if ledger.last_publication is None else ledger.last_publication.published
        ),
    ),
    (
        "last_published_step",
        "gauge",
        "The global step of the checkpoint that was published last.",
        lambda run, ledger: (
            None if ledger.last_publication is None else ledger.last_publication.step
        ),
    ),
    (
        "published_total",
        "counter",
        "How many versions the job published, at all destinations together.",
        lambda run, ledger: float(ledger.total),
    ),
    (
        "failures_in_a_row",
        "gauge",
        "How many runs of the job failed since one did not.",
        lambda run, ledger: float(run.failures),
    ),
    (
        "last_export_duration_seconds",
        "gauge",
        "How long the last export took.",
        lambda run, ledger: run.export_secs,
    ),
)


def write_metrics(
    path: str, jobs: Sequence[ExportJob], runs: LastRuns, ledgers: Mapping[str, Ledger]
) -> None:
    """Writes the numbers, whole.

    Args:
      path: the file.
      jobs: the jobs.
      runs: their last runs.
      ledgers: what they published, by name.

    Raises:
      OSError: it cannot be written.
    """
    text = metrics_text(jobs, runs, ledgers)
    if not files.exists(path) or files.read_bytes(path) != text.encode():
        files.write_text(path, text)


def metrics_text(jobs: Sequence[ExportJob], runs: LastRuns, ledgers: Mapping[str, Ledger]) -> str:
    """Returns the numbers; see `write_metrics`."""
    lines = []
    for name, kind, help_text, value in _METRICS:
        lines += [f"# HELP {_PREFIX}_{name} {help_text}", f"# TYPE {_PREFIX}_{name} {kind}"]
        for job in jobs:
            run = runs.peek(job.name)
            found = None if run is None else value(run, ledgers.get(job.name, Ledger()))
            if found is not None:
                lines.append(f'{_PREFIX}_{name}{{job="{job.name.translate(_ESCAPES)}"}} {found}')
    return "".join(f"{line}\n" for line in lines)
