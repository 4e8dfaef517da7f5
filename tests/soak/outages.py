"""Servers announce while their broker is killed, frozen and started again; each has a spool before it."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka import Consumer, TopicPartition

from oyez.consumers.dev import Kafka
from oyez.producers import Announcer, Settings
from oyez.producers.spool import found_in
from oyez.producers.spool_shipping import LogShipper
from oyez.schemas import Catalogue, Signal
from soak.figures import Figures
from support.services import make_topic, unique
from support.waiting import eventually

known = Catalogue()
SERVERS = 3


class Viewed(Signal, name="outage.viewed", key="session_id", catalogue=known):
    session_id: str
    n: int


class Server:
    """A process that announces until it is told to stop, and writes down what it announced and how long each took."""

    def __init__(self, source: str, settings: dict[str, str], folder: Path, pause: float) -> None:
        self._record = folder / f"{source}.json"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "soak.outages", source, str(self._record), str(pause)],
            stdin=subprocess.PIPE,
            stderr=(folder / f"{source}.log").open("wb"),
            env=settings,
        )

    def stop(self) -> None:
        """Let it come to its end."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.stdin.close()
        self._process.wait(90)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def said(self) -> dict[str, list[float]]:
        """What it wrote: the ids by session, and the seconds that each `announce()` took."""
        read: dict[str, list[float]] = json.loads(self._record.read_text())
        return read


def outages(
    broker: Kafka,
    folder: Path,
    settings: dict[str, str],
    *,
    grown: tuple[int, int],
    rounds: int,
    seed: int,
    pause: float = 0.002,
    timeout: float = 1.0,
    tell: Callable[[str], None] = lambda text: None,
) -> Figures:
    """All that was announced arrives, in order for each source and session; and how long `announce()` took.

    Each of the ``rounds`` is a kill and a freeze, during which every server spools so many bytes (from, to).
    """
    dice, topic = random.Random(seed), make_topic(broker.bootstrap, unique("outages"))
    environment = {
        **settings,
        "OYEZ_KAFKA": broker.bootstrap,
        "OYEZ_TOPIC": topic,
        "OYEZ_ANNOUNCE_TIMEOUT": str(timeout),
    }
    spools = [folder / f"spool-{n}" for n in range(SERVERS)]
    with _servers(environment, spools, folder, pause) as servers:
        for number in range(rounds):
            outage(spools, broker.kill, broker.restart, dice.randrange(*grown))
            outage(spools, broker.freeze, broker.thaw, dice.randrange(*grown))
            tell(f"outages: {number + 1} of {rounds} rounds")
        for server in servers:
            server.stop()
    _drain(environment, spools)
    said = {f"web-{n}": server.said() for n, server in enumerate(servers)}
    return _judged(said, read_all(broker.bootstrap, topic), spools, seed)


def outage(
    spools: Sequence[Path], begin: Callable[[], object], end: Callable[[], object], grown: int
) -> None:
    """One that lasts until every server has spooled so many bytes; then until all of it is shipped."""
    before = {spool: _size(spool) for spool in spools}
    begin()
    eventually(lambda: all(_size(spool) > before[spool] + grown for spool in spools), 60)
    end()
    eventually(lambda: not any(map(has_backlog, spools)), 60)


def has_backlog(spool: Path) -> bool:
    """Whether something in it was not shipped."""
    return any(LogShipper(folder).has_backlog() for folder in found_in([spool], ""))


def _size(spool: Path) -> int:
    return sum(file.stat().st_size for file in spool.glob("*/*.ndjson"))


@contextmanager
def _servers(
    settings: dict[str, str], spools: Sequence[Path], folder: Path, pause: float
) -> Iterator[list[Server]]:
    servers: list[Server] = []
    try:
        for n, spool in enumerate(spools):
            servers.append(Server(f"web-{n}", {**settings, "OYEZ_SPOOL": str(spool)}, folder, pause))
        yield servers
    finally:
        for server in servers:
            server.kill()


def _drain(settings: dict[str, str], spools: Sequence[Path]) -> None:
    """What a server left in its spool when it ended."""
    for spool in spools:
        if spool.exists():
            command = [sys.executable, "-m", "oyez.consumers.cli", "spool", "ship", str(spool)]
            subprocess.run(command, env=settings, check=True, timeout=60, capture_output=True)


def read_all(address: str, topic: str) -> list[tuple[str, str, str]]:
    """Source, session and id of all that is in a topic, partition by partition."""
    consumer = Consumer({"bootstrap.servers": address, "group.id": topic, "enable.auto.commit": False})
    found, ends = [], {}
    for number in consumer.list_topics(topic, 10).topics[topic].partitions:
        ends[number] = consumer.get_watermark_offsets(TopicPartition(topic, number), 10)[1]
    consumer.assign([TopicPartition(topic, number, 0) for number in ends])

    def read() -> bool:
        for message in consumer.consume(10_000, 0.5):
            event = json.loads(message.value() or b"")
            found.append((event["source"], event["partitionkey"], event["id"]))
        return len(found) >= sum(ends.values())

    eventually(read, 60)
    consumer.close()
    return found


def _judged(
    said: dict[str, dict[str, list[float]]],
    found: Sequence[tuple[str, str, str]],
    spools: Sequence[Path],
    seed: int,
) -> Figures:
    arrived: dict[tuple[str, str], list[object]] = {}
    for source, session, event_id in dict.fromkeys(found):
        arrived.setdefault((source, session), []).append(event_id)
    took = sorted(seconds for one in said.values() for seconds in one.pop("seconds"))
    announced = {(source, session): ids for source, one in said.items() for session, ids in one.items()}
    wrong = [
        f"{source} {session}: {len(ids)} announced, {len(arrived.get((source, session), []))} arrived, or out of order"
        for (source, session), ids in announced.items()
        if arrived.get((source, session), []) != ids
    ]
    spooled = sum(map(_size, spools))
    values = {
        "seed": seed,
        "servers": len(said),
        "announced": len(took),
        "repeated": len(found) - len(set(found)),
        "spooled MB": round(spooled / 1e6, 1),
        "announce p50 ms": round(took[len(took) // 2] * 1e3, 3),
        "announce p99 ms": round(took[int(len(took) * 0.99)] * 1e3, 3),
        "announce max ms": round(took[-1] * 1e3, 1),
    }
    return Figures("outages", values, tuple(wrong[:5]))


def main(source: str, record: str, pause: str) -> None:
    """Announce views of ten sessions in turn until stdin ends."""
    said: dict[str, list[object]] = {"seconds": []}
    done = _told_to_stop()
    announcer = Announcer.from_settings(Settings(source=source), catalogue=known)
    n = 0
    while not done():
        session = f"{source}-{n % 10}"
        begin = time.perf_counter()
        event_id = announcer.announce(Viewed(session_id=session, n=n))
        said["seconds"].append(time.perf_counter() - begin)
        said.setdefault(session, []).append(event_id)
        n += 1
        time.sleep(float(pause))
    announcer.close()
    assert announcer.undelivered == 0
    Path(record).write_text(json.dumps(said))


def _told_to_stop() -> Callable[[], bool]:
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    return ended.is_set


if __name__ == "__main__":
    main(*sys.argv[1:])
