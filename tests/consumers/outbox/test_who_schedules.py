"""Whoever announces may say when, and until when: in asyncio, in a handler, and from the moment at which it is due."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import create_async_engine

from consumers.pipeline import Placed, Play, Ticked, known, prepare
from oyez.consumers import HandlerAnnouncer, Handlers
from oyez.consumers.database import make_engine, tables
from oyez.producers import Announcer, AsyncAnnouncer, MemoryBroker, MemoryTransport

AT = datetime(2096, 10, 2, 7, tzinfo=UTC)


def scheduled(engine: Any) -> list[tuple[str, str, str | None]]:
    """The signal, time and moment of expiry of what is scheduled."""
    with engine.connect() as db:
        values = db.execute(select(tables.scheduled.c.value).order_by(tables.scheduled.c.id)).scalars()
        events = [json.loads(value) for value in values]
    return [(event["type"], event["time"], event.get("expirytime")) for event in events]


EXPECTED = [("placed", "2096-10-02T07:00:00.000000Z", "2096-10-02T07:10:00.000000Z")]


def test_in_asyncio(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'db'}"
    prepare(url)

    async def announce() -> None:
        engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'db'}")
        transport = MemoryTransport(MemoryBroker())
        async with (
            AsyncAnnouncer(transport, source="web", catalogue=known) as announcer,
            engine.begin() as db,
        ):
            await announcer.announce(Placed(), db=db, at=AT, expires=timedelta(minutes=10))
        await engine.dispose()

    asyncio.run(announce())
    engine = make_engine(url)
    assert scheduled(engine) == EXPECTED
    engine.dispose()


def test_in_a_handler(play: Play) -> None:
    on = Handlers("shop")

    @on(Ticked)
    def plan(event: Ticked, announcer: HandlerAnnouncer) -> None:
        announcer.announce(Placed(), at=AT, expires=timedelta(minutes=10))

    pipeline = play(on)
    pipeline.handle(Ticked())
    assert scheduled(pipeline.engine) == EXPECTED


def test_expiry_counts_from_the_moment_at_which_it_is_due(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'db'}"
    prepare(url)
    engine = make_engine(url)
    with (
        Announcer(MemoryTransport(MemoryBroker()), source="web", catalogue=known) as web,
        engine.begin() as db,
    ):
        web.announce(Placed(), db=db, at=AT, expires=timedelta(minutes=10))
    assert scheduled(engine) == EXPECTED
    engine.dispose()
