"""Other transactions in the way: never a handler's failure, never an effect twice."""

from __future__ import annotations

import multiprocessing
import sqlite3
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection as Pipe
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, make_url, text
from sqlalchemy.orm import Session

from consumers.execution.swallowed import in_its_own_error, plainly, swallowed, wrapped
from consumers.pipeline import Pipeline, Placed, note, placed
from oyez.consumers import Handlers
from oyez.consumers.database import DatabaseAway
from support.waiting import eventually

EVENTS = range(10)
ROW_1 = text("UPDATE effect SET n = n WHERE seq = -1")
ROW_2 = text("UPDATE effect SET n = n WHERE seq = -2")
WAITING = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def waiting(engine: Engine) -> bool:
    with engine.connect() as db:
        return bool(db.execute(WAITING).scalar())


class Opponent:
    """Holds row 2; once the handler has row 1, it asks for that one too."""

    def __init__(self, url: str) -> None:
        self.engine = create_engine(url)
        with self.engine.begin() as db:
            db.execute(text("INSERT INTO effect (seq, handler, n) VALUES (-1, 'row', 0), (-2, 'row', 0)"))
        self._db = self.engine.connect()
        self._db.execute(text("SET LOCAL deadlock_timeout = '60s'"))
        self._db.execute(ROW_2)
        self._thread = threading.Thread(target=self._close_in)

    def meet(self) -> None:
        """Called with row 1 held: returns when the opponent waits for it."""
        self._thread.start()
        eventually(lambda: waiting(self.engine))

    def _close_in(self) -> None:
        self._db.execute(ROW_1)
        self._db.commit()

    def close(self) -> None:
        self._thread.join(60)
        self._db.close()
        with self.engine.begin() as db:
            db.execute(text("DELETE FROM effect WHERE seq < 0"))
        self.engine.dispose()


@pytest.mark.parametrize("kind", [Session, Connection])
@pytest.mark.parametrize("manner", [plainly, wrapped, in_its_own_error, swallowed])
def test_a_deadlock_is_not_the_handlers_failure(
    manner: Callable[[Callable[[], Any]], None], kind: type[Any], pipeline_postgres: str
) -> None:
    opponent = Opponent(pipeline_postgres)
    runs: list[int] = []
    outside: list[int] = []
    on = Handlers("shop")

    @on(Placed)
    def first(event: Placed, db: Session) -> None:
        note(db, "first", event.n)

    def deadlocked(events: list[Placed], db: Any) -> None:
        runs.append(len(events))
        note(db, "deadlocked", *(event.n for event in events))
        if len(runs) == 1:
            db.execute(text("SET LOCAL deadlock_timeout = '10ms'"))
            db.execute(ROW_1)
            opponent.meet()
            manner(lambda: db.execute(ROW_2))

    deadlocked.__annotations__["db"] = kind
    on(Placed)(deadlocked)

    @on(Placed)
    def last(event: Placed) -> None:
        outside.append(event.n)

    pipeline = Pipeline(pipeline_postgres, on)
    pipeline.handle(*placed(EVENTS))
    opponent.close()
    assert len(runs) > 1
    assert pipeline.is_clean()
    for handler in ("first", "deadlocked"):
        assert pipeline.effects(handler) == list(EVENTS)
    assert outside == list(EVENTS)
    if manner is not swallowed:  # nobody can tell that one from any other swallowed error
        assert runs == [len(EVENTS)] * 2
        assert pipeline.clock.sleeps == 1
    pipeline.close()


CONFLICT = text("DO $$ BEGIN RAISE EXCEPTION 'in the way' USING ERRCODE = '40001'; END $$")


@pytest.mark.parametrize("times", [1, 4, 7, 60])
def test_serialization_failures_are_retried(times: int, pipeline_postgres: str) -> None:
    runs: list[int] = []
    on = Handlers("shop")

    @on(Placed)
    def conflicting(events: list[Placed], db: Connection) -> None:
        runs.append(len(events))
        note(db, "conflicting", *(event.n for event in events))
        if len(runs) <= times:
            db.execute(CONFLICT)

    pipeline = Pipeline(pipeline_postgres, on)
    pipeline.handle(*placed(EVENTS))
    pipeline.close()
    assert pipeline.clock.sleeps == times
    assert runs[:4] == ([len(EVENTS)] * 4 if times >= 4 else [len(EVENTS)] * 2)
    assert runs[-1] == (1 if times > 4 else len(EVENTS))
    pipeline = Pipeline(pipeline_postgres, on)
    assert pipeline.effects("conflicting") == list(EVENTS)
    assert pipeline.is_clean()
    pipeline.close()


def test_a_conflict_without_end(pipeline_postgres: str) -> None:
    on = Handlers("shop")

    @on(Placed)
    def conflicting(event: Placed, db: Connection) -> None:
        note(db, "conflicting", event.n)
        db.execute(CONFLICT)

    pipeline = Pipeline(pipeline_postgres, on)
    [worker] = pipeline.workers.values()
    pipeline.run()
    pipeline.announce(*placed(EVENTS))
    with pytest.raises(DatabaseAway, match="in the way"):
        worker.step(lambda: True)
    assert pipeline.effects() == []
    assert pipeline.rows("inbox") == []
    assert pipeline.is_clean()
    pipeline.close()


def hold_lock(file: str, pipe: Pipe) -> None:
    """Another process: takes SQLite's write lock until told to let go."""
    db = sqlite3.connect(file, isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    pipe.send("held")
    pipe.recv()
    db.execute("COMMIT")
    db.close()
    pipe.send("free")


def test_sqlite_locked_by_another_process(pipeline_sqlite: str) -> None:
    runs: list[int] = []
    on = Handlers("shop")

    @on(Placed)
    def placing(events: list[Placed], db: Connection) -> None:
        runs.append(len(events))
        note(db, "placing", *(event.n for event in events))

    pipeline = Pipeline(pipeline_sqlite, on)
    pipeline.run()
    ours, theirs = multiprocessing.Pipe()
    file = str(make_url(pipeline_sqlite).database)
    process = multiprocessing.get_context("fork").Process(target=hold_lock, args=[file, theirs], daemon=True)
    process.start()
    assert ours.recv() == "held"

    def let_go(count: int) -> None:
        if count == 3:
            ours.send("let go")
            assert ours.recv() == "free"

    pipeline.clock.on_sleep = let_go
    pipeline.announce(*placed(EVENTS))
    [worker] = pipeline.workers.values()
    assert worker.step() == len(EVENTS)
    process.join(60)
    assert process.exitcode == 0
    assert pipeline.clock.sleeps == 3
    assert runs == [len(EVENTS)]
    assert pipeline.effects("placing") == list(EVENTS)
    assert pipeline.is_clean()
    pipeline.close()


def test_a_handler_that_locks_itself_out(pipeline_sqlite: str) -> None:
    """It writes to the same file over a connection of its own, and waits for the batch that waits for it."""
    other = create_engine(pipeline_sqlite, connect_args={"timeout": 0.01})
    on = Handlers("shop")

    @on(Placed)
    def selfish(event: Placed, db: Session) -> None:
        if event.n == 3:
            with other.begin() as own:
                note(own, "own", event.n)
        note(db, "selfish", event.n)

    pipeline = Pipeline(pipeline_sqlite, on)
    pipeline.handle(*placed(EVENTS))
    assert [(handler, n) for handler, n, _ in pipeline.parked()] == [("selfish", 3)]
    assert "database is locked" in pipeline.parked()[0][2]
    assert pipeline.effects() == [n for n in EVENTS if n != 3]
    other.dispose()
    pipeline.close()
