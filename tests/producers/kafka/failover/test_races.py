"""Threads that announce while others go over to the spool, and return."""

from __future__ import annotations

import logging
import sys
import threading
from pathlib import Path

import pytest

from oyez.producers.kafka.failover import State
from producers.kafka.failover.failover_pipeline import FailoverPipeline
from producers.kafka.failover.fakes import FakeProducer


@pytest.fixture
def pipeline(tmp_path: Path) -> FailoverPipeline:
    made = FailoverPipeline(tmp_path)
    made.announce()
    made.producer.deliver(1)
    return made


def test_an_event_that_came_late_into_a_queue_in_use_takes_the_others_along(
    pipeline: FailoverPipeline,
) -> None:
    """Spooled alone, it would be behind; the others would be delivered later than what is announced next."""

    def others() -> None:
        outlet = pipeline.transport._outlet
        assert outlet is not None
        pipeline.transport._go_over(outlet, "a race")
        pipeline.announce("b")
        pipeline.ship()
        pipeline.announce("b")
        assert pipeline.state() is State.DIRECT

    pipeline.announce()
    pipeline.producer.in_the_middle = others
    pipeline.announce()
    pipeline.announce("b")
    pipeline.settle()
    pipeline.check()


def test_an_event_that_came_late_into_a_dead_client_takes_those_of_its_successor_along(
    pipeline: FailoverPipeline,
) -> None:
    def others() -> None:
        outlet = pipeline.transport._outlet
        assert outlet is not None
        pipeline.transport._go_over(outlet, "a race")
        pipeline.announce("b")
        pipeline.ship()
        outlet.is_dead = True
        pipeline.announce("b")
        assert pipeline.transport._outlet is not outlet
        assert pipeline.state() is State.DIRECT

    pipeline.announce()
    pipeline.producer.in_the_middle = others
    pipeline.announce()
    pipeline.announce("b")
    pipeline.ship()
    pipeline.settle()
    pipeline.check()


def test_threads_announce_while_the_broker_comes_and_goes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Real threads, with a switch after nearly every instruction."""
    caplog.set_level(logging.CRITICAL)
    pipeline = FailoverPipeline(tmp_path)
    pipeline.announce("z")
    pipeline.producer.settle()
    stop = threading.Event()

    def announce(thread: str) -> None:
        for _ in range(150):
            pipeline.announce(thread)

    def come_and_go() -> None:
        while not stop.wait(0.001):
            producer: FakeProducer = pipeline.producer
            producer.deliver(pipeline.dice.randrange(6))
            pipeline.ship()
            outlet = pipeline.transport._outlet
            if pipeline.dice.random() < 0.2 and outlet is not None:
                pipeline.transport._go_over(outlet, "away")

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    threads = [threading.Thread(target=announce, args=(name,)) for name in "abcd"]
    other = threading.Thread(target=come_and_go)
    try:
        for thread in (*threads, other):
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        stop.set()
        other.join()
        pipeline.producer.settle()
        sys.setswitchinterval(interval)
    pipeline.settle()
    pipeline.check()
    assert len(set(pipeline.broker.firsts())) == 601
