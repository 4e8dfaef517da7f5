"""What is left of handlers that the application does not have any more is listed as such."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import insert, update

from consumers.admin.cafe_commands import Cafe
from oyez.consumers.database.tables import dead, handler, parked
from oyez.consumers.reports import states
from oyez.consumers.reports.parked_counts import Parked


def left_by(cafe: Cafe, name: str, group: str | None = None) -> None:
    """A delivery of a handler that was there an hour ago; the others are there now."""
    cafe.module.broken.add("price")
    cafe.handle(cafe.module.Ordered(table="t", n=0))
    now = time.time()
    seen = {name: now - 3_600.0, "seat": now, "serve": now, "thank": now}
    rows = [
        {"app": "cafe", "handler": one, "group_name": "cafe.cafe.ordered", "seen_at": at}
        for one, at in seen.items()
    ]
    with cafe.pipeline.engine.begin() as db:
        db.execute(handler.delete())
        db.execute(insert(handler), rows)
        db.execute(update(parked).values(handler=name))
        if group is not None:
            db.execute(update(parked).values(group_name=group))


def test_a_delivery_of_an_unregistered_handler(cafe: Cafe) -> None:
    left_by(cafe, "old")
    assert [(row["handler"], row["unregistered"]) for row in cafe.json("retry", "list")] == [("old", True)]
    assert "old (unregistered)" in cafe.call("retry", "list").stdout
    states = cafe.json("status", "--no-lag")
    assert {state["group"]: state["unregistered"] for state in states}["cafe.cafe.ordered"] == 1


def test_a_delivery_of_a_handler_that_is_there(cafe: Cafe) -> None:
    left_by(cafe, "serve")
    assert [(row["handler"], row["unregistered"]) for row in cafe.json("retry", "list")] == [("serve", False)]
    assert {state["unregistered"] for state in cafe.json("status", "--no-lag")} == {0}


def test_an_unregistered_group(cafe: Cafe) -> None:
    left_by(cafe, "old", group="cafe.lost")
    (lost,) = [state for state in cafe.json("status", "--no-lag") if state["group"] == "cafe.lost"]
    assert (lost["promise"], lost["unregistered"]) == ("unregistered", 1)
    assert "cafe.lost" in cafe.call("status", "--no-lag").stdout


def test_what_a_group_has_under_a_name_that_no_code_has_yet(cafe: Cafe) -> None:
    """As after `oyez group rename`, before the code with the new name is deployed: its handlers are all known."""
    left_by(cafe, "serve", group="cafe.renamed")
    (renamed,) = [state for state in cafe.json("status", "--no-lag") if state["group"] == "cafe.renamed"]
    assert (renamed["promise"], renamed["parked"]["due"], renamed["unregistered"]) == ("unregistered", 1, 0)
    assert renamed["oldest_wait"] > 0


def test_dead_letters_alone_of_a_group_that_is_gone(cafe: Cafe) -> None:
    cafe.module.broken.add("price")
    cafe.handle(cafe.module.Ordered(table="t", n=0))
    cafe.all_die()
    died = len(cafe.json("dead", "list"))
    assert died
    with cafe.pipeline.engine.begin() as db:
        db.execute(update(dead).values(group_name="cafe.lost"))
    (lost,) = [state for state in cafe.json("status", "--no-lag") if state["group"] == "cafe.lost"]
    assert (lost["promise"], lost["dead"], lost["oldest_wait"]) == ("unregistered", died, None)


def test_what_another_application_has_is_its_own(cafe: Cafe) -> None:
    left_by(cafe, "old", group="cafe.lost")
    with cafe.pipeline.engine.begin() as db:
        db.execute(update(parked).values(app="another"))
    assert "cafe.lost" not in {state["group"] for state in cafe.json("status", "--no-lag")}


def test_an_explanation_tells_of_the_groups_that_it_asks_for(cafe: Cafe) -> None:
    left_by(cafe, "serve", group="cafe.renamed")
    (unknown,) = cafe.json("explain", "no-such-event", "--no-lag", code=4)
    assert "cafe.renamed" not in {state["group"] for state in unknown["groups"]}


def test_rows_that_go_while_they_are_counted(cafe: Cafe, monkeypatch: pytest.MonkeyPatch) -> None:
    left_by(cafe, "old", group="cafe.lost")

    def gone(*_: object) -> dict[str, Parked]:
        return {}

    monkeypatch.setattr(states, "parked_of", gone)
    (lost,) = [state for state in cafe.json("status", "--no-lag") if state["group"] == "cafe.lost"]
    assert (lost["unregistered"], lost["parked"]["due"]) == (1, 0)
