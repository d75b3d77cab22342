"""What is where in the state folder of jobs."""

from __future__ import annotations

import dataclasses

from hub_estimator import files


@dataclasses.dataclass(frozen=True)
class Places:
    """The state folder.

    | | |
    |---|---|
    | `journal.jsonl` | what jobs did; see `journal` |
    | `last_runs.json` | when each job was run last, and how that ended |
    | `metrics.prom` | numbers in the text format of Prometheus |
    | `logs/<job>.log` | what the last process of a job wrote |
    | `work/` | exports before they are published |
    | `.lock` | held by the process that runs the jobs |

    Attributes:
      folder: its path.
    """

    folder: str

    @property
    def journal(self) -> str:
        """The journal."""
        return files.join(self.folder, "journal.jsonl")

    @property
    def runs(self) -> str:
        """The last runs."""
        return files.join(self.folder, "last_runs.json")

    @property
    def metrics(self) -> str:
        """The metrics."""
        return files.join(self.folder, "metrics.prom")

    @property
    def logs(self) -> str:
        """The folder of logs."""
        return files.join(self.folder, "logs")

    @property
    def work(self) -> str:
        """The folder of exports before they are published."""
        return files.join(self.folder, "work")

    @property
    def lock(self) -> str:
        """The lock."""
        return files.join(self.folder, ".lock")
