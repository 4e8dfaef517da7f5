"""Announcing in a database transaction: the event is in the outbox when, and only when, that is committed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, scoped_session, sessionmaker

from oyez.producers import Announcer, MemoryBroker, NotAnnounced, outbox
from oyez.schemas import decode
from producers.shop import OrderPaid, PageViewed, Ticked, known, memory_announcer
from support.tables import knowing_the_tables


class Base(DeclarativeBase):
    """What the application has."""


class Thing(Base):
    """A table of the application's."""

    __tablename__ = "things"
    name: Mapped[str] = mapped_column(primary_key=True)


@pytest.fixture
def bare(database: str) -> Iterator[Engine]:
    engine = create_engine(database)
    yield engine
    engine.dispose()


@pytest.fixture
def engine(bare: Engine) -> Engine:
    outbox.table.metadata.create_all(knowing_the_tables(bare))
    return bare


@pytest.fixture
def announcing() -> Iterator[tuple[Announcer, MemoryBroker]]:
    announcer, broker = memory_announcer(clock=lambda: 1_714_558_830_000_000_000)
    yield announcer, broker
    announcer.close()


def rows(engine: Engine) -> list[Any]:
    with knowing_the_tables(engine).connect() as db:
        return list(db.execute(select(outbox.table).order_by(outbox.table.c.id)))


@pytest.mark.parametrize("kind", [Session, Connection, scoped_session])
def test_it_is_written_in_the_callers_transaction(
    engine: Engine, announcing: tuple[Announcer, MemoryBroker], kind: type
) -> None:
    announcer, broker = announcing
    with engine.connect() as db:
        given: Any = db
        if kind is not Connection:
            made = sessionmaker(bind=db, join_transaction_mode="rollback_only")
            given = scoped_session(made) if kind is scoped_session else made()
        said = announcer.announce(PageViewed(session_id="s1", url="/é"), db=given)
        announcer.announce(OrderPaid(order_id=7), db=given)
        announcer.announce(Ticked(), db=given)
        assert rows(engine) == [], "before the commit nobody sees it"
        db.commit()
    found = rows(engine)
    assert [(row.topic, row.key, row.announced_at) for row in found] == [
        ("oyez.events", "s1", 1_714_558_830.0),
        ("orders", "7", 1_714_558_830.0),
        ("oyez.events", None, 1_714_558_830.0),
    ]
    event = decode(found[0].value, (), None, known)
    assert (event.id, event.source, event.data) == (said, "web-1", PageViewed(session_id="s1", url="/é"))
    assert (broker.end("oyez.events", 0), announcer.announced) == (0, 3)


def test_what_is_rolled_back_was_never_announced(
    engine: Engine, announcing: tuple[Announcer, MemoryBroker]
) -> None:
    announcer, broker = announcing
    with Session(engine) as db:
        announcer.announce(Ticked(), db=db)
        with db.begin_nested() as part:
            announcer.announce(Ticked(), db=db)
            part.rollback()
        db.commit()
        announcer.announce(Ticked(), db=db)
        db.rollback()
    assert len(rows(engine)) == 1
    assert broker.end("oyez.events", 0) == 0


def test_no_number_is_given_twice(engine: Engine, announcing: tuple[Announcer, MemoryBroker]) -> None:
    """Who has read a row deletes it by its number: it must not be another row by then."""
    announcer, _ = announcing
    for n in (1, 2):
        with engine.begin() as db:
            announcer.announce(Ticked(), db=db)
        assert [row.id for row in rows(engine)] == [n]
        with engine.begin() as db:
            db.execute(text("DELETE FROM oyez_outbox"))


def test_without_the_table_one_line_says_what_to_do(
    bare: Engine, announcing: tuple[Announcer, MemoryBroker]
) -> None:
    announcer, _ = announcing
    with bare.connect() as db, pytest.raises(NotAnnounced) as caught:
        announcer.announce(Ticked(), db=db)
    said = str(caught.value)
    usual = {"sqlite": "main", "postgresql": "public"}[bare.dialect.name]
    assert (
        f"has no table {usual}.oyez_outbox; set OYEZ_DATABASE to this database and run: oyez db upgrade"
        in said
    )
    assert ("OYEZ_SCHEMA" in said) == (bare.dialect.name == "postgresql"), "the other one has no schemas"
    assert "\n" not in said
    assert bare.url.password is None or bare.url.password not in said


def test_another_error_of_the_database_is_one_line(
    engine: Engine, announcing: tuple[Announcer, MemoryBroker]
) -> None:
    announcer, _ = announcing
    with engine.begin() as db:
        db.execute(text("DROP TABLE oyez_outbox"))
        db.execute(text("CREATE TABLE oyez_outbox (id INTEGER PRIMARY KEY)"))
    with (
        engine.connect() as db,
        pytest.raises(NotAnnounced, match="the database did not take it: ") as caught,
    ):
        announcer.announce(Ticked(), db=db)
    assert "\n" not in str(caught.value)


def test_a_session_that_failed_before_is_one_line(
    engine: Engine, announcing: tuple[Announcer, MemoryBroker]
) -> None:
    announcer, _ = announcing
    with Session(engine) as db:
        db.add(Thing(name="a"))
        with pytest.raises(SQLAlchemyError):
            db.flush()
        with pytest.raises(NotAnnounced, match=r"the database did not take it: .*rolled back") as caught:
            announcer.announce(Ticked(), db=db)
        assert "\n" not in str(caught.value)
        db.rollback()
        announcer.announce(Ticked(), db=db)
        db.commit()
    assert len(rows(engine)) == 1


def test_a_session_that_has_no_database_of_its_own_is_one_line(
    engine: Engine, announcing: tuple[Announcer, MemoryBroker]
) -> None:
    announcer, _ = announcing
    with Session(binds={Thing: engine}) as db:
        with pytest.raises(NotAnnounced, match=r"pass the connection .*db=session.connection") as caught:
            announcer.announce(Ticked(), db=db)
        assert "\n" not in str(caught.value)
        announcer.announce(Ticked(), db=db.connection(bind_arguments={"mapper": Thing}))
        db.commit()
    assert len(rows(engine)) == 1


@pytest.mark.parametrize(
    "url", ["sqlite:////nowhere/at/all.db", "postgresql+psycopg://u:secret@127.0.0.1:1/none"]
)
def test_a_database_that_cannot_be_reached_is_one_line(
    announcing: tuple[Announcer, MemoryBroker], url: str
) -> None:
    announcer, _ = announcing
    with (
        Session(create_engine(url)) as db,
        pytest.raises(NotAnnounced, match="the database did not") as caught,
    ):
        announcer.announce(Ticked(), db=db)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_what_is_no_database_is_refused(engine: Engine, announcing: tuple[Announcer, MemoryBroker]) -> None:
    announcer, broker = announcing
    with pytest.raises(NotAnnounced, match=r"db= must be a SQLAlchemy Session or Connection.* not Engine"):
        announcer.announce(Ticked(), db=engine)  # type: ignore[arg-type] # that is what is tested
    assert broker.end("oyez.events", 0) == 0
