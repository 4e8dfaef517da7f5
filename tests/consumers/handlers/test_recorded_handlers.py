"""Which group each handler is in, kept in the database, and the renaming of groups."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from consumers.pipeline import Opened, Pipeline, Placed, Play, Viewed, known, note, one_line, placed
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


def record(pipeline: Pipeline, application: Application | None = None) -> None:
    application = application or pipeline.application
    Database(pipeline.engine).repeat(lambda db: register(db, application, 0.0))


def rename(pipeline: Pipeline, old: str, new: str) -> int:
    return Database(pipeline.engine).repeat(lambda db: rename_group(db, "shop", old, new))


def test_handlers_are_recorded_once(play: Play) -> None:
    pipeline = play(shop())
    record(pipeline)
    record(pipeline)
    assert pipeline.rows("handler", "app", "handler", "group_name") == [
        ("shop", "opened", "shop.opened"),
        ("shop", "place", "shop.placed"),
        ("shop", "view", "shop.viewed"),
    ]


def test_another_application_is_another(play: Play) -> None:
    pipeline = play(shop())
    record(pipeline)
    other = Handlers("bar")

    @other(Placed)
    def place(event: Placed) -> None: ...

    record(pipeline, Application(other, known))
    assert ("bar", "place", "bar.placed") in pipeline.rows("handler", "app", "handler", "group_name")


def test_two_that_start_at_the_same_time(pipeline_postgres: str) -> None:
    pipeline = Pipeline(pipeline_postgres, shop())
    thread = threading.Thread(target=record, args=[pipeline])
    with Database(pipeline.engine).transaction() as first:
        register(first, pipeline.application, 0.0)
        thread.start()
        eventually(lambda: waiting(pipeline))
    thread.join(60)
    assert not thread.is_alive()
    assert len(pipeline.rows("handler", "app", "handler", "group_name")) == 3
    pipeline.close()


def waiting(pipeline: Pipeline) -> int:
    """How many of the database's sessions wait for a lock."""
    asked = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with pipeline.engine.connect() as db:
        return int(db.execute(asked).scalar_one())


def test_a_changed_group_is_refused_until_the_group_is_renamed(play: Play) -> None:
    pipeline = play(shop())
    record(pipeline)
    moved = Application(shop("visits"), known)
    with pytest.raises(StartError) as caught:
        record(pipeline, moved)
    one_line(
        caught.value,
        "place was in the group shop.placed and is in shop.visits now",
        "oyez group rename shop.placed shop.visits",
    )
    assert rename(pipeline, "shop.placed", "shop.visits") == 1
    with pytest.raises(StartError, match="view was in the group"):
        record(pipeline, moved)


def test_a_renamed_group_goes_on_where_it_was(play: Play) -> None:
    pipeline = play(shop(fails=True))
    record(pipeline)
    pipeline.handle(*placed([1, 2], key="k1"), *placed([3]), Viewed(n=4))
    assert pipeline.effects("place") == [3]
    assert [handler for handler, _, _ in pipeline.parked()] == ["place", "place", "view"]
    before = pipeline.rows("position", "position")
    pipeline.close()

    assert rename(pipeline, "shop.placed", "shop.orders") == 1
    on = Handlers("shop")

    @on(Placed, group="orders")
    def place(event: Placed, db: Session) -> None:
        note(db, "place", event.n)

    again = play(on)
    record(again)
    assert again.rows("position", "position") == before
    again.broker = pipeline.broker
    again.logs = {"shop.orders": pipeline.logs["shop.placed"]}
    again.workers = {"shop.orders": again.worker("shop.orders")}
    again.later()
    assert again.effects("place") == [3, 1, 2]
    assert [handler for handler, _, _ in again.parked()] == ["view"]
    again.broker.append("pipeline", None, b"{}")  # still read: one dead letter, under the new name
    again.run()
    assert again.rows("dead", "group_name") == ["shop.orders"]


def test_a_group_cannot_be_joined_to_another(play: Play) -> None:
    pipeline = play(shop())
    record(pipeline)
    pipeline.handle(*placed([1]), Opened())
    with pytest.raises(StartError) as caught:
        rename(pipeline, "shop.placed", "shop.opened")
    one_line(caught.value, "shop.opened has positions of its own")
    assert set(pipeline.rows("handler", "group_name")) == {
        "shop.placed",
        "shop.opened",
        "shop.viewed",
    }


def test_a_group_that_is_not_there(play: Play) -> None:
    pipeline = play(shop())
    record(pipeline)
    before = pipeline.rows("handler", "app", "handler", "group_name")
    assert rename(pipeline, "shop.plcaed", "shop.orders") == 0
    assert pipeline.rows("handler", "app", "handler", "group_name") == before


def test_only_one_applications_rows_are_renamed(play: Play) -> None:
    pipeline = play(shop())
    record(pipeline)
    row = {
        "topic_id": "t",
        "partition": 0,
        "topic": "t",
        "position": 7,
        "epoch": 1,
        "owner": "",
        "updated_at": 0.0,
    }
    with pipeline.engine.begin() as db:
        db.execute(
            insert(position), [{**row, "group_name": "bar.placed"}, {**row, "group_name": "shop.placed"}]
        )
    rename(pipeline, "shop.placed", "shop.orders")
    assert set(pipeline.rows("position", "group_name")) == {"bar.placed", "shop.orders"}
