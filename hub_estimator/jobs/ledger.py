"""What the journal says was published: by job, by place, by checkpoint."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from hub_estimator import errors, texts
from hub_estimator.jobs.destinations.destination import Publication
from hub_estimator.jobs.journal import Event


@dataclasses.dataclass
class Ledger:
    """What a job published. One thread takes events, while others may read.

    Attributes:
      total: how many versions, at all places together.
      published: the checkpoints, by place.
      begun: those that were about to be published, and of which nothing else is known.
      last: the last one, with its name, path and step.
      held_back: which candidate was held back last, and why.
      pending: the paths of versions after which the command is still to run, by place.
    """

    total: int = 0
    published: dict[str, set[str]] = dataclasses.field(default_factory=dict)
    begun: dict[str, set[str]] = dataclasses.field(default_factory=dict)
    last: Event | None = None
    held_back: tuple[str, tuple[str, ...]] | None = None
    pending: dict[str, str] = dataclasses.field(default_factory=dict)

    def has(self, place: str, sha256: str) -> bool:
        """Whether a checkpoint was published at a place, even where it was removed since."""
        return sha256 in self.published.get(place, ())

    @property
    def last_publication(self) -> Publication | None:
        """What was said of the last version."""
        return None if self.last is None else Publication.parse(self.last["publication"])

    def take(self, event: Event) -> None:
        """Takes an event of the job into account."""
        if event["event"] == "publishing":
            self.begun.setdefault(event["place"], set()).add(event["sha256"])
        elif event["event"] == "published":
            sha256 = event["publication"]["sha256"]
            self.begun.get(event["place"], set()).discard(sha256)
            self.published.setdefault(event["place"], set()).add(sha256)
            Publication.parse(event["publication"])
            self.last = event
            self.total += 1
            if event["then"]:
                self.pending[event["place"]] = event["path"]
        elif event["event"] == "held_back":
            self.held_back = event["key"], tuple(event["objections"])
        elif event["event"] == "then":
            self.pending.clear()


def ledgers(events: Iterable[Event]) -> dict[str, Ledger]:
    """Returns what each job published, by its name.

    Raises:
      errors.DataFileError: an event lacks what such events say.
    """
    found: dict[str, Ledger] = {}
    for event in events:
        try:
            found.setdefault(event["job"], Ledger()).take(event)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise errors.DataFileError(
                f"The journal has an event that nobody wrote so: {texts.shown(dict(event))}. Remove "
                "its line; of what it said, the versions themselves tell most."
            ) from error
    return found
