"""What is done with the retry table costs what it finds, and not what else is in it: statistics or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, select, text

from consumers.database.large_table import (
    APP,
    BOTH,
    GROUP,
    HOT,
    LATE,
    NOW,
    WAITS,
    WIDE,
    fill,
    rows_read,
    steps_taken,
)
from oyez.consumers.admin import overtaking
from oyez.consumers.database import (
    behind,
    claims,
    due_queues,
    key_heads,
    make_engine,
    parked_age,
    prerequisites,
    releasing,
    start_notes,
    stranded,
    waiting,
)
from oyez.consumers.database.delivery_filter import Filter
from oyez.consumers.database.dialects.lookup import dialect_of
from oyez.consumers.database.migrating import upgrade
from oyez.consumers.database.tables import parked
from oyez.schemas.declaration import Prerequisite
from support.services import fresh_database

SIZE = 2_000
MANY = 20  # rows that are asked for
MOST = 8  # reads of a row: it, its head, what is next to it, and the same again to lock it

Work = Callable[[Connection], object]


def _claimed(*handlers: str) -> Work:
    def work(db: Connection) -> None:
        dialect_of(db).read_by_index(db)
        assert len(claims.claim(db, APP, GROUP, handlers, NOW, MANY)) == MANY

    return work


def _chosen_among(db: Connection) -> None:
    dialect_of(db).read_by_index(db)
    assert len(claims.claim_candidates(db, APP, GROUP, [HOT, WIDE], NOW, MANY)) == MANY


def _claimed_again(db: Connection) -> None:
    dialect_of(db).read_by_index(db)
    ids = [row.id for row in claims.claim(db, APP, GROUP, [WIDE], NOW, MANY)]
    assert len(claims.claim_again(db, APP, GROUP, [WIDE], ids, NOW)) == MANY


def _keys() -> list[key_heads.HandlerKey]:
    return [(HOT, "k"), *((WIDE, f"due-{n}") for n in range(MANY))]


def _met(db: Connection) -> None:
    """Twenty prerequisites, which nobody waits for."""
    met = [Prerequisite(WAITS, f"other-{n}") for n in range(MANY)]
    assert releasing.release(db, APP, met, NOW) == ([], False)


def _released(db: Connection) -> None:
    assert len(releasing.release(db, APP, [Prerequisite(WAITS, LATE)], NOW).groups) == MANY


def _released_in_group(db: Connection) -> None:
    assert len(releasing.release_in_group(db, APP, GROUP, Prerequisite(WAITS, LATE), NOW).groups) == MANY


def _nothing_expired(db: Connection) -> None:
    assert not waiting.expired(db, GROUP, [(HOT, NOW - 1), (WIDE, NOW - 1)], MANY)


def _expired(db: Connection) -> None:
    assert len(waiting.expired(db, GROUP, [(HOT, NOW), (WIDE, NOW)], MANY)) == MANY


def _counted(db: Connection) -> None:
    ids = [row.id for row in claims.claim(db, APP, GROUP, [WIDE], NOW, 2)]
    start_notes.note(db, GROUP, ids, NOW)
    start_notes.count_abandoned(db, GROUP, 3, NOW + 100)
    assert db.execute(select(parked.c.starts).where(parked.c.id == ids[0])).scalar_one() == 1


def _asked(db: Connection) -> None:
    assert len(prerequisites.met(db, APP, [Prerequisite(WAITS, f"s{n}") for n in range(MANY)])) == MANY


def _waited_for(db: Connection) -> None:
    assert len(waiting.waited_for(db, APP, GROUP, [WAITS], Prerequisite("", ""), MANY)) == MANY


def _overtaken(db: Connection) -> None:
    """Two dead letters of a producer whose ids say nothing of their time."""
    assert overtaking.overtaken(db, Filter(app=APP)).unknown == 2


WORKS: dict[str, Work] = {
    "claim of due rows": _claimed(WIDE),
    "claim of a head and what is behind it": _claimed(HOT),
    "claim of what is due at once and by time": _claimed(BOTH),
    "claim for several handlers": _claimed(HOT, WIDE, BOTH),
    "claim of what is chosen among": _chosen_among,
    "claim of noted rows": _claimed_again,
    "when the next is due": lambda db: due_queues.next_due(db, GROUP, [HOT, WIDE, BOTH]),
    "heads": lambda db: key_heads.heads(db, APP, _keys()),
    "heads made due": lambda db: behind.promote(db, APP, _keys(), NOW),
    "keys that were noted": lambda db: stranded.look(db, APP, GROUP, NOW, 0, 1_000),
    "rows behind nothing": lambda db: stranded.find(db, GROUP, 0, MANY),
    "kinds of waiting rows": lambda db: waiting.kinds(db, GROUP, [HOT, WIDE]),
    "nothing that waited too long": _nothing_expired,
    "what waited too long": _expired,
    "prerequisites nobody waits for": _met,
    "release": _released,
    "release of the rest": _released_in_group,
    "prerequisites asked for": _asked,
    "what is waited for": _waited_for,
    "starts that nobody finished": _counted,
    "what is newer than dead letters": _overtaken,
    "the oldest": lambda db: parked_age.oldest(db, GROUP),
    "the oldest of a group with nothing": lambda db: parked_age.oldest(db, f"{GROUP}.x"),
}
works = pytest.mark.parametrize("work", WORKS.values(), ids=WORKS)


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(releasing, "AT_ONCE", MANY)
    monkeypatch.setattr(overtaking, "LOOK", MANY)


@pytest.fixture(scope="module", params=["none", "of-it", "of-an-empty-table", "of-few-rows"])
def filled_postgres(request: pytest.FixtureRequest, postgres_server: str) -> Iterator[Engine]:
    """A large table, and PostgreSQL's statistics: none, right ones, or those of another time."""
    with fresh_database(postgres_server) as url:
        engine = make_engine(url)
        upgrade(engine)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
            for table in ("oyez_parked", "oyez_behind", "oyez_prerequisite", "oyez_inbox", "oyez_dead"):
                db.execute(text(f"ALTER TABLE {table} SET (autovacuum_enabled = false)"))
            if request.param == "of-few-rows":
                fill(engine, 100)
            if request.param.startswith("of-an") or request.param.startswith("of-few"):
                db.execute(text("ANALYZE"))
            fill(engine, SIZE)
            if request.param == "of-it":
                db.execute(text("VACUUM ANALYZE"))
        yield engine
        engine.dispose()


