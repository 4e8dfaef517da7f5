"""What a kit's handlers and its tests schedule is due by the kit's clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from oyez.consumers import HandlerAnnouncer, Handlers
from oyez.consumers.testing import Kit, kit
from oyez.schemas import Catalogue, Signal

signals = Catalogue()
HOUR = timedelta(hours=1)


class Booked(Signal, name="table.booked", catalogue=signals):
    table: str


class Due(Signal, name="guests.due", catalogue=signals):
    table: str


class Aired(Signal, name="room.aired", catalogue=signals):
    table: str


on = Handlers("diary")
heard: list[str] = []


@on(Booked)
def remind(booked: Booked, announcer: HandlerAnnouncer) -> None:
    announcer.announce(Due(table=booked.table), after=HOUR, expires=HOUR)


@on(Aired, concurrency=2)
async def remind_later(aired: Aired, db: AsyncConnection, announcer: HandlerAnnouncer) -> None:
    announcer.announce(Due(table=aired.table), after=HOUR)


@on(Due, group="hall")
def greet(due: Due) -> None:
    heard.append(due.table)


@pytest.fixture
def diary(pipeline_database: str) -> Iterator[Kit]:
    heard.clear()
    with kit(on, signals=signals, database=pipeline_database) as made:
        yield made


@pytest.mark.parametrize("signal", [Booked, Aired])
def test_what_a_handler_schedules_is_due_after_exactly_that_time(
    diary: Kit, signal: type[Booked | Aired]
) -> None:
    """Time stands still while it runs, also for a handler that runs in a lane."""
    diary.announce(signal(table="7"))
    diary.run()
    assert diary.query("SELECT due_at FROM oyez_scheduled") == [(diary.clock.now + 3_600,)]
    diary.advance(3_600)
    assert (diary.run().handled, heard) == (1, ["7"])


def test_what_has_expired_is_not_handled(diary: Kit) -> None:
    diary.announcer.announce(Due(table="7"), expires=timedelta(seconds=5))
    diary.announce(Due(table="8"))
    diary.advance(5)
    ran = diary.run()
    assert (ran.handled, ran.expired, heard) == (1, 1, ["8"])
    assert repr(ran) == "<Ran: 1 handled, 1 expired, 0 left>"
    assert ran
