"""Announcing in asyncio, a thousand tasks at once: beside a flush for each, beside the announcer without asyncio, and
into a spool that forces each event to disk."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from accounts import Loop
from arriving import Arrived
from bed import Row, Services, new_topic
from signals import Viewed, views

from oyez.producers import Announcer, AsyncAnnouncer, Settings
from oyez.producers.spool import LogReader, Segments, found_in

AT_ONCE = 1000
PATIENT = {"announce_timeout": 60, "flush_timeout": 60, "delivery_timeout": 60}
"""Seconds: on a busy machine nothing is given up."""
FEWER = 10_000  # events where each is waited for: a turn takes no minutes


def rows(services: Services, count: int, turns: int) -> list[Row]:
    few, topic = min(count, FEWER), new_topic(services.kafka)
    arrived = Arrived(services.kafka, topic).numbers
    kafka = Settings(kafka=services.kafka, topic=topic, transport="kafka", **PATIENT)
    beside_sync = Row(
        "await announce(), 1,000 at once, Kafka", "announce() each, one flush() at the end", 0.5
    )
    beside_each = Row(
        "await announce(), 1,000 at once, Kafka", "announce(), flush() in a thread, for each task", 3
    )
    in_spool = Row(
        "await announce(), 1,000 at once, spool, fsync always", "announce(), spool, fsync always", 3
    )
    for _ in range(turns):
        beside_sync.turn(count, _loop(_shared, kafka, count, arrived), _loop(_sync, kafka, count, arrived))
        beside_each.turn(few, _loop(_shared, kafka, few, arrived), _loop(_each, kafka, few, arrived))
        with _spool() as (spool, recorded):
            in_spool.turn(few, _loop(_shared, spool, few, recorded), _loop(_sync, spool, few, recorded))
    return [beside_sync, beside_each, in_spool]


def _loop(
    run: Callable[[Settings, list[Viewed]], None],
    settings: Settings,
    count: int,
    handled: Callable[[], list[int]],
) -> Loop:
    return Loop(partial(run, settings, views(count)), handled)


def _sync(settings: Settings, events: list[Viewed]) -> None:
    with Announcer.from_settings(settings) as announcer:
        for event in events:
            announcer.announce(event)


def _shared(settings: Settings, events: list[Viewed]) -> None:
    async def run() -> None:
        async with AsyncAnnouncer.from_settings(settings) as announcer:
            for begin in range(0, len(events), AT_ONCE):
                await asyncio.gather(*map(announcer.announce, events[begin : begin + AT_ONCE]))

    asyncio.run(run())


def _each(settings: Settings, events: list[Viewed]) -> None:
    """As one would write it without an AsyncAnnouncer: flushes that overlap end together."""

    async def announce(announcer: Announcer, event: Viewed) -> None:
        announcer.announce(event)
        await asyncio.to_thread(announcer.flush)

    async def run() -> None:
        with Announcer.from_settings(settings) as announcer:
            for begin in range(0, len(events), AT_ONCE):
                await asyncio.gather(
                    *(announce(announcer, event) for event in events[begin : begin + AT_ONCE])
                )

    asyncio.run(run())


@contextmanager
def _spool() -> Iterator[tuple[Settings, Callable[[], list[int]]]]:
    """Settings of a spool, and what tells which events were recorded in it since that was last asked."""
    with TemporaryDirectory() as folder:
        path, at = Path(folder), [0]

        def recorded() -> list[int]:
            (log,) = found_in([path], "?")
            reader, numbers = LogReader(Segments(log.path, log.log_id)), []
            while True:
                _, lines, at[0] = reader.read(at[0], 1000)
                if not lines:
                    return numbers
                numbers += [json.loads(line)["data"]["n"] for line in lines]

        yield Settings(transport="spool", spool=path, spool_fsync="always"), recorded
