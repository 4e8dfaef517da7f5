"""Relaying beside a worker: the worker handles on, whatever the broker does."""

from __future__ import annotations

import threading
from asyncio import CancelledError
from collections.abc import Callable, Iterator

import pytest

from consumers.outbox.outbox_pipeline import OutboxPipeline, Rough, Sailed
from oyez.consumers import ListenSettings
from oyez.consumers.instrumentation import Instrument, InstrumentationEvent
from oyez.consumers.instrumentation.events import OutboxHeldUp, OutboxMovesOn
from oyez.consumers.outbox.relay_thread import RelayThread
from oyez.consumers.run.assembly import relay_for
from oyez.producers.delays import Delays
from oyez.producers.kafka.transport import KafkaTransport
from oyez.producers.spool.transport import SpoolTransport
from support.waiting import eventually


class Heard:
    """What was told."""

    def __init__(self) -> None:
        self.events: list[InstrumentationEvent] = []

    def receive(self, event: InstrumentationEvent) -> None:
        self.events.append(event)


@pytest.fixture
def outbox_pipeline(pipeline_database: str) -> Iterator[OutboxPipeline]:
    made = OutboxPipeline(pipeline_database)
    yield made
    made.close()


@pytest.fixture
def heard() -> Heard:
    return Heard()


Begin = Callable[..., RelayThread]


@pytest.fixture
def begin(outbox_pipeline: OutboxPipeline, heard: Heard) -> Iterator[Begin]:
    """Starts a thread that relays by a transport."""
    begun: list[RelayThread] = []

    def make(transport: Rough | None = None) -> RelayThread:
        relay = outbox_pipeline.relay(transport)
        begun.append(RelayThread("shop.placed", relay, Instrument(heard), delays=Delays(0.01, 0.05)))
        return begun[-1]

    yield make
    for one in begun:
        one.close()


def test_it_relays_when_it_is_woken(outbox_pipeline: OutboxPipeline, begin: Begin, heard: Heard) -> None:
    thread = begin()
    assert thread._thread is None, "nobody has needed it"
    for n in range(3):
        outbox_pipeline.announce(Sailed(n=n))
        thread.wake()
        eventually(lambda n=n: outbox_pipeline.arrived() == list(range(n + 1)))
    assert heard.events == []


def test_a_broker_that_is_away_is_told_of_once_and_tried_again(
    outbox_pipeline: OutboxPipeline, begin: Begin, heard: Heard
) -> None:
    away = [True]
    rough = Rough(outbox_pipeline.broker, lambda _n: "refuse" if away[0] else None)
    thread = begin(rough)
    outbox_pipeline.announce(Sailed(n=0))
    thread.wake()
    eventually(lambda: len(rough.sends) >= 4)
    assert heard.events == [OutboxHeldUp("shop.placed", "0 is refused")]
    away[0] = False
    eventually(lambda: outbox_pipeline.arrived() == [0])
    eventually(lambda: len(heard.events) == 2)
    assert heard.events[1] == OutboxMovesOn("shop.placed")


def test_waking_never_waits_for_a_broker_that_hangs(outbox_pipeline: OutboxPipeline, begin: Begin) -> None:
    hanging, told = threading.Event(), threading.Event()
    rough = Rough(outbox_pipeline.broker, lambda _n: told.set() or (hanging.wait(30) and None))  # type: ignore[func-returns-value]
    thread = begin(rough)
    outbox_pipeline.announce(Sailed(n=0))
    thread.wake()
    assert told.wait(20)
    for _ in range(100):
        thread.wake()  # from the thread of the test: it would hang here
    assert outbox_pipeline.arrived() == []
    hanging.set()
    eventually(lambda: outbox_pipeline.arrived() == [0])


def test_what_came_last_leaves_before_it_ends(outbox_pipeline: OutboxPipeline, begin: Begin) -> None:
    thread = begin()
    thread.wake()
    eventually(lambda: not thread._woken.is_set())
    outbox_pipeline.announce(*(Sailed(n=n) for n in range(5)))
    thread.close()
    assert outbox_pipeline.arrived() == [0, 1, 2, 3, 4]
    assert thread._thread is not None
    assert not thread._thread.is_alive()


@pytest.mark.parametrize("kind", [ValueError, CancelledError, SystemExit])
def test_an_error_of_any_kind_leaves_the_thread_alive(
    kind: type[BaseException], outbox_pipeline: OutboxPipeline, begin: Begin, heard: Heard
) -> None:
    broken = [True]

    def breaks(_n: int) -> str | None:
        if broken[0]:
            raise kind("a bug\nsomewhere")
        return None

    thread = begin(Rough(outbox_pipeline.broker, breaks))
    outbox_pipeline.announce(Sailed(n=0))
    thread.wake()
    eventually(lambda: heard.events)
    assert heard.events[0] == OutboxHeldUp("shop.placed", f"{kind.__name__}: a bug somewhere")
    broken[0] = False
    eventually(lambda: outbox_pipeline.arrived() == [0])


def test_kafka_gives_up_nothing_by_itself(outbox_pipeline: OutboxPipeline) -> None:
    """The batch is taken back as a whole: one by one, a later event of a key could arrive without an earlier one."""
    settings = ListenSettings(transport="kafka", kafka="127.0.0.1:1", delivery_timeout=4.0, flush_timeout=3.0)
    relay = relay_for(settings, outbox_pipeline.engine)
    transport = relay._make()
    assert isinstance(transport, KafkaTransport)
    assert transport._config["message.timeout.ms"] == 86_400_000
    assert relay._timeout == 3.0


def test_another_transport_is_the_one_that_is_set(outbox_pipeline: OutboxPipeline) -> None:
    relay = relay_for(ListenSettings(transport="spool"), outbox_pipeline.engine)
    assert isinstance(relay._make(), SpoolTransport)


def test_nothing_leaves_into_memory_which_ends_with_the_process(outbox_pipeline: OutboxPipeline) -> None:
    relay = relay_for(ListenSettings(transport="memory"), outbox_pipeline.engine)
    assert relay.run().problem is None, "there is nothing to lose"
    outbox_pipeline.announce(Sailed(n=0))
    done = relay.run()
    assert done.events == 0
    assert "transport memory (OYEZ_TRANSPORT) ends with this process" in (done.problem or "")
    assert outbox_pipeline.left() == [0]
