"""An undecodable or invalid event; and events of other producers, which are neither."""

from __future__ import annotations

import json
from typing import Any

from cloudevents.core.bindings import kafka as binding
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from confluent_kafka import Producer
from sqlalchemy import select

from integration.deployment import Deployment
from integration.findings import CLEAN, Announced, effects
from integration.shop import Started, Viewed
from integration.stepped_workers import Workers
from oyez.consumers.database.tables import dead, parked

CANONICAL = (
    '{"specversion":"1.0","type":"page.viewed","source":"web-9","id":"e9","time":"2026-01-01T00:00:00Z"'
)

BAD: dict[bytes | None, str] = {
    b"not json": "the value is not JSON",
    None: "no value",
    b"[1]": "not an object",
    b'{"specversion":"1.0","type":"page.viewed","id":"x"}': "source: Field required",
    CANONICAL.encode() + b',"partitionkey":"s","data":{"session_id":5}}': "session_id",
    CANONICAL.encode() + b',"data":{"session': "the value is not JSON",
}


class Partition:
    """One partition, into which anything can be put."""

    def __init__(self, deployment: Deployment) -> None:
        self._producer = Producer({"bootstrap.servers": deployment.env["OYEZ_KAFKA"]})
        self._topic = deployment.topic

    def put(self, value: bytes | None, headers: dict[str, bytes] | None = None) -> None:
        self._producer.produce(self._topic, value, b"s", 2, headers=headers or {})
        assert self._producer.flush(20) == 0


def test_a_bad_record_is_one_dead_letter_for_the_application(
    workers: Workers, deployment: Deployment
) -> None:
    for group in ("page.viewed", "visits", "session.started"):
        workers.join(group)
    partition = Partition(deployment)
    for value in BAD:
        partition.put(value, {"trace": b"\xff\x00"})
    deployment.say(Started(session_id="s"), Viewed(session_id="s"))
    found = workers.settle()

    assert (found.lost, found.doubled, found.dead) == (0, 0, len(BAD))
    with deployment.engine.connect() as db:
        letters = db.execute(select(dead).order_by(dead.c.position)).all()
    for (value, reason), letter in zip(BAD.items(), letters, strict=True):
        assert letter.value == value
        assert reason in letter.error
        assert letter.reason == "undecodable"
        assert (letter.app, letter.topic, letter.partition) == (deployment.app, deployment.topic, 2)
        assert json.loads(letter.headers) == [["trace", "\xff\x00"]]
    assert [letter.position for letter in letters] == list(range(len(BAD)))


def _foreign(signal: str, event_id: str, **attributes: Any) -> CloudEvent:
    given = {
        "id": event_id,
        "source": "/elsewhere",
        "type": signal,
        "specversion": "1.0",
        "datacontenttype": "application/json",
        "partitionkey": "s",
    }
    return CloudEvent(given | attributes, {"session_id": "s"})


def _put(partition: Partition, message: binding.KafkaMessage) -> None:
    value = message.value if isinstance(message.value, bytes | None) else str(message.value).encode()
    headers = {k: v if isinstance(v, bytes) else str(v).encode() for k, v in message.headers.items()}
    partition.put(value, headers)


def test_events_of_other_producers_are_handled_and_wait_as_ours_do(
    workers: Workers, deployment: Deployment
) -> None:
    for group in ("page.viewed", "visits"):
        workers.join(group)
    partition = Partition(deployment)
    _put(partition, binding.to_binary(_foreign("page.viewed", "binary"), JSONFormat()))
    _put(partition, binding.to_structured(_foreign("page.viewed", "structured"), JSONFormat()))
    _put(partition, binding.to_binary(_foreign("unheard.of", "other"), JSONFormat()))

    def waiting() -> list[str]:
        with deployment.engine.connect() as db:
            return sorted(db.execute(select(parked.c.event_id)).scalars())

    workers.until(lambda: waiting() == ["binary"] * 3 + ["structured"] * 3)
    workers.join("session.started")
    _put(partition, binding.to_structured(_foreign("session.started", "start"), JSONFormat()))
    views = [Announced("Viewed", "s", "/elsewhere", name) for name in ("binary", "structured")]
    started = Announced("Started", "s", "/elsewhere", "start")
    workers.until(lambda: not waiting() and effects(deployment.engine).total() == 6)
    assert workers.compare([started, *views]) == CLEAN
