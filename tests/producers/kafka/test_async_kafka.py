"""Announcing in asyncio over a real Kafka: what announce() has returned for has arrived, a thousand at a time."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from oyez.producers import AsyncAnnouncer, NotAnnounced, Settings, Undelivered
from oyez.producers.kafka.acked import AckedTransport, Answer
from oyez.producers.kafka.link import Link
from oyez.producers.kafka.transport import KafkaTransport
from oyez.producers.transport import Encoded
from oyez.schemas import decode
from producers.kafka.test_batches import LIMIT, small_topic
from producers.kafka.test_transport import records
from producers.shop import PageViewed, known

DURABILITIES = {
    "buffered": {},
    "buffered, with a spool": {"durability": "buffered", "spool": "s"},
    "acked": {"durability": "acked"},
    "spooled": {"durability": "spooled", "spool": "s"},
}


def settings(kafka: str, topic: str, tmp_path: Path, **said: Any) -> Settings:
    given = {
        "transport": "kafka",
        "kafka": kafka,
        "topic": topic,
        "announce_timeout": 20,
        "flush_timeout": 20,
    }
    if "spool" in said:
        said["spool"] = tmp_path / said["spool"]
    return Settings(**(given | said))


def view(n: int, url: str = "") -> PageViewed:
    return PageViewed(session_id=f"s{n % 7}", url=url or f"/{n}")


def of_each_key(kafka: str, topic: str, count: int) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for message in records(kafka, topic, count):
        event = decode(message.value(), message.headers(), message.key(), known)
        found.setdefault(str(event.key), []).append(event.id)
    return found


@pytest.mark.parametrize("durability", DURABILITIES)
def test_a_thousand_at_once_arrive_in_order(kafka: str, topic: str, tmp_path: Path, durability: str) -> None:
    said = settings(kafka, topic, tmp_path, **DURABILITIES[durability])
    ids: dict[str, list[str]] = {}

    async def announce(announcer: AsyncAnnouncer, n: int) -> None:
        ids.setdefault(f"s{n % 7}", []).append(await announcer.announce(view(n)))

    async def run() -> None:
        async with AsyncAnnouncer.from_settings(said, catalogue=known) as announcer:
            await asyncio.gather(*(announce(announcer, n) for n in range(1000)))
            # They are there before anything is closed.
            assert of_each_key(kafka, topic, 1000) == ids

    asyncio.run(run())


@pytest.mark.parametrize("kind", [KafkaTransport, AckedTransport])
def test_they_share_one_flush(
    kafka: str, topic: str, kind: type[KafkaTransport], monkeypatch: pytest.MonkeyPatch
) -> None:
    flushes: list[float] = []
    flush = KafkaTransport.flush

    def counted(self: KafkaTransport, timeout: float) -> None:
        flushes.append(timeout)
        flush(self, timeout)

    monkeypatch.setattr(KafkaTransport, "flush", counted)

    async def run() -> None:
        transport = kind(kafka, announce_timeout=20)
        async with AsyncAnnouncer(transport, source="web-1", topic=topic, catalogue=known) as announcer:
            await asyncio.gather(*(announcer.announce(view(n)) for n in range(1000)))
            assert len(flushes) == 1

    asyncio.run(run())


def test_acked_are_all_on_their_way_before_one_is_waited_for(kafka: str, topic: str) -> None:
    done: list[str] = []

    class Noting(AckedTransport):
        def _produce(self, event: Encoded) -> tuple[Link, Answer]:
            done.append("produce")
            return super()._produce(event)

        def _wait(self, link: Link, answer: Answer) -> None:
            done.append("wait")
            super()._wait(link, answer)

    async def run() -> None:
        transport = Noting(kafka, announce_timeout=20)
        async with AsyncAnnouncer(transport, source="web-1", topic=topic, catalogue=known) as announcer:
            await asyncio.gather(*(announcer.announce(view(n)) for n in range(100)))

    asyncio.run(run())
    assert done == ["produce"] * 100 + ["wait"] * 100


@pytest.mark.parametrize("durability", ["buffered", "acked"])
def test_more_than_the_queue_holds(kafka: str, topic: str, tmp_path: Path, durability: str) -> None:
    options = {"queue.buffering.max.messages": 7}
    said = settings(kafka, topic, tmp_path, durability=durability, kafka_options=options)

    async def run() -> None:
        async with AsyncAnnouncer.from_settings(said, catalogue=known) as announcer:
            await asyncio.gather(*(announcer.announce(view(n)) for n in range(100)))
            assert sum(map(len, of_each_key(kafka, topic, 100).values())) == 100

    asyncio.run(run())


@pytest.mark.parametrize(("durability", "error"), [("buffered", Undelivered), ("acked", NotAnnounced)])
def test_exactly_what_the_broker_does_not_take_raises(
    kafka: str, tmp_path: Path, durability: str, error: type[Exception]
) -> None:
    """Each goes alone: of a batch that is too large the broker takes nothing."""
    topic = small_topic(kafka)
    said = settings(kafka, topic, tmp_path, durability=durability, kafka_options={"batch.num.messages": 1})

    async def run() -> None:
        silent = {"catalogue": known, "on_undelivered": lambda *_: None}
        async with AsyncAnnouncer.from_settings(said, **silent) as announcer:
            events = [view(n, "x" * (2 * LIMIT) if n == 4 else "") for n in range(9)]
            ended = await asyncio.gather(*map(announcer.announce, events), return_exceptions=True)
        assert [n for n, how in enumerate(ended) if isinstance(how, BaseException)] == [4]
        assert isinstance(ended[4], error)
        assert "make it smaller, or raise max.message.bytes of the topic" in str(ended[4])
        arrived = [one for ids in of_each_key(kafka, topic, 8).values() for one in ids]
        assert set(arrived) == {how for how in ended if isinstance(how, str)}

    asyncio.run(run())
