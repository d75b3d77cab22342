"""The end of a sweep: its final check, and what people get of it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from hub_estimator.sweep import study
from hub_estimator.sweep.final_runs import FinalRuns
from hub_estimator.sweep.plan import Plan
from hub_estimator.sweep.results.final_results import FinalResult
from hub_estimator.sweep.results.results import Results
from hub_estimator.sweep.runner import ExperimentRunner
from hub_estimator.sweep.supervisor import Supervisor
from hub_estimator.sweep.trials import Study

_logger = logging.getLogger("hub_estimator")


def leaderboard(plan: Plan) -> str:
    """Returns how a sweep stands, as text for people; writes nothing.

    Raises:
      errors.SweepStorageError: the storage cannot be used, or has no such sweep.
    """
    found = study.read(plan.storage, plan.name)
    runs = FinalRuns.of(plan, found)
    final = [] if runs is None else runs.results(runs.seen())
    return _results(plan, found, final).text()


def finish(plan: Plan, found: Study, stopping: threading.Event) -> str:
    """Makes the final check, writes the results, and publishes the best module, as far as asked for.

    Args:
      plan: the sweep.
      found: its trials, which are finished.
      stopping: is set where all is to stop; then the final check goes on another time.

    Returns:
      What to say of the sweep.

    Raises:
      errors.SweepStorageError: the storage cannot be used.
      errors.SweepFailedError: the workers of the final check cannot go on.
      errors.BestModuleError: the best module cannot be published.
    """
    runs, final = FinalRuns.of(plan, found), []
    if runs is not None:
        _logger.info("final check: %d runs, in %s", len(runs.trials), runs.plan.folder)
        final = runs.results(Supervisor(runs.plan, stopping).run())
    results = _results(plan, found, final)
    results.write()
    return results.text(None if stopping.is_set() else results.publish())


def _results(plan: Plan, found: Study, final: Sequence[FinalResult]) -> Results:
    runner = plan.runner
    imports = runner.allowed_imports if isinstance(runner, ExperimentRunner) else ()
    return Results(found, plan.folder, final, imports, plan.sweep.publication)
