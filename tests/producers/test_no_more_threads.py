"""A system that has no more threads (MOCK: `Thread.start` fails as it does then) loses nothing, and is no traceback."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer

from oyez.producers.errors import SettingsError, TransportRefused
from oyez.producers.kafka import link as links
from oyez.producers.kafka.spooled import SpooledTransport
from oyez.producers.kafka.transport import KafkaTransport
from oyez.producers.pass_thread import Next, PassThread
from oyez.producers.spool import Writer
from producers.kafka.failover.failover_pipeline import FailoverPipeline
from producers.spool.appending import lines_of
from support.waiting import eventually

Free = Callable[[], None]


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> Iterator[Free]:
    """Threads can be had again."""

    def start(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", start)
        yield patched.undo


class Shipping:
    """Passes that are counted."""

    def __init__(self) -> None:
        self.count = 0

    def run(self, _stop: Callable[[], bool], _is_last: bool, /) -> Next:
        self.count += 1
        return Next()

    def close(self) -> None: ...


def test_what_is_recorded_is_shipped_later(
    tmp_path: Path, free: Free, caplog: pytest.LogCaptureFixture
) -> None:
    shipping = Shipping()
    background = PassThread("oyez-shipper", lambda: shipping)
    transport = SpooledTransport(tmp_path, lambda path, topic: Writer(path, topic, fsync="never"), background)
    for _ in range(3):
        transport.send("t", None, b"{}")
    assert len(lines_of(tmp_path)) == 3
    assert [record.message for record in caplog.records] == [
        "oyez-shipper waits until the system has a thread for it: can't start new thread"
    ]
    free()
    transport.send("t", None, b"{}")
    eventually(lambda: shipping.count)
    transport.close(60.0)
    assert len(lines_of(tmp_path)) == 4


def test_nothing_is_taken_where_nobody_could_look_at_the_broker(tmp_path: Path, free: Free) -> None:
    pipeline = FailoverPipeline(tmp_path)
    for _ in range(2):
        with pytest.raises(
            TransportRefused, match="look whether the broker is there: can't start new thread"
        ):
            pipeline.transport.send("t", None, b"{}")
    free()
    assert pipeline.announce()
    pipeline.settle()
    pipeline.check()


def test_the_same_without_a_spool(kafka: str, topic: str, free: Free) -> None:
    transport = KafkaTransport(kafka)
    for _ in range(2):
        with pytest.raises(TransportRefused, match="can't start new thread"):
            transport.send(topic, None, b"{}")
    free()
    transport.send(topic, None, b"{}")
    failed: list[bytes] = []
    transport.report_to(lambda value, _reason: failed.append(value))
    transport.close(30.0)
    assert failed == []


def test_a_client_that_gets_no_threads_is_no_wrong_option(monkeypatch: pytest.MonkeyPatch) -> None:
    """MOCK of a client that the system has no threads for."""

    def refuse(code: int) -> Callable[..., Producer]:
        def make(*_: object, **__: object) -> Producer:
            raise KafkaException(KafkaError(code, "Failed to create thread"))

        return make

    monkeypatch.setattr(links, "Producer", refuse(KafkaError._CRIT_SYS_RESOURCE))
    with pytest.raises(TransportRefused, match="has no room for a Kafka client: Failed to create thread"):
        links.make_producer({})
    monkeypatch.setattr(links, "Producer", refuse(KafkaError._INVALID_ARG))
    with pytest.raises(SettingsError, match="OYEZ_KAFKA_OPTIONS"):
        links.make_producer({})
