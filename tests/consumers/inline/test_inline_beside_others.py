"""Inline in a database that other applications announce into too: what is theirs is left to them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, select

from consumers.inline.inline_pipeline import Inline, Make
from consumers.pipeline import Known, Placed, known, note
from oyez.consumers import HandlerAnnouncer, Handlers
from oyez.consumers.database import Database
from oyez.consumers.database.tables import outbox
from oyez.consumers.outbox.lease import NoLease
from oyez.consumers.outbox.relay import BATCH, Relay, Relayed
from oyez.producers import Announcer, MemoryBroker, MemoryTransport
from oyez.schemas import Catalogue, Signal

others = Catalogue()


class Billed(Signal, name="billed.elsewhere", key="k", catalogue=others):
    k: str = "k1"
    n: int = 0


class Stamped(Known, name="stamped.inline", key="k"):
    """Nobody handles it."""

    k: str = "k1"
    n: int = 0


class Packed(Known, name="packed.inline", key="k"):
    k: str = "k1"
    n: int = 0


def packing() -> Handlers:
    on = Handlers("shop")

    @on(Placed)
    def place(event: Placed, announcer: HandlerAnnouncer) -> None:
        announcer.announce(Packed(k=event.k, n=event.n))
        announcer.announce(Stamped(k=event.k, n=event.n))

    @on(Packed)
    def pack(event: Packed, db: Connection) -> None:
        note(db, "pack", event.n)

    return on


def announce_elsewhere(engine: Engine, count: int, **options: Any) -> list[bytes]:
    """What another application announces in its transaction; what the outbox has then."""
    announcer = Announcer(MemoryTransport(MemoryBroker()), source="billing", catalogue=others)
    with engine.begin() as db:
        for n in range(count):
            announcer.announce(Billed(n=n), db=db, **options)
    return values(engine)


def values(engine: Engine) -> list[bytes]:
    with engine.connect() as db:
        return list(db.execute(select(outbox.c.value).order_by(outbox.c.id)).scalars())


def by_announcing(pipeline: Inline) -> None:
    pipeline.announcer.announce(Placed(n=1))


def by_a_flush(pipeline: Inline) -> None:
    pipeline.announcer.flush()


def by_a_worker(pipeline: Inline) -> None:
    relay = Relay(
        Database(pipeline.engine),
        lambda: pipeline.transport,
        NoLease(),
        clock=pipeline.clock,
        timer=Ticking(),
    )
    assert relay.run(seconds=100) == Relayed(0)


class Ticking:
    """Each look at it takes 50 ms: a relay that goes round and round comes to an end."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.05
        return self.now


@pytest.mark.parametrize("relay", [by_announcing, by_a_flush, by_a_worker])
def test_what_another_application_announced_stays(
    inline: Make, relay: Callable[[Inline], None], caplog: pytest.LogCaptureFixture
) -> None:
    pipeline = inline(packing())
    pipeline.transport._timer = Ticking()
    theirs = announce_elsewhere(pipeline.engine, 3)
    with caplog.at_level(logging.INFO, "oyez"):
        relay(pipeline)
        relay(pipeline)
    assert values(pipeline.engine) == theirs
    (line,) = caplog.messages
    assert "billed.elsewhere" in line, "it is said once, not for each row, nor in each pass"


def test_what_is_scheduled_elsewhere_is_not_lost_when_it_is_due(inline: Make) -> None:
    pipeline = inline(packing())
    announce_elsewhere(pipeline.engine, 2, after=timedelta(seconds=5))
    pipeline.clock.now = time.time() + 10
    pipeline.announcer.flush()
    assert len(values(pipeline.engine)) == 2
    assert pipeline.rows("scheduled") == []


def test_pages_of_what_is_theirs_hold_up_nothing_of_ours(inline: Make) -> None:
    pipeline = inline(packing())
    theirs = announce_elsewhere(pipeline.engine, 2 * BATCH + 1)
    pipeline.announcer.announce(Placed(n=1))
    assert (pipeline.effects(), values(pipeline.engine)) == ([1], theirs)
    pipeline.announcer.announce(Placed(n=2))
    assert (pipeline.effects(), values(pipeline.engine)) == ([1, 2], theirs)


def test_what_was_left_and_is_gone_is_not_remembered(inline: Make) -> None:
    pipeline = inline(packing())
    announce_elsewhere(pipeline.engine, 3)
    pipeline.announcer.flush()
    assert len(pipeline.transport.others.rows) == 3
    with pipeline.engine.begin() as db:
        db.execute(outbox.delete())
    pipeline.announcer.flush()
    assert len(pipeline.transport.others.rows) == 0


def test_what_is_declared_here_and_handled_by_nobody_is_deleted(inline: Make) -> None:
    pipeline = inline(packing())
    with pipeline.engine.begin() as db:
        Announcer(MemoryTransport(MemoryBroker()), source="cron", catalogue=known).announce(Stamped(), db=db)
    pipeline.announcer.flush()
    assert values(pipeline.engine) == []
