"""What an event is when announce() returns, over Kafka: buffered, acked or spooled."""

from __future__ import annotations

import multiprocessing
import threading
from pathlib import Path
from typing import Any

import pytest

from oyez.producers import Announcer, NotAnnounced, Settings, SettingsError
from oyez.producers.kafka.acked import AckedTransport
from oyez.producers.kafka.durability import from_settings
from oyez.producers.kafka.failover import FailoverTransport
from oyez.producers.kafka.spooled import SpooledTransport
from oyez.producers.kafka.transport import KafkaTransport
from oyez.producers.spool import found_in
from oyez.schemas import decode
from producers.kafka.test_transport import records
from producers.shop import PageViewed, known

# Not forked: threads of clients are here, some of them in the middle of something.
SPAWN = multiprocessing.get_context("spawn")


def settings(**said: Any) -> Settings:
    return Settings(**({"transport": "kafka", "kafka": "127.0.0.1:1", "announce_timeout": 0.5} | said))


@pytest.mark.parametrize(
    ("durability", "spool", "kind"),
    [
        ("buffered", None, KafkaTransport),
        ("buffered", Path("s"), FailoverTransport),
        ("acked", None, AckedTransport),
        ("acked", Path("s"), AckedTransport),
        ("spooled", Path("s"), SpooledTransport),
    ],
)
def test_settings_choose(durability: str, spool: Path | None, kind: type) -> None:
    assert type(from_settings(settings(durability=durability, spool=spool))) is kind


def test_spooled_needs_a_spool() -> None:
    with pytest.raises(SettingsError, match="durability spooled needs a spool: set OYEZ_SPOOL"):
        from_settings(settings(durability="spooled"))


def test_acked_is_there_when_announce_returns(kafka: str, topic: str) -> None:
    said = settings(kafka=kafka, topic=topic, durability="acked", announce_timeout=20)
    with Announcer.from_settings(said, catalogue=known) as announcer:
        ids = [announcer.announce(PageViewed(session_id="s1", url=f"/{n}")) for n in range(5)]
        found = [decode(m.value(), m.headers(), m.key(), known).id for m in records(kafka, topic, 5)]
        assert found == ids


def test_acked_threads_wait_for_their_own_events(kafka: str, topic: str) -> None:
    said = settings(kafka=kafka, topic=topic, durability="acked", announce_timeout=20)
    with Announcer.from_settings(said, catalogue=known) as announcer:

        def announce(session: str) -> None:
            for n in range(20):
                announcer.announce(PageViewed(session_id=session, url=f"/{n}"))

        threads = [threading.Thread(target=announce, args=(f"s{n}",)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(records(kafka, topic, 80)) == 80


def test_acked_is_an_error_with_the_event_when_the_broker_is_away() -> None:
    with Announcer.from_settings(settings(durability="acked"), catalogue=known) as announcer:
        for _ in range(2):
            with pytest.raises(NotAnnounced, match="is away") as caught:
                announcer.announce(PageViewed(session_id="s1", url="/"))
            assert caught.value.event.data == PageViewed(session_id="s1", url="/")
    assert announcer.undelivered == 0, "it was told once"


def test_acked_refuses_what_the_broker_does_not_take(kafka: str, topic: str) -> None:
    said = settings(kafka=kafka, topic=topic, durability="acked", announce_timeout=20)
    with Announcer.from_settings(said, catalogue=known) as announcer:
        with pytest.raises(NotAnnounced, match=r"2000\d+ bytes, 1000000 are allowed"):
            announcer.announce(PageViewed(session_id="s1", url="x" * 2_000_000))
        announcer.announce(PageViewed(session_id="s1", url="/"))


def test_spooled_is_on_disk_when_announce_returns_and_is_shipped(
    kafka: str, topic: str, tmp_path: Path
) -> None:
    said = settings(kafka=kafka, topic=topic, durability="spooled", spool=tmp_path, announce_timeout=20)
    announcer = Announcer.from_settings(said, catalogue=known)
    ids = []
    for n in range(20):
        ids.append(announcer.announce(PageViewed(session_id="s1", url=f"/{n}")))
        (segment,) = (tmp_path / topic).glob("*.ndjson")
        assert ids[-1].encode() in segment.read_bytes()
    found = [decode(m.value(), m.headers(), m.key(), known).id for m in records(kafka, topic, 20)]
    assert found == ids
    announcer.close()


def test_spooled_without_a_broker(tmp_path: Path) -> None:
    said = settings(durability="spooled", spool=tmp_path, flush_timeout=0.2)
    with Announcer.from_settings(said, catalogue=known) as announcer:
        announcer.announce(PageViewed(session_id="s1", url="/"))
    assert announcer.undelivered == 0
    assert [folder.topic for folder in found_in([tmp_path], "?")] == ["oyez.events"]


def announce_to_nobody(said: Settings, ids: Path) -> None:
    """A process that announces while the broker is away, and ends."""
    with Announcer.from_settings(said, catalogue=known) as announcer:
        made = [announcer.announce(PageViewed(session_id="s1", url=f"/{n}")) for n in range(3)]
    assert announcer.undelivered == 0
    ids.write_text("\n".join(made))


def test_a_process_that_ends_while_the_broker_is_away_leaves_its_events_to_the_next(
    kafka: str, topic: str, tmp_path: Path
) -> None:
    away = settings(topic=topic, spool=tmp_path / "spool", flush_timeout=0.2)
    child = SPAWN.Process(target=announce_to_nobody, args=(away, tmp_path / "ids"))
    child.start()
    child.join(60)
    assert child.exitcode == 0
    ids = (tmp_path / "ids").read_text().split()
    there = settings(kafka=kafka, topic=topic, spool=tmp_path / "spool", announce_timeout=20)
    with Announcer.from_settings(there, catalogue=known) as announcer:
        ids += [announcer.announce(PageViewed(session_id="s1", url=f"/{n}")) for n in range(3, 6)]
    found = [decode(m.value(), m.headers(), m.key(), known).id for m in records(kafka, topic, 6)]
    assert found == ids
