"""What handlers in lanes get: sessions that cannot end the transaction, announcers and mails of it."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.orm import Session

from consumers.pipeline import Opened, Placed, Play, effects
from oyez.consumers import HandlerAnnouncer, Handlers, Mail

MISUSES = ["commit of a connection", "rollback", "close", "savepoint left open", "announced in a savepoint"]


def test_announcements_and_mails_go_with_the_transaction(lanes: Play) -> None:
    on, broken = Handlers("shop"), {1}

    @on(Placed, concurrency=3)
    async def awaited(event: Placed, announcer: HandlerAnnouncer, mail: Mail) -> None:
        announcer.announce(Opened(k=event.k, n=event.n))
        mail.send(to="a@example.org", sender="b@example.org", subject=f"order {event.n}", text="paid")
        if event.n in broken:
            raise ValueError("broken")

    @on(Placed, concurrency=3)
    def threaded(event: Placed, announcer: HandlerAnnouncer, db: Session) -> None:
        announcer.announce(Opened(k=event.k, n=100 + event.n))

    pipeline = lanes(on)
    pipeline.handle(*[Placed(k=f"k{n}", n=n) for n in range(3)])
    assert len(pipeline.rows("outbox")) == 2 + 3
    assert sorted(pipeline.rows("mail", "subject")) == ["order 0", "order 2"]
    broken.clear()
    pipeline.later()
    assert len(pipeline.rows("outbox")) == 6
    assert sorted(pipeline.rows("mail", "subject")) == ["order 0", "order 1", "order 2"]


def test_what_was_written_is_seen_and_savepoints_are_their_own(lanes: Play) -> None:
    on = Handlers("shop")

    @on(Placed)
    async def noted(event: Placed, db: AsyncSession, same: AsyncConnection) -> None:
        await db.execute(insert(effects).values(handler="kept", n=event.n))
        async with db.begin_nested() as undone:
            await db.execute(insert(effects).values(handler="undone", n=event.n))
            await undone.rollback()
        assert (await same.execute(select(effects.c.handler))).scalars().all() == ["kept"]
        await db.commit()  # writes what is pending, and no more

    pipeline = lanes(on)
    pipeline.handle(Placed(n=1))
    assert pipeline.effects("kept") == [1]
    assert pipeline.effects("undone") == []
    assert pipeline.is_clean()


@pytest.mark.parametrize("misuse", MISUSES)
def test_what_is_refused(lanes: Play, misuse: str) -> None:
    on = Handlers("shop")

    @on(Placed)
    async def noted(
        event: Placed, db: AsyncSession, connection: AsyncConnection, announcer: HandlerAnnouncer
    ) -> None:
        await db.execute(insert(effects).values(handler="noted", n=event.n))
        match misuse:
            case "commit of a connection":
                await connection.commit()
            case "rollback":
                await db.rollback()
            case "close":
                await db.close()
            case "savepoint left open":
                await db.begin_nested()
            case _:
                async with db.begin_nested():
                    announcer.announce(Opened(n=1))

    pipeline = lanes(on)
    pipeline.handle(Placed(n=1))
    ((_, _, said),) = pipeline.parked()
    assert said.startswith("HandlerMisuse: the handler")
    assert not pipeline.effects()
    assert not pipeline.rows("outbox")
