"""A disk that is really full: a small one, with Oyez's inbox on it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from consumers.pipeline import Pipeline, Placed, note, placed, prepare
from oyez.consumers import Handlers
from oyez.consumers.dev.postgres_files import own, server_user
from support.services import unique
from support.small_disk import small_disk
from support.waiting import eventually

EVENTS = 400


@pytest.fixture
def small() -> Iterator[Path]:
    """A disk of 4 MB that PostgreSQL's server may write to."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    with small_disk(4) as disk:
        own(disk.folder, server_user())
        yield disk.folder


@pytest.fixture
def operator(postgres: str, small: Path) -> Iterator[Engine]:
    prepare(postgres)
    name = unique("small").replace("-", "_")
    engine = create_engine(postgres, isolation_level="AUTOCOMMIT")
    with engine.connect() as db:
        db.execute(text(f"CREATE TABLESPACE {name} LOCATION '{small}'"))
        for moved in ("TABLE oyez_inbox", "INDEX oyez_inbox_pkey"):
            db.execute(text(f"ALTER {moved} SET TABLESPACE {name}"))
        db.execute(text(f"CREATE TABLE filler (t text) TABLESPACE {name}"))
    yield engine
    with engine.connect() as db:
        db.execute(text("DROP TABLE IF EXISTS filler"))
        for moved in ("TABLE oyez_inbox", "INDEX oyez_inbox_pkey"):
            db.execute(text(f"ALTER {moved} SET TABLESPACE pg_default"))
        db.execute(text(f"DROP TABLESPACE {name}"))
    engine.dispose()


def fill(operator: Engine) -> None:
    some = text("INSERT INTO filler SELECT repeat(md5(n::text), 20) FROM generate_series(1, 40) n")
    with operator.connect() as db, pytest.raises(OperationalError, match="No space left"):
        eventually(lambda: db.execute(some).rowcount < 0)


def test_no_event_is_to_blame(postgres: str, operator: Engine) -> None:
    on = Handlers("shop")

    @on(Placed)
    def place(event: Placed, db: Session) -> None:
        note(db, "place", event.n)

    pipeline = Pipeline(postgres, on, batch=50)
    pipeline.handle(Placed(n=-1))
    fill(operator)

    def make_room(count: int) -> None:
        if count == 12:
            with operator.connect() as db:
                db.execute(text("DROP TABLE filler"))

    pipeline.clock.sleeps = 0
    pipeline.clock.on_sleep = make_room
    pipeline.handle(*placed(range(EVENTS)))
    assert pipeline.clock.sleeps >= 12, "it was full"
    assert pipeline.effects() == [-1, *range(EVENTS)]
    assert pipeline.is_clean()
    pipeline.close()
