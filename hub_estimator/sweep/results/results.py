"""All that people get of a sweep: written into its folder, and said at the end."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from collections.abc import Iterator, Sequence

from hub_estimator import files, texts
from hub_estimator.files import locks
from hub_estimator.sweep.results import commands, hparams, leaderboard, ranking, report
from hub_estimator.sweep.results.final_results import FinalResult
from hub_estimator.sweep.results.leaderboard import Leaderboard
from hub_estimator.sweep.results.publication import Publication
from hub_estimator.sweep.trials import Study, Trial

_LOCK = ".results.lock"
_MOST_BEST = 5  # of a Pareto front

_logger = logging.getLogger("hub_estimator")


@dataclasses.dataclass(frozen=True)
class Results:
    """What there is of a sweep at one moment.

    Attributes:
      study: the sweep.
      sweep_dir: its folder.
      final: what the final check found; empty without one.
      allow_import: what the experiment's configuration imports, for commands.
      publication: where the best module is published; None is nowhere.
    """

    study: Study
    sweep_dir: str
    final: Sequence[FinalResult] = ()
    allow_import: Sequence[str] = ()
    publication: Publication | None = None

    @property
    def board(self) -> Leaderboard:
        """The leaderboard."""
        return Leaderboard(self.study, self.final)

    def write_progress(self) -> None:
        """Writes the leaderboard, and what TensorBoard shows; each is whole or not there.

        Where several processes do so at once, one does it after the other.
        """
        with self._held():
            self._write_progress()

    def write(self) -> None:
        """Writes all: also the report."""
        with self._held():
            self._write_progress()
            report.write(self.sweep_dir, self.board, self._commands())

    def _write_progress(self) -> None:
        path = files.join(self.sweep_dir, leaderboard.FILE)
        files.write_bytes(path, self.board.csv())
        hparams.write(self.study, self.sweep_dir)

    def _held(self) -> contextlib.AbstractContextManager[object]:
        files.make_folder(self.sweep_dir)
        return locks.where_possible(locks.held, files.join(self.sweep_dir, _LOCK))

    def publish(self) -> str | None:
        """Publishes the module of the best trial, where that is asked for; returns its page's path.

        Of several modules, and of a Pareto front, it is the first one.

        Raises:
          errors.BestModuleError: it cannot be published.
        """
        if self.publication is None:
            return None
        found = [commands.modules(trial) for trial in ranking.best(self.study)[:1]]
        modules = [module for there in found for module in there]
        if not modules:
            _logger.warning("Nothing is published: the best trial has exported no module here.")
            return None
        with self._held():  # of several machines one publishes it
            return self.publication.publish(modules[0])

    def text(self, page: str | None = None) -> str:
        """Returns what is said at the end.

        Args:
          page: the path of the page of the best module; None without one.
        """
        lines = list(self._best())
        if page is not None:
            lines.append(f"Its page:         {page}")
        where = files.join(self.sweep_dir, report.FOLDER, report.INDEX)
        lines += [
            f"Leaderboard:      {files.join(self.sweep_dir, leaderboard.FILE)}",
            f"Report:           {where}",
            "",
            "Next:",
            *(f"  {f'{what}:':17} {command}" for what, command in self._commands().items()),
        ]
        return f"{self.board.text()}\n" + "\n".join(lines)

    def _best(self) -> Iterator[str]:
        """Yields lines about the best trials."""
        found = ranking.best(self.study)
        for trial in found[:_MOST_BEST]:
            values = zip(self.study.objectives, trial.values or (), strict=True)
            shown = ", ".join(f"{goal.metric} {value:.4g}" for goal, value in values)
            said = texts.one_line(f"trial {trial.number}: {_settings(trial)} ({shown})")
            yield f"Best by search:   {said}"
            yield f"Its model folder: {trial.model_dir}"
            yield from (f"Its module:       {module}" for module in commands.modules(trial))
        if len(found) > _MOST_BEST:
            yield f"and {len(found) - _MOST_BEST} more of the Pareto front."

    def _commands(self) -> dict[str, str]:
        """Returns what to run next, by what it does."""
        found = {}
        for trial in ranking.best(self.study)[:1]:
            folder = files.join(self.sweep_dir, "best")
            found["train it again"] = commands.train_again(trial, folder, self.allow_import)
        found["look at the runs"] = commands.tensorboard(self.sweep_dir)
        found["at the search"] = commands.dashboard(self.study)
        return found


def _settings(trial: Trial) -> str:
    return ", ".join(f"{name}={text}" for name, text in trial.settings.items()) or "as it is"
