"""A prerequisite that never comes, or is dead itself."""

from __future__ import annotations

from integration.rows.conftest import Place
from integration.rows.till import Opened, Viewed
from support.waiting import eventually


def test_never_met_is_a_dead_letter_that_is_revived_when_it_is_met_after_all(stand: Place) -> None:
    till = stand(max_age=1, sweep_every=0.2)
    listening = till.listen("rows.viewed", "rows.opened")
    (event,) = till.announce(Viewed(k="k", s="late", n=1))
    eventually(lambda: till.rows("dead", "reason"), 60)
    assert till.rows("dead", "reason")[0].startswith("never met")
    ((part,),) = [one["parts"] for one in till.json("explain", event)]
    assert (part["state"], part["waits_for"]["subject"]) == ("dead", "late")

    till.announce(Opened(s="late"))
    till.until_handled([1], "view")
    assert till.rows("dead", "id") == till.rows("parked", "id") == []
    assert listening.stop() == 0


def test_that_it_is_dead_itself_is_explained(stand: Place) -> None:
    till = stand()
    listening = till.listen("rows.viewed", "rows.opened")
    event, prerequisite = till.announce(Viewed(k="k", s="s", n=1), Opened(s="s", asks="reject"))
    eventually(lambda: till.rows("dead", "id") and till.rows("parked", "id"), 60)
    ((part,),) = [one["parts"] for one in till.json("explain", event)]
    assert part["state"] == "waiting"
    (found,) = part["waits_for"]["in_the_way"]
    assert (found["event_id"], found["state"]) == (prerequisite, "dead")
    till.json("dead", "discard", "--handler", "open_up", "--yes")
    till.until_handled([1], "view")
    assert listening.stop() == 0
