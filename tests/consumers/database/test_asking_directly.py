"""Statements that are given to the driver as they are answer, and fail, as they would through SQLAlchemy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, bindparam, func, insert, literal, select, text, update
from sqlalchemy.exc import DBAPIError, OperationalError

from consumers.pipeline import effects
from oyez.consumers.database import Database, make_engine
from oyez.consumers.database.dialects.dialect import Dialect
from oyez.consumers.database.dialects.lookup import dialect_named
from oyez.consumers.database.engine import ConnectionLost

OURS = dialect_named("postgresql")
IN_SQLALCHEMY: Any = lambda *given: Dialect.ask(OURS, *given)  # noqa: E731
BOTH = pytest.mark.parametrize("ask", [OURS.ask, IN_SQLALCHEMY], ids=["directly", "through SQLAlchemy"])


@pytest.fixture
def engine(pipeline_postgres: str) -> Iterator[Engine]:
    engine = make_engine(pipeline_postgres)
    yield engine
    engine.dispose()


@BOTH
def test_answers(engine: Engine, ask: Any) -> None:
    with engine.begin() as db:
        answer = ask(db, select(literal(1), bindparam("said")), {"said": "50 % of it"})
        assert [tuple(row) for row in answer.rows] == [(1, "50 % of it")]
        db.execute(insert(effects), [{"handler": "h", "n": n} for n in range(3)])
        changed = ask(db, update(effects).where(effects.c.n > 0).values(n=bindparam("to")), {"to": 7})
        assert (list(changed.rows), changed.changed) == ([], 2)


def locked_by_another(engine: Engine, db: Connection, ask: Any) -> None:
    with engine.begin() as other:
        other.execute(insert(effects).values(handler="h", n=1))
    with engine.begin() as other:
        other.execute(select(effects).with_for_update())
        db.execute(text("SET LOCAL lock_timeout = '20ms'"))
        ask(db, update(effects).values(n=bindparam("to")), {"to": 7})


def ended_on_the_server(engine: Engine, db: Connection, ask: Any) -> None:
    number = db.execute(select(func.pg_backend_pid())).scalar_one()
    with engine.begin() as other:
        other.execute(select(func.pg_terminate_backend(number)))
    ask(db, select(bindparam("said")), {"said": 1})


@BOTH
def test_a_conflict_is_one(engine: Engine, ask: Any) -> None:
    with pytest.raises(OperationalError) as caught, Database(engine).handling() as db:
        locked_by_another(engine, db, ask)
    assert OURS.is_conflict(caught.value)


@BOTH
def test_a_lost_connection_is_one(engine: Engine, ask: Any) -> None:
    with pytest.raises(ConnectionLost), Database(engine).handling() as db:
        ended_on_the_server(engine, db, ask)
    assert Database(engine).answers()


@BOTH
def test_a_wrong_value_is_refused(engine: Engine, ask: Any) -> None:
    with pytest.raises(DBAPIError) as caught, engine.begin() as db:
        ask(db, update(effects).values(n=bindparam("to")), {"to": "no number"})
    assert not OURS.is_conflict(caught.value)


def test_transactions_read_what_is_committed_whatever_the_server_says(
    pipeline_postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c default_transaction_isolation=serializable")
    engine = make_engine(pipeline_postgres)
    levels: list[str] = []
    said = engine.dialect.set_isolation_level
    monkeypatch.setattr(
        engine.dialect, "set_isolation_level", lambda *given: (levels.append(given[1]), said(*given))[1]
    )
    for _ in range(3):
        with Database(engine).handling() as db:
            assert db.execute(text("SHOW transaction_isolation")).scalar() == "read committed"
        with Database(engine).reading() as reading:
            reading.execute(select(1))
    with Database(engine).handling() as db:
        assert db.execute(text("SHOW transaction_isolation")).scalar() == "read committed"
    engine.dispose()
    assert levels.count("READ COMMITTED") <= 1 + 3, "at the beginning, and after each reading"