@works
def test_postgresql_reads_no_more_than_it_finds(filled_postgres: Engine, work: Work) -> None:
    assert rows_read(filled_postgres, work) <= MOST * (MANY + 5)


@pytest.fixture(scope="module")
def filled_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, Engine]]:
    """A large table on SQLite, and one that is a tenth of it."""
    engines: dict[int, Engine] = {}
    for size in (SIZE // 10, SIZE):
        file: Path = tmp_path_factory.mktemp("large") / f"{size}.db"
        engines[size] = make_engine(f"sqlite:///{file}", sqlite_journal="delete")
        upgrade(engines[size])
        fill(engines[size], size)
    yield engines
    for engine in engines.values():
        engine.dispose()


@works
def test_sqlite_takes_as_many_steps_beside_ten_times_as_much(
    filled_sqlite: dict[int, Engine], work: Work
) -> None:
    few, many = (steps_taken(engine, work) for engine in filled_sqlite.values())
    assert many <= 1.5 * few + 500


@pytest.mark.parametrize("handler", [HOT, WIDE, BOTH])
def test_sqlite_takes_ten_times_as_many_steps_for_ten_times_as_much(
    filled_sqlite: dict[int, Engine], handler: str
) -> None:
    few, many = (
        steps_taken(filled_sqlite[SIZE], lambda db, n=n: claims.claim(db, APP, GROUP, [handler], NOW, n))
        for n in (MANY, 10 * MANY)
    )
    assert many <= 12 * few
