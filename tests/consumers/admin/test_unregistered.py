"""What is left of handlers that the application does not have any more is listed as such."""

from __future__ import annotations

import time

from sqlalchemy import insert, update

from consumers.admin.cafe_commands import Cafe
from oyez.consumers.database.tables import handler, parked


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
