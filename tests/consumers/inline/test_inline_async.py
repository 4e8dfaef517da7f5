"""Inline in asyncio: handlers run in a thread, in the context of whoever announced; in his transaction if he says."""

from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar

import pytest
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from consumers.inline.inline_pipeline import Closed, Inline, Make, Seen, chain, names
from consumers.pipeline import Opened, Placed, known, note
from oyez.consumers import Handlers
from oyez.producers import AsyncAnnouncer
from producers.test_async_outbox import asynchronous
from support.waiting import soon

request: ContextVar[str] = ContextVar("request", default="none")


def async_announcer(pipeline: Inline) -> AsyncAnnouncer:
    return AsyncAnnouncer(pipeline.transport, source="web", catalogue=known)


def test_what_was_announced_is_handled_when_announce_returns(inline: Make) -> None:
    pipeline = inline(chain())

    async def run() -> None:
        async with async_announcer(pipeline) as announcer:
            await announcer.announce(Closed(n=3))
            await announcer.announce(Seen(n=2))
            assert names(pipeline) == []
            await announcer.announce(Opened(n=1))
            assert names(pipeline) == ["opened", "seen", "closed"]
            await asyncio.gather(*(announcer.announce(Placed(k=f"k{n}", n=n)) for n in range(10)))
        assert names(pipeline)[3:] == ["placed"] * 10

    asyncio.run(run())


def test_the_loop_goes_on_while_a_handler_runs_in_its_callers_context(inline: Make) -> None:
    on = Handlers("shop")
    may_end, has_begun = threading.Event(), threading.Event()
    seen: list[tuple[str, bool]] = []

    @on(Placed)
    def place(event: Placed, db: Session) -> None:
        has_begun.set()
        assert may_end.wait(60)
        seen.append((request.get(), threading.current_thread() is threading.main_thread()))
        note(db, "placed", event.n)

    pipeline = inline(on)

    async def run() -> None:
        async with async_announcer(pipeline) as announcer:
            request.set("request 7")
            task = asyncio.create_task(announcer.announce(Placed(n=1)))
            await soon(has_begun.is_set)  # the loop goes on: this awaits it there
            assert not task.done()
            may_end.set()
            await task
        assert seen == [("request 7", False)]

    asyncio.run(run())


@pytest.mark.parametrize("commits", [True, False])
def test_in_an_asynchronous_transaction(inline: Make, commits: bool) -> None:
    pipeline = inline(chain())
    assert names(pipeline) == []

    async def run() -> None:
        engine = create_async_engine(asynchronous(pipeline.url))
        async with async_announcer(pipeline) as announcer, AsyncSession(engine) as db:
            for event in (Closed(n=3), Seen(n=2), Opened(n=1), Placed(n=4)):
                await announcer.announce(event, db=db)
            assert names(pipeline) == []
            await (db.commit() if commits else db.rollback())
        await engine.dispose()

    asyncio.run(run())
    assert names(pipeline) == (["opened", "seen", "closed", "placed"] if commits else [])
