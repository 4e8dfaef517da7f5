"""What a handler writes for each event is sent together, and nobody can tell but by the clock."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from hypothesis import given
from sqlalchemy import (
    JSON,
    Column,
    Connection,
    CursorResult,
    Engine,
    Integer,
    MetaData,
    Table,
    TypeDecorator,
    bindparam,
    event,
    insert,
    select,
    text,
)
from sqlalchemy.exc import IntegrityError, ResourceClosedError

from consumers.database.deferring_programs import (
    Doing,
    Step,
    counting,
    moving,
    once,
    played,
    programs,
    row,
    tables,
    with_a_constant,
    with_text,
    with_values,
)
from oyez.consumers.core.tool_context import ToolContext
from oyez.consumers.database import make_engine
from oyez.consumers.database.engine import Database
from oyez.consumers.database.session import HandlerSession
from oyez.producers import Settings
from oyez.schemas import catalogue

MANY = 20


@pytest.fixture
def engine(pipeline_database: str) -> Iterator[Engine]:
    engine = make_engine(pipeline_database)
    tables.create_all(engine)
    yield engine
    tables.drop_all(engine)
    engine.dispose()


@contextmanager
def deferring(engine: Engine) -> Iterator[HandlerSession]:
    """A session of a handler that is called for each event; its transaction is rolled back."""
    with suppress(_Enough), Database(engine).handling() as db:
        session = HandlerSession(db, "rollback_only", ToolContext("shop", Settings(), catalogue, lambda: 0.0))
        with db.deferring():
            yield session
        session.settle()
        session.discard()
        raise _Enough


class _Enough(Exception):
    """The end of what is looked at."""


@contextmanager
def statements(engine: Engine) -> Iterator[list[tuple[str, bool]]]:
    """What is sent in the block: each statement, and whether it is sent with many sets of parameters."""
    sent: list[tuple[str, bool]] = []

    def note(_db: Any, _cursor: Any, statement: str, _parameters: Any, _context: Any, many: bool) -> None:
        sent.append((statement, many))

    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize("kind", ["session", "connection"])
def test_nothing_comes_out_otherwise(kind: str, engine: Engine) -> None:
    @given(programs)
    def check(program: Sequence[tuple[Step, int]]) -> None:
        with deferring(engine) as session:
            found = played(session if kind == "session" else session.joined, program)
        with engine.connect() as plain, plain.begin() as transaction:
            expected = played(plain, program)
            transaction.rollback()
        assert found == expected

    check()


@pytest.mark.parametrize("step", [with_text, with_a_constant, with_values, moving])
def test_what_is_alike_is_sent_at_once(step: Step, engine: Engine) -> None:
    with statements(engine) as sent, deferring(engine) as session:
        for n in range(MANY):
            step(session, n)
    ours = [many for statement, many in sent if "deferred_row" in statement]
    assert ours in (
        [True],
        [False, True],
    )  # what is not known to be the same each time is sent once by itself


def test_statements_in_turns_are_left_alone(engine: Engine) -> None:
    """Keeping them would save nothing."""
    with statements(engine) as sent, deferring(engine) as session:
        for n in range(MANY):
            with_text(session, n)
            moving(session, n)
        session.joined.send()
        del sent[:]
        with_text(session, 0)
        assert len(sent) == 1


def test_a_result_that_is_held_has_been_waited_for(engine: Engine) -> None:
    with deferring(engine) as session:
        session.execute(row.insert(), {"n": 1})
        held = [session.execute(text("UPDATE deferred_row SET n = :n"), {"n": n}) for n in range(3)]
        assert counting(session, 0) == (1, 2)
        assert [one.rowcount for one in held] == [1, 1, 1]
        assert not held[0].returns_rows


def test_a_result_of_what_was_never_sent_says_so(engine: Engine) -> None:
    held: list[CursorResult[Any]] = []

    def fails() -> None:
        with deferring(engine) as session:
            for n in (1, 1, 2):
                held.append(session.joined.execute(insert(once), {"n": n}))

    with pytest.raises(IntegrityError):
        fails()
    with pytest.raises(ResourceClosedError, match="not sent"):
        _ = held[-1].rowcount


def test_whoever_takes_the_drivers_connection_sees_everything(engine: Engine) -> None:
    with deferring(engine) as session:
        with_text(session, 1)
        with_text(session, 2)
        cursor = session.connection().connection.cursor()
        cursor.execute("SELECT count(*) FROM deferred_row")
        assert cursor.fetchone()[0] == 2
        with_text(session, 3)
        assert session.connection().exec_driver_sql("SELECT count(*) FROM deferred_row").scalar() == 3


def test_what_python_makes_is_made_while_the_handler_has_its_event(engine: Engine) -> None:
    in_hand: list[int] = []
    made = Table("deferred_row", MetaData(), Column("seq", Integer, primary_key=True))
    made.append_column(Column("n", Integer, default=lambda: in_hand[-1]))
    with deferring(engine) as session:
        for n in range(3):
            in_hand.append(n)
            session.execute(insert(made), {"seq": n + 100})
        assert session.execute(select(made.c.n).order_by(made.c.n)).scalars().all() == [0, 1, 2]


def test_where_the_tables_are_looked_for_is_decided_when_it_is_written(engine: Engine) -> None:
    """What a handler sets for its later statements is not for its earlier ones."""
    with deferring(engine) as session:
        with_a_constant(session, 1)
        session.joined.execution_options(schema_translate_map={None: "nowhere"})
        session.joined.send()
        session.joined.execution_options(schema_translate_map=None)
        assert counting(session, 0) == (1, 1)


def test_what_a_listener_executes_is_sent_at_once_and_all_of_it(engine: Engine) -> None:
    @event.listens_for(engine, "after_cursor_execute")
    def audit(db: Connection, _cursor: Any, statement: str, given: Any, _context: Any, many: bool) -> None:
        if "INTO deferred_row" in statement:
            for one in given if many else [given]:
                (n,) = one.values() if isinstance(one, dict) else one
                db.execute(insert(once), {"n": n})

    def ask(session: Doing) -> list[int]:
        return sorted(session.execute(select(once.c.n)).scalars())

    with deferring(engine) as session:
        for n in range(MANY):
            session.execute(text("INSERT INTO deferred_row (n) VALUES (:n)"), {"n": n})
            session.execute(text("DELETE FROM deferred_row WHERE n = :n"), {"n": n})
        assert ask(session) == list(range(MANY))


def test_a_listener_that_adds_what_is_in_hand_does_so_event_by_event(engine: Engine) -> None:
    in_hand: list[int] = []

    @event.listens_for(engine, "before_execute", retval=True)
    def add(_db: Any, statement: Any, many: Any, given: Any, _options: Any) -> Any:
        return statement, many, {**given, "n": in_hand[-1]} if "n" in given else given

    with deferring(engine) as session:
        for n in range(MANY):
            in_hand.append(n)
            session.execute(insert(row), {"n": -1})
        assert session.execute(select(row.c.n).order_by(row.c.n)).scalars().all() == in_hand


def test_a_type_that_adds_what_is_in_hand_does_so_event_by_event(engine: Engine) -> None:
    in_hand: list[int] = []

    class Added(TypeDecorator[int]):
        impl = Integer
        cache_ok = True

        def process_bind_param(self, _value: Any, _dialect: Any) -> int:
            return in_hand[-1]

    typed = Table("deferred_row", MetaData(), Column("seq", Integer, primary_key=True), Column("n", Added))
    with deferring(engine) as session:
        for n in range(MANY):
            in_hand.append(n)
            session.execute(insert(typed), {"n": -1})
        assert session.execute(select(row.c.n).order_by(row.c.n)).scalars().all() == in_hand


@pytest.mark.parametrize("held", ["callable", "value"])
def test_a_constant_that_holds_what_changes_is_sent_event_by_event(held: str, engine: Engine) -> None:
    in_hand = [0]
    said = Table("deferred_row", MetaData(), Column("n", Integer), Column("said", JSON))
    own = (
        bindparam("own", callable_=lambda: in_hand[0])
        if held == "callable"
        else bindparam("own", in_hand, JSON)
    )
    constant = insert(said).values(said=own)
    with deferring(engine) as session:
        for n in range(MANY):
            in_hand[0] = n
            session.execute(constant, {"n": n})
        found = session.execute(text("SELECT said FROM deferred_row ORDER BY n")).scalars().all()
    assert list(map(json.loads, found)) == [n if held == "callable" else [n] for n in range(MANY)]


def test_an_error_that_another_statement_meets_is_not_forgotten(engine: Engine) -> None:
    """Whoever catches it has not made it."""

    def fails() -> None:
        with deferring(engine) as session:
            for n in (1, 1, 2):
                session.execute(insert(once), {"n": n})
            with suppress(IntegrityError):
                session.connection()
                session.execute(select(once.c.n))

    with pytest.raises(IntegrityError):
        fails()


def test_a_result_that_outlives_its_call_sends_nothing(engine: Engine) -> None:
    held: list[CursorResult[Any]] = []

    def fails() -> None:
        with deferring(engine) as session:
            held.append(session.joined.execute(insert(row), {"n": 1}))
            raise ValueError("the handler's")

    with pytest.raises(ValueError, match="the handler's"):
        fails()
    with deferring(engine) as session:
        with pytest.raises(ResourceClosedError, match="not sent"):
            _ = held[0].rowcount
        assert counting(session, 0) == (0, 0)


def test_few_are_kept_at_once(engine: Engine) -> None:
    with statements(engine) as sent, deferring(engine) as session:
        for n in range(1_200):
            with_text(session, n)
        assert len([one for one, _ in sent if "deferred_row" in one]) == 2
