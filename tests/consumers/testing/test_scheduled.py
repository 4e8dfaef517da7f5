"""What a kit's handlers and its tests schedule is due by the kit's clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from oyez.consumers import HandlerAnnouncer, Handlers
from oyez.consumers.testing import Kit, kit
from oyez.consumers.testing.telling import told
from oyez.producers import Announcer, MemoryBroker, MemoryTransport, Settings
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


def test_a_test_schedules_and_sees_what_is_scheduled(diary: Kit) -> None:
    with diary.engine.begin() as db:
        diary.announce(Due(table="7"), db=db, after=2 * HOUR)
        at = datetime.fromtimestamp(diary.clock.now + 3_600, UTC)
        number = diary.announce(Due(table="8"), db=db, at=at, source="web-2")
        diary.announce(Due(table="9"), db=db, expires=timedelta(seconds=5))
    first, second = diary.scheduled
    assert (first.signal, first.data, first.due_in) == ("guests.due", Due(table="8"), pytest.approx(3_600))
    assert first.event is not None
    assert (first.event.id, first.event.source) == (number, "web-2")
    assert repr(second) == "<guests.due Due(table='7') is announced in 7200 s>"
    assert repr(second) in told(diary, "--seed")
    diary.advance(3_601)
    assert (diary.run(), heard) == (diary.runs[-1], ["8"])
    assert (diary.runs[-1].expired, [one.data for one in diary.scheduled]) == (1, [Due(table="7")])


def test_what_is_scheduled_of_another_catalogue_has_no_data(diary: Kit) -> None:
    others = Catalogue()

    class Closed(Signal, name="house.closed", catalogue=others):
        pass

    with (
        Announcer(MemoryTransport(MemoryBroker()), source="web", catalogue=others) as web,
        diary.engine.begin() as db,
    ):
        web.announce(Closed(), db=db, after=HOUR)
    (later,) = diary.scheduled
    assert (later.signal, later.event) == ("house.closed", None)
    assert repr(later).startswith("<house.closed is announced in ")
    with pytest.raises(LookupError, match=r"house.closed .* cannot be decoded"):
        _ = later.data


def test_what_has_expired_is_not_handled(diary: Kit) -> None:
    diary.announcer.announce(Due(table="7"), expires=timedelta(seconds=5))
    diary.announce(Due(table="8"))
    diary.advance(5)
    ran = diary.run()
    assert (ran.handled, ran.expired, heard) == (1, 1, ["8"])
    assert repr(ran) == "<Ran: 1 handled, 1 expired, 0 left>"
    assert ran


def test_an_announcer_of_the_applications_own_goes_by_the_machines_clock(diary: Kit) -> None:
    """As docs/testing.md says: what it has scheduled is due after what the kit says, and what comes late is late."""
    own = Settings(transport="memory", source="web")
    with Announcer.from_settings(own, catalogue=signals) as web, diary.engine.begin() as db:
        web.announce(Due(table="7"), db=db, after=HOUR)
    (later,) = diary.scheduled
    diary.advance(later.due_in)
    assert (diary.run().handled, heard) == (1, ["7"])
    diary.advance(86_400)
    with Announcer.from_settings(own, catalogue=signals) as web, diary.engine.begin() as db:
        web.announce(Due(table="8"), db=db, after=HOUR)
        web.announce(Due(table="9"), expires=HOUR)
    ran = diary.run()
    assert (ran.handled, ran.expired, heard) == (1, 1, ["7", "8"])
