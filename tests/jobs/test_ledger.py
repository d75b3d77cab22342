"""What the journal says was published."""

from __future__ import annotations

import dataclasses

import pytest

from hub_estimator import errors
from hub_estimator.jobs.destinations.destination import Publication
from hub_estimator.jobs.ledger import ledgers

ABOUT = Publication("a", 3, "x", 1000.0, {"loss": None})


def event(name, job="a", **more):
    return {"time": "", "job": job, "event": name, **more}


def published(place, then=False):
    about = dataclasses.asdict(ABOUT)
    return event("published", place=place, path=f"{place}/1", publication=about, then=then)


def test_what_is_published_where():
    begun = [event("publishing", place=place, sha256="x") for place in ("/p", "/q")]
    found = ledgers([*begun, published("/p"), event("failed", "b", error="no")])
    ledger = found["a"]
    assert ledger.has("/p", "x") and not ledger.has("/q", "x") and not ledger.has("/p", "y")
    assert ledger.begun == {"/p": set(), "/q": {"x"}} and ledger.pending == {}
    assert ledger.last_publication == ABOUT and ledger.last["path"] == "/p/1"
    assert ledger.total == 1 and found["b"].last_publication is None


def test_after_what_the_command_is_still_to_run():
    events = [published("/p", then=True), published("/q", then=True)]
    assert ledgers(events)["a"].pending == {"/p": "/p/1", "/q": "/q/1"}
    assert ledgers([*events, event("then", paths=[])])["a"].pending == {}


@pytest.mark.parametrize(
    "damaged",
    [
        event("publishing"),
        event("published", place="/p", path="/p/1", publication={"step": 1}, then=False),
        event("published", place="/p", path="/p/1", publication=5, then=False),
        event("held_back"),
    ],
    ids=["no place", "half a publication", "no publication", "no reason"],
)
def test_an_event_that_nobody_wrote(damaged):
    with pytest.raises(errors.DataFileError) as caught:
        ledgers([published("/p"), damaged])
    assert str(caught.value).startswith("The journal has an event that nobody wrote so: {'time': ")
    assert str(caught.value).endswith(
        ". Remove its line; of what it said, the versions themselves tell most."
    )
