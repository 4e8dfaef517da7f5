"""Inline in a transaction of the announcer's own: what is announced is done with it, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Session, scoped_session, sessionmaker

from consumers.inline.inline_pipeline import Closed, Inline, Make, Seen, chain
from consumers.pipeline import Opened, Placed, effects, note, one_line
from oyez.consumers import Handlers
from oyez.consumers.database import make_engine
from oyez.producers import NotAnnounced


class Base(DeclarativeBase):
    pass


class Row(Base):
    __table__ = effects


Opening = Callable[[Engine], Any]


def a_session(engine: Engine) -> Any:
    return Session(engine)


def a_connection(engine: Engine) -> Any:
    return engine.connect()


def a_scoped_session(engine: Engine) -> Any:
    return scoped_session(sessionmaker(engine))


OPENINGS = [a_session, a_connection, a_scoped_session]


@pytest.mark.parametrize("opening", OPENINGS)
@pytest.mark.parametrize("first", ["nothing", "read", "write"])
def test_in_the_callers_transaction(opening: Opening, first: str, inline: Make) -> None:
    pipeline = inline(chain())
    theirs = make_engine(pipeline.url)

    def begin(db: Any) -> None:
        if first == "read":
            db.execute(text("SELECT count(*) FROM effect")).scalar()
        if first == "write":
            note(db, "theirs", 0)

    def announce(db: Any) -> None:
        for event in (Closed(n=3), Seen(n=2), Opened(n=1), Placed(n=4)):
            pipeline.announcer.announce(event, db=db)

    db = opening(theirs)
    begin(db)
    announce(db)
    assert [n for n in db.execute(effects.select()).scalars("n") if n] == [1, 2, 3, 4]
    db.rollback()
    assert pipeline.effects() == []
    assert pipeline.rows("inbox") == pipeline.rows("prerequisite") == []
    assert pipeline.is_clean()

    begin(db)
    announce(db)
    db.commit()
    db.close()
    assert [n for n in pipeline.effects() if n] == [1, 2, 3, 4]
    assert len(pipeline.rows("inbox")) == 4
    assert pipeline.is_clean()
    theirs.dispose()


@pytest.mark.parametrize("group", [None, "visits"])
def test_what_was_rolled_back_is_not_met(group: str | None, inline: Make) -> None:
    pipeline = inline(chain(group))
    with Session(pipeline.engine) as db:
        pipeline.announcer.announce(Seen(n=2), db=db)
        pipeline.announcer.announce(Opened(n=1), db=db)
        pipeline.announcer.announce(Closed(n=3), db=db)
        db.rollback()
    pipeline.announcer.announce(Seen(n=2))
    assert pipeline.effects() == []
    assert pipeline.rows("parked", "wait_signal") == ["opened"]
    pipeline.announcer.announce(Closed(n=3))
    pipeline.announcer.announce(Opened(n=1))
    assert pipeline.effects() == [1, 2, 3]


def test_the_callers_objects_are_flushed_first(inline: Make) -> None:
    seen: list[int] = []
    on = Handlers("shop")

    @on(Placed)
    def looking(event: Placed, db: Connection) -> None:
        seen.extend(db.execute(effects.select()).scalars("n"))

    pipeline = inline(on)
    with Session(pipeline.engine) as db:
        row = Row(handler="theirs", n=5)
        db.add(row)
        pipeline.announcer.announce(Placed(), db=db)
        assert seen == [5]
        row.n = 6
        db.commit()
    assert pipeline.effects() == [6]


@pytest.mark.parametrize("opening", OPENINGS)
def test_a_failing_handler_leaves_the_callers_transaction_alone(opening: Opening, inline: Make) -> None:
    ends: dict[int, Callable[[Any], Any]] = {
        1: lambda db: db.commit(),
        2: lambda db: db.rollback(),
        3: lambda db: db.close(),
        4: lambda db: db.execute(text("COMMIT")),
        5: lambda db: db.execute(text("SELECT no_such_column")),
        6: lambda db: db.execute(effects.insert(), {"handler": None, "n": 1}),
        7: lambda db: db.get_transaction().rollback(),
        8: lambda db: db.begin_nested(),
    }
    on = Handlers("shop")

    @on(Placed, order="none")
    def by_connection(event: Placed, db: Connection) -> None:
        note(db, "by_connection", event.n)
        if event.n in ends:
            ends[event.n](db)

    @on(Placed, order="none")
    def by_session(event: Placed, db: Session) -> None:
        note(db, "by_session", event.n)
        if event.n in ends and event.n != 1:
            ends[event.n](db)

    pipeline = inline(on)
    theirs = make_engine(pipeline.url)
    db = opening(theirs)
    note(db, "theirs", 100)
    for n in range(10):
        pipeline.announcer.announce(Placed(n=n), db=db)
    note(db, "theirs", 101)
    assert pipeline.effects() == []
    db.commit()
    db.close()
    theirs.dispose()
    assert pipeline.effects("theirs") == [100, 101]
    assert pipeline.effects("by_connection") == [0, 9]
    assert pipeline.effects("by_session") == [0, 1, 9]
    errors = {n: error for name, n, error in pipeline.parked() if name == "by_connection"}
    assert sorted(errors) == list(range(1, 9))
    assert all("HandlerMisuse" in errors[n] for n in (1, 2, 3, 4, 7, 8))


def test_an_event_that_is_refused_leaves_the_callers_transaction_alone(inline: Make) -> None:
    pipeline = inline(chain())
    with pipeline.engine.begin() as db:
        db.execute(text("ALTER TABLE oyez_inbox RENAME TO hidden"))
    try:
        with Session(pipeline.engine) as db:
            note(db, "theirs", 100)
            with pytest.raises(NotAnnounced) as caught:
                pipeline.announcer.announce(Placed(n=3), db=db)
            one_line(caught.value, "placed was not announced", "oyez_inbox")
            assert caught.value.event.data == Placed(n=3)
            note(db, "theirs", 101)
            db.commit()
    finally:
        with pipeline.engine.begin() as db:
            db.execute(text("ALTER TABLE hidden RENAME TO oyez_inbox"))
    assert pipeline.effects() == [100, 101]


def test_their_own_flush_error_is_their_own(inline: Make) -> None:
    pipeline = inline(chain())
    with Session(pipeline.engine) as db:
        db.add(Row(handler=None, n=1))
        with pytest.raises(IntegrityError):
            pipeline.announcer.announce(Placed(), db=db)


def test_engines_of_the_callers_own(pipeline_postgres: str) -> None:
    engine = create_engine(pipeline_postgres, isolation_level="SERIALIZABLE")
    pipeline = Inline(pipeline_postgres, chain(), engine=engine)
    pipeline.announcer.announce(Placed(n=1))
    with Session(engine) as db:
        pipeline.announcer.announce(Placed(n=2), db=db)
        db.commit()
    assert pipeline.effects() == [1, 2]
    pipeline.close()
