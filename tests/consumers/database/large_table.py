"""A retry table with much of everything in it, and how much of it something reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, insert, text

from oyez.consumers.database.due import at_once
from oyez.consumers.database.tables import behind, dead, inbox, parked, prerequisite

APP, GROUP, HOT, WIDE, BOTH = "shop", "shop.all", "hot", "wide", "both"
NOW = 1_000.0
WAITS = "session.started"
LATE = "late"

_READ = text(
    "SELECT COALESCE(SUM(seq_tup_read + idx_tup_fetch), 0) FROM pg_stat_xact_user_tables WHERE relname LIKE 'oyez%'"
)
STEP = 50  # instructions of SQLite's virtual machine between two counts


def row(handler: str, n: int, key: str, **columns: Any) -> dict[str, Any]:
    """A row of the retry table."""
    given = {
        "app": APP,
        "group_name": GROUP,
        "handler": handler,
        "signal": "page.viewed",
        "source": "web",
        "event_id": f"{handler}-{key}-{n}",
        "key": key,
        "rank": 0,
        "ordered": True,
        "wait_signal": None,
        "wait_subject": None,
        "parked_at": 0.0,
        "due_at": None,
        "head_since": None,
        "raised": False,
        "value": b"x" * 100,
    }
    return {**given, **columns}


def letter(handler: str, n: int, key: str) -> dict[str, Any]:
    """A dead letter."""
    said = row(handler, n, key)
    for name in ("due_at", "head_since", "raised"):
        del said[name]
    return {**said, "parked_id": n, "reason": "as told", "error": None, "died_at": NOW}


def fill(engine: Engine, size: int) -> None:
    """One key with so many rows; so many that are due; so many that wait for a subject each; so many for one; so many
    that are due at once, and by time, of one handler; so many that were taken, and two that are dead."""
    waiting = {"wait_signal": WAITS, "head_since": NOW}
    rows = [row(HOT, 0, "k", due_at=1.0, head_since=1.0)]
    rows += [row(HOT, n, "k") for n in range(1, size)]
    rows += [row(WIDE, n, f"due-{n}", due_at=1.0, head_since=1.0) for n in range(size)]
    rows += [row(WIDE, n, f"never-{n}", wait_subject=f"never-{n}", **waiting) for n in range(size)]
    rows += [row(WIDE, n, f"late-{n}", wait_subject=LATE, **waiting) for n in range(size)]
    rows += [row(BOTH, n, f"once-{n}", due_at=at_once(1.0), head_since=1.0) for n in range(size)]
    rows += [row(BOTH, n, f"time-{n}", due_at=1.0, head_since=1.0) for n in range(size)]
    met = [
        {"app": APP, "signal": WAITS, "subject": f"s{n}", "met_at": 1.0, "seen_at": 1.0} for n in range(size)
    ]
    taken = [
        {"group_name": GROUP, "source": "web", "event_id": f"{n * 7919 % size}", "taken_at": float(n)}
        for n in range(size)
    ]
    with engine.begin() as db:
        for table in (parked, behind, dead, prerequisite, inbox):
            db.execute(table.delete())
        db.execute(insert(parked), rows)
        db.execute(insert(behind), [{"group_name": GROUP, "handler": HOT, "key": "k"}] * 3)
        db.execute(insert(prerequisite), met)
        db.execute(insert(inbox), taken)
        db.execute(insert(dead), [letter(BOTH, n, f"dead-{n}") for n in range(2)])


def rows_read(engine: Engine, work: Callable[[Connection], object]) -> int:
    """How many rows of Oyez's tables PostgreSQL reads for that, by an index or without one. It is rolled back."""
    with engine.connect() as db, db.begin() as transaction:
        before = db.execute(_READ).scalar_one()
        work(db)
        read = db.execute(_READ).scalar_one() - before
        transaction.rollback()
    return int(read)


def steps_taken(engine: Engine, work: Callable[[Connection], object]) -> int:
    """How many instructions SQLite's virtual machine takes for that, give or take some. It is rolled back."""
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += STEP
        return 0

    with engine.connect() as db, db.begin() as transaction:
        driver: Any = db.connection.dbapi_connection
        driver.set_progress_handler(count, STEP)
        work(db)
        driver.set_progress_handler(None, STEP)
        transaction.rollback()
    return counted
