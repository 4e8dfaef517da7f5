"""The states of a topic: what leads from one to the other, and what each does with an event."""

from __future__ import annotations

import gc
import os
import weakref
from pathlib import Path

import pytest

from oyez.producers.errors import TransportRefused
from oyez.producers.kafka.failover import NEXT, State
from oyez.producers.kafka.failover.order import in_announce_order
from oyez.producers.kafka.failover.outlet import Failed
from producers.failover.fakes import event
from producers.failover.stage import ROOM, Stage
from producers.spooling import DEEP
from support.waiting import eventually


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    made = Stage(tmp_path)
    made.announce()
    made.producer.deliver(1)
    return made


def spooled(stage: Stage) -> int:
    """How many events the spool has."""
    return sum(len(file.read_bytes().splitlines()) for file in stage.path.glob("t/*.ndjson"))


def test_while_all_is_well_nothing_is_spooled_and_no_folder_is_made(stage: Stage) -> None:
    assert stage.state() is State.DIRECT
    assert list(stage.path.iterdir()) == []


def test_what_is_nested_too_deep_has_no_place_among_the_others() -> None:
    events = [event("a", n) for n in range(2)]
    failed = [Failed("t", value, "away") for value in (events[1], DEEP, events[0])]
    assert [one.value for one in in_announce_order(failed)["t"]] == [DEEP, *events]


