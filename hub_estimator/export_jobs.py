"""Publishes checkpoints of model folders on a schedule, unattended: once, or for as long as it runs.

    python -m hub_estimator.export_jobs --gin_file=jobs.gin
    python -m hub_estimator.export_jobs --gin_file=jobs.gin --once
    python -m hub_estimator.export_jobs --gin_file=jobs.gin --status

Without --once it keeps the schedule itself, until Ctrl-C or SIGTERM, which undo an export at hand.
--once does what is due, and what failed last time, and ends: for cron, systemd, Airflow, Kubernetes.

Exit status: 0 done; 1 a job failed, or an error, in one line that starts with `error:`; 2 wrong flags;
130 or 143 stopped by Ctrl-C or SIGTERM.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from absl import flags

from hub_estimator import command_line, command_signals, errors


def define_flags() -> flags.FlagValues:
    """Returns this command's flags; nothing is defined in absl's global flags."""
    values = flags.FlagValues()
    flags.DEFINE_multi_string(
        "gin_file", None, "A gin file that describes the jobs. May be repeated.",
        flag_values=values, required=True,
    )  # fmt: skip
    flags.DEFINE_multi_string(
        "gin_bindings", [], "A setting, such as \"ExportJobs.state_dir='/var/lib/jobs'\". May be "
        "repeated.", flag_values=values,
    )  # fmt: skip
    flags.DEFINE_bool(
        "once", False, "Does what is due, and what failed last time, and ends.", flag_values=values
    )
    flags.DEFINE_bool(
        "now", False, "With --once: runs all jobs, whenever they are due.", flag_values=values
    )
    flags.DEFINE_bool(
        "status", False, "Prints how the jobs stand, and runs none.", flag_values=values
    )
    flags.DEFINE_bool("json", False, "With --status: prints it as JSON.", flag_values=values)
    for flag, of in (("now", "once"), ("json", "status")):
        flags.register_multi_flags_validator(
            [flag, of], lambda given, flag=flag, of=of: given[of] or not given[flag],
            f"--{flag} is of --{of}: give that too.", flag_values=values,
        )  # fmt: skip
    flags.register_multi_flags_validator(
        ["once", "status"], lambda given: not (given["once"] and given["status"]),
        "Give one of them.", flag_values=values,
    )  # fmt: skip
    return values


def run(argv: Sequence[str]) -> int:
    """Runs the command.

    Args:
      argv: the program's name and its flags.

    Returns:
      The exit status.
    """
    return command_line.run(_export_jobs, define_flags(), argv, str(__doc__))


def _export_jobs(values: flags.FlagValues) -> None:
    # Not earlier: `--help` answers at once.
    from hub_estimator.jobs import scheduler, status

    jobs = _jobs(values)
    if values.status:
        found = status.statuses(jobs)
        print(status.as_json(found) if values["json"].value else status.table(found), end="")
        return
    stopping = threading.Event()
    with command_signals.setting(stopping) as came, scheduler.held(jobs) as places:
        from hub_estimator.jobs.work import Worker

        at_work = scheduler.Scheduler(jobs, places, Worker(places.logs, stopping), stopping)
        with contextlib.closing(at_work):
            if values.once:
                at_work.once(values.now)
                _print(jobs, at_work)
            else:
                at_work.serve()
    if came:
        raise errors.InterruptedRunError(
            f"Stopped by {came[0].name}. Nothing is half-done; run the same command again to go on.",
            came[0],
        )
    _check(at_work.outcomes if values.once else {})


def _jobs(values: flags.FlagValues) -> Any:
    """Returns the jobs that the gin files describe."""
    from hub_estimator import config
    from hub_estimator.jobs import configurables

    configurables.register()
    with config.gin_session(values.gin_file, values.gin_bindings) as session:
        jobs = session.call("ExportJobs")
        session.check_all_read()
        return jobs


def _print(jobs: Any, at_work: Any) -> None:
    """Prints a line on each job."""
    for job in jobs.jobs:
        outcome = at_work.outcomes.get(job.name)
        if outcome is not None:
            print(f"{job.name}: {outcome.result}: {outcome.said}")
            continue
        last = at_work.last_run(job)
        due = last.due(job.schedule)
        when = "there is nothing new"
        if due is not None:
            when = f"next at {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(due))}"
        said = f"; {last.said}" if last.said else ""
        print(f"{job.name}: not due: {when}{said}")


def _check(outcomes: Mapping[str, Any]) -> None:
    failed = {name: each.said for name, each in outcomes.items() if each.result == "failed"}
    if failed:
        reasons = "; ".join(f"{name!r}: {said.rstrip('.')}" for name, said in failed.items())
        raise errors.JobsFailedError(
            f"{len(failed)} of {len(outcomes)} jobs that ran failed: {reasons}. They are tried again "
            "at the next run."
        )


if __name__ == "__main__":
    command_line.main(run)
