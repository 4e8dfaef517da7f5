"""Forgetting a key or a subject: all of it goes, nothing of others is touched, and what waits behind it is handled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select

from consumers.mail.mail_queue import rows_of
from consumers.pipeline import Opened, Pipeline, Placed, Play, Viewed, note
from oyez.consumers import Handlers, Reject
from oyez.consumers.admin.forget import Forgetting, Found
from oyez.consumers.admin.forget_spool import Removed, SpoolPlace
from oyez.consumers.database import Database, metadata, tables
from oyez.consumers.database.personal import Person
from oyez.consumers.database.tables import mail, misplaced, outbox, scheduled
from oyez.consumers.reports.personal import stored

NOTHING = SpoolPlace([], Path("/nonexistent"), written_here=False)


def shop(broken: set[int]) -> Handlers:
    on = Handlers("shop")

    @on(Placed)
    def place(event: Placed, db: Connection) -> None:
        if event.n in broken:
            raise ValueError("not yet")
        if event.n == 99:
            raise Reject("never")
        note(db, "place", event.n)

    @on(Opened)
    def open_(event: Opened, db: Connection) -> None:
        if event.n in broken:
            raise ValueError("not yet")
        note(db, "open", event.n)

    @on(Viewed)
    def view(event: Viewed, db: Connection) -> None:
        note(db, "view", event.n)

    return on


def person(pipeline: Pipeline, text: str, **said: bool) -> Person:
    return Person(text, "shop", tuple(pipeline.application.groups), **said)


def found(pipeline: Pipeline, who: Person) -> Found:
    with pipeline.engine.connect() as db:
        return Found.of(stored(db, who, []))


def forgotten(pipeline: Pipeline, text: str, **said: bool) -> dict[str, Removed]:
    who = person(pipeline, text, **said)
    database = Database(pipeline.engine)
    forgetting = Forgetting(pipeline.application, database, who, NOTHING, pipeline.clock)
    return {one.where: one for one in forgetting.run(found(pipeline, who))}


def everything(pipeline: Pipeline) -> dict[str, list[str]]:
    """All rows of all tables, as texts."""
    with pipeline.engine.connect() as db:
        return {
            table.name: sorted(repr(tuple(row)) for row in db.execute(select(table)))
            for table in metadata.sorted_tables
        }


def put(pipeline: Pipeline, table: Any, **values: object) -> None:
    with pipeline.engine.begin() as db:
        db.execute(insert(table), [values])


@pytest.fixture
def full(play: Play) -> Pipeline:
    """Two visitors, anna and bert, each of whom has something in every table."""
    pipeline = play(shop({1}), journal="all")
    for key in ("anna", "bert"):
        pipeline.handle(
            Placed(k=key, n=0),
            Placed(k=key, n=99),
            Placed(k=key, n=1),
            Placed(k=key, n=2),
            Opened(k=key, s=key),
        )
        (source, event_id) = pipeline.rows("journal", "source", "event_id")[-1]
        (row,) = rows_of([7], pipeline.clock.now, source=source, event_id=event_id, n=0, subject=f"for {key}")
        put(pipeline, mail, **row)
        said = {"specversion": "1.0", "type": "placed", "source": "w", "id": key, "partitionkey": key}
        put(
            pipeline,
            outbox,
            topic="t",
            key=key,
            value=json.dumps(said).encode(),
            announced_at=pipeline.clock.now,
        )
        put(
            pipeline,
            scheduled,
            topic="t",
            key=key,
            value=json.dumps(said | {"id": f"{key} later"}).encode(),
            signal="placed",
            source="w",
            event_id=f"{key} later",
            subject=None,
            due_at=pipeline.clock.now + 1_000_000.0,
            scheduled_at=pipeline.clock.now,
        )
    put(
        pipeline,
        misplaced,
        group_name="shop.placed",
        topic="t",
        source="w",
        count=1,
        key="anna",
        partition=0,
        belongs=1,
        advice="",
        seen_at=1.0,
    )
    return pipeline


def test_all_of_one_goes_and_nothing_of_another(full: Pipeline) -> None:
    before = everything(full)
    done = forgotten(full, "anna")
    assert {place: (one.found, one.removed) for place, one in done.items()} == {
        "scheduled": (1, 1),
        "outbox": (1, 1),
        "parked": (2, 2),
        "dead": (1, 1),
        "mail": (1, 1),
        "journal": (5, 5),
        "prerequisites": (1, 1),
        "inbox": (5, 0),
    }
    after = everything(full)
    del after["oyez_behind"]  # which keys a worker is to look at: its next sweep is done with them
    assert [row for rows in after.values() for row in rows if "anna" in row] == []
    del before["oyez_behind"]
    for table, rows in before.items():
        bert = {row for row in rows if "bert" in row}
        assert bert <= set(after[table]), table
        if table not in ("oyez_misplaced", "oyez_mail"):
            assert set(after[table]) <= set(rows), table
    assert len(after["oyez_mail"]) == 1
    full.later(100.0)
    assert "anna" not in full.rows("behind", "key")
    assert found(full, person(full, "anna")).counts == dict.fromkeys(done, 0) | dict.fromkeys(
        ("spool", "pauses"), 0
    )


def test_what_was_found_is_only_counted(full: Pipeline) -> None:
    before = everything(full)
    assert sum(found(full, person(full, "anna")).counts.values()) == 17
    assert everything(full) == before


def test_a_key_is_no_subject_where_that_is_said(full: Pipeline) -> None:
    assert found(full, person(full, "anna", is_key=False)).counts["parked"] == 0
    assert found(full, person(full, "anna", is_key=False)).counts["prerequisites"] == 1
    assert found(full, person(full, "anna", is_subject=False)).counts["prerequisites"] == 0
    assert found(full, person(full, "ann")).counts["parked"] == 0
    assert found(full, person(full, "%")).counts == found(full, person(full, "nobody")).counts


def test_what_stands_behind_it_is_handled(play: Play) -> None:
    """The head of a key is about a subject that is forgotten; what is behind it is about another one."""
    broken = {1}
    pipeline = play(shop(broken), journal="all")
    pipeline.handle(Opened(k="k", s="gone", n=1), Opened(k="k", s="stays", n=2))
    assert pipeline.effects() == []
    done = forgotten(pipeline, "gone")
    assert done["parked"].removed == 1
    pipeline.run()
    assert pipeline.effects() == [2]
    assert pipeline.is_clean()


def test_what_others_wait_for_is_kept_until_they_have_run(play: Play) -> None:
    """Another key's view waits for a session whose only event is forgotten: it is released, as by a discard."""
    pipeline = play(shop({1}), journal="all")
    pipeline.handle(Opened(k="anna", s="shared", n=1), Viewed(k="bert", s="shared", n=5))
    done = forgotten(pipeline, "shared")
    assert done["parked"].removed == 1
    assert (done["prerequisites"].removed, done["prerequisites"].is_for_now) == (0, True)
    pipeline.run()
    assert pipeline.effects("view") == [5]
    again = forgotten(pipeline, "shared")
    assert again["prerequisites"].left == 0
    assert pipeline.rows("prerequisite", "subject") == []