def test_silence_leads_to_the_spool(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    stage.announce()
    stage.be_silent()
    assert stage.state() is State.SPOOLING
    stage.announce()
    assert spooled(stage) == 2
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 1
    assert "the broker is away: no acknowledgement for 5 s" in lines[0]


def test_no_silence_where_nothing_waits_or_something_arrives(stage: Stage) -> None:
    stage.be_silent()
    stage.announce()
    for _ in range(20):
        stage.announce()
        stage.producer.deliver(1)
        stage.now += 1
        stage.transport.look()
    assert stage.state() is State.DIRECT


def test_the_first_failure_leads_to_the_spool(stage: Stage) -> None:
    stage.announce()
    stage.announce()
    stage.producer.fail_all()
    assert eventually(lambda: stage.transport.look() or stage.state() is State.SPOOLING)
    assert spooled(stage) == 2


def test_a_failure_is_noticed_by_those_who_announce(stage: Stage) -> None:
    stage.announce()
    stage.producer.fail_all()
    stage.producer.is_refused = False
    assert stage.producer.calls
    for _ in range(1_000):
        stage.announce()
        stage.producer.deliver(1)
    assert stage.state() is State.SPOOLING


def test_a_queue_that_stays_full_leads_to_the_spool(stage: Stage) -> None:
    for _ in range(ROOM):
        stage.announce()
    assert stage.state() is State.DIRECT
    assert stage.announce()
    assert stage.state() is State.SPOOLING
    assert spooled(stage) == ROOM + 1


def test_a_queue_that_is_full_for_a_moment_does_not(stage: Stage) -> None:
    for _ in range(ROOM):
        stage.announce()
    producer = stage.producer
    producer.poll = lambda _timeout: producer.deliver(1)  # type: ignore[method-assign]
    assert stage.announce()
    assert stage.state() is State.DIRECT


def test_a_flush_that_ends_in_time_spools_what_has_not_arrived(stage: Stage) -> None:
    stage.broker.is_up = False
    stage.announce()
    stage.transport.flush(0)
    assert stage.state() is State.SPOOLING
    assert spooled(stage) == 1
    stage.transport.flush(0)
    assert spooled(stage) == 1


def test_the_broker_gets_them_again_once_all_is_marked_and_not_before(stage: Stage) -> None:
    stage.announce()
    stage.be_silent()
    stage.announce()
    stage.shipping.fails_at = 1
    stage.drain()
    stage.announce()
    assert stage.state() is State.SPOOLING, "one is not acknowledged"
    stage.shipping.fails_at = None
    stage.drain()
    stage.announce()
    assert stage.state() is State.DIRECT
    assert len(stage.producer.queue) == 1
    stage.settle()
    stage.check()


def test_a_process_that_finds_unshipped_events_begins_with_the_spool(stage: Stage) -> None:
    stage.announce()
    stage.be_silent()
    stage.begin()
    stage.announce()
    assert stage.state() is State.SPOOLING
    assert stage.background.woken
    stage.drain()
    stage.announce()
    assert stage.state() is State.DIRECT
    stage.settle()
    stage.check()


def test_a_forked_child_begins_anew_with_what_is_in_the_spool(stage: Stage) -> None:
    stage.announce()
    stage.be_silent()
    child = os.fork()
    if child == 0:
        is_well = stage.announce("child") and stage.state() is State.SPOOLING
        os._exit(0 if is_well else 1)
    assert os.waitpid(child, 0)[1] == 0
    stage.drain()
    assert ("t", "child", 0) in stage.broker.firsts()


def test_a_child_of_a_process_whose_broker_is_there_has_a_producer_of_its_own(stage: Stage) -> None:
    parents = stage.producer
    child = os.fork()
    if child == 0:
        stage.announce("child")
        os._exit(0 if stage.producer is not parents and stage.state() is State.DIRECT else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_a_forked_child_destroys_no_producer_of_its_parent(stage: Stage) -> None:
    """librdkafka's threads are not there; it may wait for them, and for ever."""
    stage.announce()
    parents = weakref.ref(stage.producer)
    stage.transport.close(1)
    child = os.fork()
    if child == 0:
        gc.collect()
        os._exit(0 if parents() is not None else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_each_topic_returns_on_its_own(stage: Stage) -> None:
    stage.announce(topic="u")
    stage.be_silent()
    assert (stage.state("t"), stage.state("u")) == (State.SPOOLING, State.SPOOLING)
    stage.drain()
    stage.announce(topic="u")
    assert (stage.state("t"), stage.state("u")) == (State.SPOOLING, State.DIRECT)


def test_a_client_that_is_dead_is_replaced_and_what_it_had_is_spooled(stage: Stage) -> None:
    stage.announce(topic="t")
    stage.announce(topic="u")
    stage.be_silent()
    stage.drain()
    stage.announce("b", topic="u")
    dead, outlet = stage.producer, stage.transport._outlet
    assert outlet is not None
    dead.fail_all()
    dead.is_dead = True
    outlet.serve(0)
    outlet.is_dead = True
    stage.announce("a", topic="t")
    assert stage.producer is not dead
    assert stage.state("t") is State.DIRECT
    assert stage.state("u") is State.SPOOLING
    stage.settle()
    stage.check()


def test_a_full_disk_is_told_at_once_and_what_cannot_be_spooled_is_reported(stage: Stage) -> None:
    stage.announce()
    stage.announce()
    stage.is_full = True
    stage.be_silent()
    assert stage.lost == [("a", 1), ("a", 2)]
    with pytest.raises(
        TransportRefused, match=r"the broker is away, and the spool .*/t: No space left on device"
    ):
        stage.transport.send("t", b"a", event("a", 3))
    stage.is_full = False
    assert stage.announce("b")
    stage.settle()
    stage.check()


def test_whoever_is_told_of_a_loss_may_announce(stage: Stage) -> None:
    told: list[bytes] = []

    def announce_again(value: bytes, _reason: str) -> None:
        told.append(value)
        stage.is_full = False
        stage.announce("b")

    stage.transport.report_to(announce_again)
    stage.announce()
    stage.is_full = True
    stage.be_silent()
    assert len(told) == 1
    assert spooled(stage) == 1


def test_after_the_end_nothing_is_taken_and_what_was_is_spooled(stage: Stage) -> None:
    stage.broker.is_up = False
    stage.announce()
    stage.transport.close(0)
    assert stage.state() is State.CLOSED
    assert spooled(stage) == 1
    with pytest.raises(TransportRefused, match="closed"):
        stage.transport.send("t", b"a", event("a", 9))
    with pytest.raises(TransportRefused, match="closed"):
        stage.transport.send("new", b"a", event("a", 9))
    stage.transport.close(0)


def test_the_end_waits_for_a_broker_that_is_there(stage: Stage) -> None:
    stage.announce()
    stage.transport.close(1)
    assert len(stage.broker.log) == 2
    assert spooled(stage) == 0


def test_no_state_follows_but_those_that_may(stage: Stage) -> None:
    lane = stage.transport._lanes["t"]
    for state in State:
        for wanted in set(State) - NEXT[state]:
            lane.state = state
            with pytest.raises(AssertionError):
                lane.to(wanted)
