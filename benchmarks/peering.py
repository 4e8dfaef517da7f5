"""Oyez beside other libraries on the same topic and the same work, each in a process of its own.

They are in an environment of their own, which is made from `peers/requirements.txt` when it is first asked for, below
`build`. OYEZ_BENCH_PEERS names the folder of another one instead.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bed import Row, Services, database, fill, new_topic
from environments import environment
from listening import effects, fresh
from processes import LIMIT, clean
from signals import encoded, views
from sqlalchemy import Engine

PEERS = Path(__file__).parent / "peers"
WANTED = PEERS / "requirements.txt"
WORKS = {
    "nothing": "a do-nothing handler, at least once",
    "insert": "one INSERT for each event, PostgreSQL, ours exactly once",
}


class Peer(NamedTuple):
    """A script in `peers`, the package whose version is told, how it is used, and of how many events it gets one."""

    script: str
    package: str
    how: str
    share: int


ONE_BY_ONE = 20
ALL = (
    Peer("faststream_one", "faststream", "confluent, one event a call", ONE_BY_ONE),
    Peer("faststream_batch", "faststream", "confluent, batches", 1),
    Peer("quix", "quixstreams", "", 1),
    Peer("arroyo_steps", "sentry-arroyo", "", 1),
    Peer("aiokafka_loop", "aiokafka", "by hand, batches", 1),
)


def rows(services: Services, count: int, turns: int) -> Iterator[Row]:
    where = environment("peers", WANTED)
    topic = new_topic(services.kafka)
    fill(services.kafka, topic, encoded(views(count)))
    with database(services) as url:
        engine = fresh(url)
        for work, said in WORKS.items():
            beside = {peer: Row(said, named(where, peer), 1.0) for peer in ALL}
            for turn in range(turns):
                ours = _run(Path(sys.prefix), "ours", work, services.kafka, topic, engine, count)
                for peer, row in list(beside.items())[:: 1 if turn % 2 else -1]:
                    events = max(1, count // peer.share)
                    theirs = _run(where, peer.script, work, services.kafka, topic, engine, events)
                    row.add("ours", count, *ours)
                    row.add("loop", events, *theirs)
            yield from beside.values()
        engine.dispose()


def named(where: Path, peer: Peer) -> str:
    """With its version, as it is installed there."""
    ask = f"from importlib.metadata import version; print(version({peer.package!r}))"
    asked = [where / "bin" / "python", "-c", ask]
    number = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
    return " ".join(filter(None, [peer.package, number, peer.how]))


def _run(
    where: Path, script: str, work: str, kafka: str, topic: str, engine: Engine, count: int
) -> tuple[float, list[int]]:
    """How many seconds it took, and the numbers of what was handled; of what left an effect, if there is one."""
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    command = [where / "bin" / "python", PEERS / f"{script}.py", work, kafka, topic, url, str(count)]
    done = subprocess.run(
        command, env=clean(), capture_output=True, text=True, timeout=10 * LIMIT, check=False
    )
    assert done.returncode == 0, f"{script}: {done.stderr}"
    said = json.loads(done.stdout.splitlines()[-1])
    inserted = effects(engine)
    return said["seconds"], inserted if work == "insert" else said["numbers"]
