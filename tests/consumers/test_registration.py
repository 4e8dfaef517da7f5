"""Which group each handler is in, kept in the database, and the renaming of groups."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from consumers.stage import Opened, Placed, Play, Stage, Viewed, known, note, one_line, placed
from oyez.consumers import Application, Handlers, StartError
from oyez.consumers.database import Database
from oyez.consumers.database.tables import position
from oyez.consumers.handlers.recorded_handlers import register, rename_group
from support.waiting import eventually


def shop(group: str | None = None, *, fails: bool = False) -> Handlers:
    on = Handlers("shop")

    @on(Placed, group=group)
    def place(event: Placed, db: Session) -> None:
        note(db, "place", event.n)
        if fails and event.n == 1:
            raise ValueError("one")

    @on(Viewed, group=group)
    def view(event: Viewed, db: Session) -> None:
        note(db, "view", event.n)

    @on(Opened)
    def opened(event: Opened, db: Session) -> None:
        note(db, "opened", event.n)

    return on


def record(stage: Stage, application: Application | None = None) -> None:
    application = application or stage.application
    Database(stage.engine).repeat(lambda db: register(db, application, 0.0))


def rename(stage: Stage, old: str, new: str) -> int:
    return Database(stage.engine).repeat(lambda db: rename_group(db, "shop", old, new))


def test_handlers_are_recorded_once(play: Play) -> None:
    stage = play(shop())
    record(stage)
    record(stage)
    assert stage.rows("handler", "app", "handler", "group_name") == [
        ("shop", "opened", "shop.opened"),
        ("shop", "place", "shop.placed"),
        ("shop", "view", "shop.viewed"),
    ]


def test_another_application_is_another(play: Play) -> None:
    stage = play(shop())
    record(stage)
    other = Handlers("bar")

    @other(Placed)
    def place(event: Placed) -> None: ...

    record(stage, Application(other, known))
    assert ("bar", "place", "bar.placed") in stage.rows("handler", "app", "handler", "group_name")


def test_two_that_start_at_the_same_time(stage_postgres: str) -> None:
    stage = Stage(stage_postgres, shop())
    thread = threading.Thread(target=record, args=[stage])
    with Database(stage.engine).transaction() as first:
        register(first, stage.application, 0.0)
        thread.start()
        eventually(lambda: waiting(stage))
    thread.join(10)
    assert not thread.is_alive()
    assert len(stage.rows("handler", "app", "handler", "group_name")) == 3
    stage.close()


def waiting(stage: Stage) -> int:
    """How many of the database's sessions wait for a lock."""
    asked = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with stage.engine.connect() as db:
        return int(db.execute(asked).scalar_one())


def test_a_changed_group_is_refused_until_the_group_is_renamed(play: Play) -> None:
    stage = play(shop())
    record(stage)
    moved = Application(shop("visits"), known)
    with pytest.raises(StartError) as caught:
        record(stage, moved)
    one_line(
        caught.value,
        "place was in the group shop.placed and is in shop.visits now",
        "oyez group rename shop.placed shop.visits",
    )
    assert rename(stage, "shop.placed", "shop.visits") == 1
    with pytest.raises(StartError, match="view was in the group"):
        record(stage, moved)


def test_a_renamed_group_goes_on_where_it_was(play: Play) -> None:
    stage = play(shop(fails=True))
    record(stage)
    stage.handle(*placed([1, 2], key="k1"), *placed([3]), Viewed(n=4))
    assert stage.effects("place") == [3]
    assert [handler for handler, _, _ in stage.parked()] == ["place", "place", "view"]
    before = stage.rows("position", "position")
    stage.close()

    assert rename(stage, "shop.placed", "shop.orders") == 1
    on = Handlers("shop")

    @on(Placed, group="orders")
    def place(event: Placed, db: Session) -> None:
        note(db, "place", event.n)

    again = play(on)
    record(again)
    assert again.rows("position", "position") == before
    again.broker = stage.broker
    again.logs = {"shop.orders": stage.logs["shop.placed"]}
    again.workers = {"shop.orders": again.worker("shop.orders")}
    again.later()
    assert again.effects("place") == [3, 1, 2]
    assert [handler for handler, _, _ in again.parked()] == ["view"]
    again.broker.append("stage", None, b"{}")  # still read: one dead letter, under the new name
    again.run()
    assert again.rows("dead", "group_name") == ["shop.orders"]


def test_a_group_cannot_be_joined_to_another(play: Play) -> None:
    stage = play(shop())
    record(stage)
    stage.handle(*placed([1]), Opened())
    with pytest.raises(StartError) as caught:
        rename(stage, "shop.placed", "shop.opened")
    one_line(caught.value, "shop.opened has positions of its own")
    assert set(stage.rows("handler", "group_name")) == {
        "shop.placed",
        "shop.opened",
        "shop.viewed",
    }


def test_a_group_that_is_not_there(play: Play) -> None:
    stage = play(shop())
    record(stage)
    before = stage.rows("handler", "app", "handler", "group_name")
    assert rename(stage, "shop.plcaed", "shop.orders") == 0
    assert stage.rows("handler", "app", "handler", "group_name") == before


def test_only_one_applications_rows_are_renamed(play: Play) -> None:
    stage = play(shop())
    record(stage)
    row = {
        "topic_id": "t",
        "partition": 0,
        "topic": "t",
        "position": 7,
        "epoch": 1,
        "owner": "",
        "updated_at": 0.0,
    }
    with stage.engine.begin() as db:
        db.execute(
            insert(position), [{**row, "group_name": "bar.placed"}, {**row, "group_name": "shop.placed"}]
        )
    rename(stage, "shop.placed", "shop.orders")
    assert set(stage.rows("position", "group_name")) == {"bar.placed", "shop.orders"}
