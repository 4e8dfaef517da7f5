"""Another client's partitioner, on a real Kafka: librdkafka's own default puts keys elsewhere; murmur2 does not."""

from __future__ import annotations

import pytest
from confluent_kafka import Producer

from integration.deployment import Deployment
from integration.shop import Ticked, known
from integration.stepped_workers import Workers
from oyez.consumers.database.misplaced import read
from oyez.schemas.encoding import Encoder

TICKS = 40


def _write(deployment: Deployment, source: str, partitioner: str) -> None:
    """Events of another client, with its partitioner."""
    producer = Producer({"bootstrap.servers": deployment.env["OYEZ_KAFKA"], "partitioner": partitioner})
    encode = Encoder(source, known).encode
    for n in range(TICKS):
        value = encode(Ticked(n=n), id=str(n), time="2026-01-01T00:00:00Z", key=f"k{n}", subject=None)
        producer.produce(deployment.topic, value, f"k{n}")
    assert producer.flush(20) == 0


@pytest.mark.parametrize(
    ("partitioner", "sources"), [("consistent_random", ["/other"]), ("murmur2_random", [])]
)
def test_a_client_with_another_partitioner_is_named(
    partitioner: str, sources: list[str], tickers: Workers, deployment: Deployment
) -> None:
    _write(deployment, "/other", partitioner)
    tickers.join("ticked")
    tickers.until(lambda: len(tickers.ticks()) == TICKS)
    with deployment.engine.connect() as db:
        found = read(db).get(f"{deployment.app}.ticked", [])
    assert [(one.topic, one.source) for one in found] == [(deployment.topic, name) for name in sources]
    assert all("partitioner=murmur2_random" in one.advice for one in found)
