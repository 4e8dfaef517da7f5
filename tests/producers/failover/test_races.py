"""Threads that announce while others go over to the spool, and return."""

from __future__ import annotations

import logging
import sys
import threading
from pathlib import Path

import pytest

from oyez.producers.kafka.failover import State
from producers.failover.fakes import FakeProducer
from producers.failover.stage import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    made = Stage(tmp_path)
    made.announce()
    made.producer.deliver(1)
    return made


def test_an_event_that_came_late_into_a_queue_in_use_takes_the_others_along(stage: Stage) -> None:
    """Spooled alone, it would be behind; the others would be delivered later than what is announced next."""

    def others() -> None:
        outlet = stage.transport._outlet
        assert outlet is not None
        stage.transport._go_over(outlet, "a race")
        stage.announce("b")
        stage.drain()
        stage.announce("b")
        assert stage.state() is State.DIRECT

    stage.announce()
    stage.producer.in_the_middle = others
    stage.announce()
    stage.announce("b")
    stage.settle()
    stage.check()


def test_an_event_that_came_late_into_a_dead_client_takes_those_of_its_successor_along(stage: Stage) -> None:
    def others() -> None:
        outlet = stage.transport._outlet
        assert outlet is not None
        stage.transport._go_over(outlet, "a race")
        stage.announce("b")
        stage.drain()
        outlet.is_dead = True
        stage.announce("b")
        assert stage.transport._outlet is not outlet
        assert stage.state() is State.DIRECT

    stage.announce()
    stage.producer.in_the_middle = others
    stage.announce()
    stage.announce("b")
    stage.drain()
    stage.settle()
    stage.check()


def test_threads_announce_while_the_broker_comes_and_goes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Real threads, with a switch after nearly every instruction."""
    caplog.set_level(logging.CRITICAL)
    stage = Stage(tmp_path)
    stage.announce("z")
    stage.producer.settle()
    stop = threading.Event()

    def announce(thread: str) -> None:
        for _ in range(150):
            stage.announce(thread)

    def come_and_go() -> None:
        while not stop.wait(0.001):
            producer: FakeProducer = stage.producer
            producer.deliver(stage.dice.randrange(6))
            stage.drain()
            outlet = stage.transport._outlet
            if stage.dice.random() < 0.2 and outlet is not None:
                stage.transport._go_over(outlet, "away")

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
        stage.producer.settle()
        sys.setswitchinterval(interval)
    stage.settle()
    stage.check()
    assert len(set(stage.broker.firsts())) == 601
