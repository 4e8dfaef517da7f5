"""The memory broker has Kafka's semantics."""

import pytest

from oyez.producers import MemoryBroker
from oyez.producers.partitioning import murmur2, partition_of


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("21", -973932308),
        ("foobar", -790332482),
        ("a-little-bit-long-string", -985981536),
        ("a-little-bit-longer-string", -1486304829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        ("abc", 479470107),
    ],
)
def test_murmur2_as_the_java_client_computes_it(text: str, value: int) -> None:
    assert murmur2(text.encode()) == value % 2**32


def test_one_key_one_partition_and_offsets_in_order() -> None:
    broker = MemoryBroker(partitions=8)
    for n in range(10):
        broker.append("t", b"k", str(n).encode())
    partition = partition_of(b"k", 8)
    records = broker.read("t", partition, 0, 100)
    assert [(record.offset(), record.value()) for record in records] == [
        (n, str(n).encode()) for n in range(10)
    ]
    assert {(r.topic(), r.partition(), r.key()) for r in records} == {("t", partition, b"k")}
    assert broker.end("t", partition) == 10
    assert [record.offset() for record in broker.read("t", partition, 7, 2)] == [7, 8]
    assert broker.read("t", partition, 10, 5) == []


def test_without_a_key_the_partition_is_chosen() -> None:
    broker = MemoryBroker(partitions=3, choose=lambda n: n - 1)
    assert broker.append("t", None, b"v").partition() == 2


def test_topics_have_ids_and_partitions_of_their_own() -> None:
    broker = MemoryBroker(partitions=2)
    first = broker.topic_id("t")
    assert first == broker.topic_id("t") != broker.topic_id("u")
    broker.append("t", b"k", b"v", [("h", b"1")])
    broker.add_partitions("t", 5)
    assert (broker.partitions("t"), broker.partitions("u")) == (5, 2)
    broker.delete("t")
    assert broker.topic_id("t") != first
    assert sum(broker.end("t", partition) for partition in range(2)) == 0
