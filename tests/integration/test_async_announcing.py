"""Announcing in asyncio while Kafka is away: the loop goes on, each event ends as it says, nothing is lost silently."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator
from typing import Any

import pytest

from integration.rows.test_kafka_down_producer_side import arrived, freeze
from oyez.consumers.dev import Kafka
from oyez.producers import AsyncAnnouncer, NotAnnounced, Settings, Undelivered
from producers.shop import PageViewed, known
from support.services import make_topic, unique
from support.waiting import eventually, soon

Ends = list[str | BaseException]  # an id for each that was announced, else why not


@pytest.fixture(scope="module")
def broker() -> Iterator[Kafka]:
    """A broker of our own, which we may stop."""
    with Kafka() as running:
        yield running


@pytest.fixture
def place(broker: Kafka) -> str:
    return make_topic(broker.bootstrap, unique("async"))


def announcer_to(address: str, topic: str, **said: Any) -> AsyncAnnouncer:
    given: dict[str, Any] = {"announce_timeout": 2, "flush_timeout": 2, "delivery_timeout": 60}
    settings = Settings(transport="kafka", kafka=address, topic=topic, **(given | said))
    return AsyncAnnouncer.from_settings(settings, catalogue=known, on_undelivered=lambda *_: None)


def view(n: int) -> PageViewed:
    return PageViewed(session_id="s1", url=f"/{n}")


class Turns:
    """A task that counts the turns of the loop: it goes on as long as nothing blocks."""

    def __init__(self) -> None:
        self.count = 0
        self._task = asyncio.create_task(self._turn())

    async def _turn(self) -> None:
        while True:
            self.count += 1
            await asyncio.sleep(0.001)

    async def during(self, announced: Awaitable[Ends]) -> Ends:
        """What comes of it; the loop made twenty turns at least meanwhile."""
        before = self.count
        result = await announced
        assert self.count >= before + 20, "the loop stood still"
        return result

    def end(self) -> None:
        self._task.cancel()


async def ended(announcer: AsyncAnnouncer, numbers: range) -> Ends:
    return await asyncio.gather(*(announcer.announce(view(n)) for n in numbers), return_exceptions=True)


@pytest.mark.parametrize("durability", ["buffered", "acked"])
def test_the_loop_goes_on_while_a_broker_is_silent(broker: Kafka, place: str, durability: str) -> None:
    async def run() -> list[str]:
        turns = Turns()
        async with announcer_to(broker.bootstrap, place, durability=durability) as announcer:
            ids = [await soon_announced(announcer)]
            freeze(broker)
            try:
                waited_for = await turns.during(ended(announcer, range(1, 6)))
                for how in waited_for + await ended(announcer, range(6, 7)):
                    assert isinstance(how, Undelivered | NotAnnounced), "nobody has acknowledged it"
            finally:
                broker.thaw()
            ids.append(await soon_announced(announcer))
            turns.end()
        return ids

    ids = asyncio.run(run())
    # What had no answer may have arrived all the same; what has one is there.
    assert set(ids) <= set(all_of(broker, place, len(ids)))


async def soon_announced(announcer: AsyncAnnouncer) -> str:
    """Announce until the broker is back."""
    answers: list[str] = []

    async def keep_on() -> None:
        while not answers:
            (how,) = await ended(announcer, range(9, 10))
            answers.extend([how] if isinstance(how, str) else [])

    await asyncio.wait_for(keep_on(), 60)
    return answers[0]


def reader_of(broker: Kafka, topic: str) -> tuple[Any, list[int]] | None:
    """A client, and where it says that the topic's partitions end; None if it does not know them all. It keeps for
    minutes what it was told: the next one may know."""
    from confluent_kafka import Consumer, KafkaException, TopicPartition

    reader = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": unique("all")})
    try:
        return reader, [
            reader.get_watermark_offsets(TopicPartition(topic, n), timeout=20)[1] for n in range(4)
        ]
    except KafkaException:
        reader.close()
        return None


def all_of(broker: Kafka, topic: str, least: int) -> list[str]:
    from confluent_kafka import TopicPartition

    from oyez.schemas import decode

    reader, ends = eventually(lambda: reader_of(broker, topic))
    found: list[str] = []
    for partition, end in enumerate(ends):
        reader.assign([TopicPartition(topic, partition, 0)])
        at = 0
        while at < end:
            for message in reader.consume(1000, 1.0):
                at = message.offset() + 1
                found.append(decode(message.value(), message.headers(), message.key(), known).id)
    reader.close()
    assert len(found) >= least
    return found


def test_the_loop_goes_on_while_a_broker_is_looked_for(place: str) -> None:
    async def run() -> None:
        turns = Turns()
        async with announcer_to("127.0.0.1:1", place) as announcer:
            for how in await turns.during(ended(announcer, range(3))):
                assert isinstance(how, NotAnnounced)
                assert "the broker at 127.0.0.1:1 is away" in str(how)
            assert announcer.announced == 0
        turns.end()

    asyncio.run(run())


@pytest.mark.parametrize("durability", ["buffered", "acked"])
def test_a_broker_that_is_killed_under_way(broker: Kafka, place: str, durability: str) -> None:
    """Many announce without a pause; what announce() has returned for is there when the broker is back."""

    async def run() -> tuple[list[str], int]:
        ids: list[str] = []
        failed = 0
        is_over = False

        async def announce_on(who: int) -> None:
            nonlocal failed
            n = 0
            while not is_over:
                n += 1
                try:
                    ids.append(await announcer.announce(PageViewed(session_id=f"s{who}", url=f"/{n}")))
                except (Undelivered, NotAnnounced):
                    failed += 1
                    await asyncio.sleep(0.01)

        async with announcer_to(broker.bootstrap, place, durability=durability) as announcer:
            tasks = [asyncio.create_task(announce_on(who)) for who in range(20)]
            await soon(lambda: len(ids) > 200)
            broker.kill()
            await soon(lambda: failed > 20)
            before = len(ids)
            await asyncio.to_thread(broker.restart)
            await soon(lambda: len(ids) > before + 200)
            is_over = True
            await asyncio.gather(*tasks)
        return ids, failed

    ids, failed = asyncio.run(run())
    assert failed
    assert set(ids) <= set(all_of(broker, place, len(ids)))


def test_with_a_spool_nothing_fails(broker: Kafka, place: str, tmp_path: Any) -> None:
    async def run() -> list[str]:
        async with announcer_to(broker.bootstrap, place, spool=tmp_path) as announcer:
            ids = [await announcer.announce(view(0))]
            broker.kill()
            turns = Turns()
            ids += [one for one in await turns.during(ended(announcer, range(1, 50))) if isinstance(one, str)]
            turns.end()
            await asyncio.to_thread(broker.restart)
            assert await asyncio.to_thread(arrived, broker, place, 50) == set(ids)
        return ids

    assert len(asyncio.run(run())) == 50