def test_what_somebody_waits_for_is_not_forgotten(play: Play) -> None:
    pipeline = play(shop(set()), journal="all")
    pipeline.handle(Viewed(k="bert", s="anna", n=5))
    done = forgotten(pipeline, "anna")
    assert (done["prerequisites"].found, done["prerequisites"].removed) == (1, 0)
    pipeline.handle(Opened(k="anna", s="anna"))
    assert pipeline.effects("view") == [5]


def test_what_is_in_the_hands_of_a_worker_is_left_and_said(play: Play) -> None:
    """On PostgreSQL a claim is a lock on the row. SQLite has one writer, who is waited for."""
    pipeline = play(shop({1}), journal="all")
    pipeline.handle(Placed(k="anna", n=1))
    who = person(pipeline, "anna")
    if pipeline.engine.dialect.name != "postgresql":
        return
    database = Database(pipeline.engine)
    forgetting = Forgetting(pipeline.application, database, who, NOTHING, pipeline.clock)
    forgetting._steps._timeout = 0.0
    there = found(pipeline, who)
    with pipeline.engine.begin() as worker:
        worker.exec_driver_sql("SELECT id FROM oyez_parked FOR UPDATE")
        done = {one.where: one for one in forgetting.run(there)}
    assert (done["parked"].removed, done["parked"].left, done["parked"].is_for_now) == (0, 1, True)
    assert len(pipeline.rows("parked", "id")) == 1


def viewing(broken: set[int]) -> Handlers:
    """A shop whose views may fail."""
    on = Handlers("shop")

    @on(Opened)
    def open_(event: Opened, db: Connection) -> None:
        note(db, "open", event.n)

    @on(Viewed)
    def view(event: Viewed, db: Connection) -> None:
        if event.n in broken:
            raise ValueError("not yet")
        note(db, "view", event.n)

    return on


def test_what_is_tried_again_and_what_is_behind_it_do_not_wait_for_ever(play: Play) -> None:
    """They were ready once, and are checked anew before they run: what they require stays until then."""
    broken = {5}
    pipeline = play(viewing(broken), journal="all")
    pipeline.handle(
        Opened(k="anna", s="anna"), Viewed(k="bert", s="anna", n=5), Viewed(k="bert", s="anna", n=6)
    )
    assert pipeline.rows("parked", "wait_signal") == [None, None]
    done = forgotten(pipeline, "anna")
    assert (done["prerequisites"].removed, done["prerequisites"].is_for_now) == (0, True)
    broken.clear()
    pipeline.replace("shop.viewed")  # a worker that has seen nothing met
    pipeline.later(100.0)
    assert pipeline.effects("view") == [5, 6]
    assert forgotten(pipeline, "anna")["prerequisites"].left == 0
    assert pipeline.rows("prerequisite", "subject") == []


def test_what_is_dead_is_retried_as_if_nobody_had_been_forgotten(play: Play) -> None:
    broken = {5}
    pipeline = play(viewing(broken), journal="all", max_attempts=1)
    pipeline.handle(Opened(k="anna", s="anna"), Viewed(k="bert", s="anna", n=5))
    assert len(pipeline.rows("dead", "id")) == 1
    done = forgotten(pipeline, "anna")["prerequisites"]
    assert (done.left, done.is_for_now) == (1, False)
    assert "dead letters require it" in str(done.why)
    with pipeline.engine.begin() as db:
        db.execute(tables.dead.delete())
    assert forgotten(pipeline, "anna")["prerequisites"].left == 0
