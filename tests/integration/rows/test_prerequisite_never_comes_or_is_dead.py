"""A prerequisite that never comes, or is dead itself."""

from __future__ import annotations

from integration.rows.conftest import Place
from integration.rows.scripted_app import Opened, Viewed
from support.waiting import eventually


def test_never_met_is_a_dead_letter_that_is_revived_when_it_is_met_after_all(running_app: Place) -> None:
    scripted_app = running_app(max_age=1, sweep_every=0.2)
    listening = scripted_app.listen("rows.viewed", "rows.opened")
    (event,) = scripted_app.announce(Viewed(k="k", s="late", n=1))
    eventually(lambda: scripted_app.rows("dead", "reason"), 60)
    assert scripted_app.rows("dead", "reason")[0].startswith("never met")
    ((part,),) = [one["parts"] for one in scripted_app.json("explain", event)]
    assert (part["state"], part["waits_for"]["subject"]) == ("dead", "late")

    scripted_app.announce(Opened(s="late"))
    scripted_app.until_handled([1], "view")
    assert scripted_app.rows("dead", "id") == scripted_app.rows("parked", "id") == []
    assert listening.stop() == 0


def test_that_it_is_dead_itself_is_explained(running_app: Place) -> None:
    scripted_app = running_app()
    listening = scripted_app.listen("rows.viewed", "rows.opened")
    event, prerequisite = scripted_app.announce(Viewed(k="k", s="s", n=1), Opened(s="s", asks="reject"))
    eventually(lambda: scripted_app.rows("dead", "id") and scripted_app.rows("parked", "id"), 60)
    ((part,),) = [one["parts"] for one in scripted_app.json("explain", event)]
    assert part["state"] == "waiting"
    (found,) = part["waits_for"]["in_the_way"]
    assert (found["event_id"], found["state"]) == (prerequisite, "dead")
    scripted_app.json("dead", "discard", "--handler", "open_up", "--yes")
    scripted_app.until_handled([1], "view")
    assert listening.stop() == 0
