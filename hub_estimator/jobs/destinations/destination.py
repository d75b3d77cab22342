"""What a destination is: a place that gets a version of each published checkpoint, whole and once."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from hub_estimator import errors, files, json_text

RECORD = "publication.json"


@dataclasses.dataclass(frozen=True)
class Publication:
    """What is said of a version beside it, and in the journal.

    Attributes:
      job: the name of the job.
      step: the global step of the checkpoint.
      sha256: of the checkpoint's index; what tells checkpoints apart.
      published: when, in seconds since 1970.
      metrics: of the recorded evaluation.
      evaluations: the metrics of evaluations that gates had made, by their names.
    """

    job: str
    step: int
    sha256: str
    published: float
    metrics: Mapping[str, float | None] = dataclasses.field(default_factory=dict)
    evaluations: Mapping[str, Mapping[str, float | None]] = dataclasses.field(default_factory=dict)

    def write(self, folder: str) -> None:
        """Writes this into the folder of a version."""
        text = json.dumps(dataclasses.asdict(self), indent=1, sort_keys=True)
        files.write_text(files.join(folder, RECORD), f"{text}\n")

    @classmethod
    def read(cls, folder: str) -> Publication | None:
        """Returns what was written into a folder; None where nothing was, or somebody else's.

        Raises:
          errors.RemotePlaceError: the store that it is in cannot be used.
        """
        try:
            return cls.parse(json_text.parse(files.read_bytes(files.join(folder, RECORD))))
        except errors.RemotePlaceError:
            raise
        except (OSError, ValueError, TypeError):
            return None

    @classmethod
    def parse(cls, content: Mapping[str, Any]) -> Publication:
        """Returns what `dataclasses.asdict` made, and JSON brought.

        Raises:
          TypeError: it is something else.
          ValueError: likewise.
        """
        found = cls(**content)
        is_right = isinstance(found.job, str) and isinstance(found.sha256, str)
        if not is_right or not isinstance(found.metrics, dict):
            raise ValueError("this is no publication")
        return dataclasses.replace(found, step=int(found.step), published=float(found.published))


@dataclasses.dataclass(frozen=True)
class Version:
    """A version at a destination.

    Attributes:
      name: what it is called there.
      path: where it is.
      publication: what is said of it.
      is_current: whether it is what users get now, who name no version.
    """

    name: str
    path: str
    publication: Publication
    is_current: bool


def place_of(setting: str, path: str) -> str:
    """Returns the one name of a folder on this machine, or of a place of a store.

    Args:
      setting: the setting that has the path, to start messages with.
      path: as it was given.

    Raises:
      errors.Error: it is of a store that cannot be written to; see `files.as_store`.
    """
    given = files.as_path(path)
    return files.as_store(setting, given) if files.is_remote(given) else os.path.realpath(given)


class Destination(Protocol):
    """A place that gets versions."""

    @property
    def place(self) -> str:
        """What tells the place from others, for the journal: it stays the same while it is used."""

    def check_what(self, what: str) -> None:
        """Checks that what a job exports can be published here; most places take all.

        Args:
          what: `ExportJob.what`.

        Raises:
          errors.InvalidSettingError: it cannot.
        """

    def check(self, is_first: bool) -> None:
        """Checks what is known without writing, before there is anything to publish.

        Args:
          is_first: whether the job never published here. Else a place that is not there is away.

        Raises:
          errors.Error: nothing can be published there.
        """

    def versions(self, job: str) -> Sequence[Version]:
        """Returns the versions that a job published here and nobody removed, the oldest first.

        Raises:
          OSError: the place is away.
        """

    def publish(
        self,
        export: str,
        publication: Publication,
        is_first: bool,
        model_dir: str | None = None,
    ) -> Version:
        """Publishes a version: it appears whole or not at all. One of the same checkpoint stays.

        It can be called again after it was killed, at any point.

        Args:
          export: the folder with what to publish, which stays as it is.
          publication: what is said of it.
          is_first: see `check`.
          model_dir: the model folder, for what is told of the version; None where it is not known.

        Returns:
          The version, or the one that was there.

        Raises:
          OSError: the place is away, or full.
          errors.ExportError: something else is in the way.
        """

    def tidy(self) -> None:
        """Removes what killed processes left here, of which no reader sees anything.

        Raises:
          OSError: that failed.
        """

    def remove(self, version: Version) -> None:
        """Removes a version so that nobody finds a part of it.

        Raises:
          OSError: that failed.
        """
