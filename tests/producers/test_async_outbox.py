"""Announcing in an asynchronous database transaction: the event is in the outbox when, and only when, that commits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, select
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    async_scoped_session,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import Session

from oyez.producers import AsyncAnnouncer, NotAnnounced, outbox, visitor_session
from oyez.schemas import InvalidEvent, decode
from producers.shop import PageViewed, Ticked, known
from producers.test_async_announcer import async_memory_announcer
from support.tables import knowing_the_tables

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg"}


def asynchronous(url: str) -> str:
    parsed = make_url(url)
    driver = DRIVERS[parsed.get_backend_name()]
    return parsed.set(drivername=driver).render_as_string(hide_password=False)


def with_tables(url: str) -> str:
    engine = create_engine(url)
    outbox.table.metadata.create_all(knowing_the_tables(engine))
    engine.dispose()
    return url


def rows(url: str) -> list[Any]:
    engine = create_engine(url)
    with knowing_the_tables(engine).connect() as db:
        found = list(db.execute(select(outbox.table).order_by(outbox.table.c.id)))
    engine.dispose()
    return found


@asynccontextmanager
async def opened(engine: AsyncEngine, kind: type) -> AsyncIterator[Any]:
    async with engine.connect() as connection:
        if kind is AsyncConnection:
            yield connection
        elif kind is AsyncSession:
            yield AsyncSession(connection)
        else:
            yield async_scoped_session(async_sessionmaker(connection), asyncio.current_task)


def on(url: str, work: Callable[[AsyncEngine, AsyncAnnouncer], Awaitable[None]]) -> None:
    async def run() -> None:
        engine = create_async_engine(asynchronous(url))
        announcer, broker = async_memory_announcer()
        async with announcer:
            await work(engine, announcer)
        assert broker.end("oyez.events", 0) == 0
        await engine.dispose()

    asyncio.run(run())


@pytest.mark.parametrize("kind", [AsyncSession, AsyncConnection, async_scoped_session])
def test_it_is_written_in_the_callers_transaction(database: str, kind: type) -> None:
    with_tables(database)
    said: list[str] = []

    async def work(engine: AsyncEngine, announcer: AsyncAnnouncer) -> None:
        async with opened(engine, kind) as db:
            said.append(await announcer.announce(PageViewed(session_id="s1", url="/é"), db=db))
            with visitor_session("bound"):
                said.append(await announcer.announce(Ticked(), db=db))
            assert announcer.announced == 2
            await db.commit()
            await announcer.announce(Ticked(), db=db)
            await db.rollback()

    on(database, work)
    found = rows(database)
    assert [row.key for row in found] == ["s1", "bound"]
    assert [decode(row.value, (), None, known).id for row in found] == said


def test_many_transactions_at_once(database: str) -> None:
    with_tables(database)

    async def work(engine: AsyncEngine, announcer: AsyncAnnouncer) -> None:
        async def one(n: int) -> None:
            async with AsyncSession(engine) as db:
                await announcer.announce(PageViewed(session_id=f"s{n}", url="/"), db=db)
                await (db.commit() if n % 2 else db.rollback())

        await asyncio.gather(*(one(n) for n in range(10)))

    on(database, work)
    assert sorted(row.key for row in rows(database)) == ["s1", "s3", "s5", "s7", "s9"]


def test_errors_are_those_of_the_announcer(database: str) -> None:
    async def work(engine: AsyncEngine, announcer: AsyncAnnouncer) -> None:
        async with AsyncSession(engine) as db:
            with pytest.raises(InvalidEvent):
                await announcer.announce("page.viewed", {}, db=db)
            with pytest.raises(
                NotAnnounced,
                match=r"has no table \w+\.oyez_outbox; set OYEZ_DATABASE to this database and run: oyez db upgrade",
            ):
                await announcer.announce(Ticked(), db=db)
        with Session(create_engine(database)) as blocking:
            said = (
                "db= must be a SQLAlchemy AsyncSession or AsyncConnection, .* not Session, which would block"
            )
            with pytest.raises(NotAnnounced, match=said) as caught:
                await announcer.announce(Ticked(), db=blocking)  # type: ignore[arg-type]
            assert caught.value.event.data == Ticked()

    on(database, work)
