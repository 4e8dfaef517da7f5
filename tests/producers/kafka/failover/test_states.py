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
from producers.kafka.failover.failover_pipeline import ROOM, FailoverPipeline
from producers.kafka.failover.fakes import event
from producers.spool_shipping.logs_to_ship import DEEP
from support.waiting import eventually


@pytest.fixture
def pipeline(tmp_path: Path) -> FailoverPipeline:
    made = FailoverPipeline(tmp_path)
    made.announce()
    made.producer.deliver(1)
    return made


def spooled(pipeline: FailoverPipeline) -> int:
    """How many events the spool has."""
    return sum(len(file.read_bytes().splitlines()) for file in pipeline.path.glob("t/*.ndjson"))


def test_while_all_is_well_nothing_is_spooled_and_no_folder_is_made(pipeline: FailoverPipeline) -> None:
    assert pipeline.state() is State.DIRECT
    assert list(pipeline.path.iterdir()) == []


def test_what_is_nested_too_deep_has_no_place_among_the_others() -> None:
    events = [event("a", n) for n in range(2)]
    failed = [Failed("t", value, "away") for value in (events[1], DEEP, events[0])]
    assert [one.value for one in in_announce_order(failed)["t"]] == [DEEP, *events]


def test_silence_leads_to_the_spool(pipeline: FailoverPipeline, caplog: pytest.LogCaptureFixture) -> None:
    pipeline.announce()
    pipeline.be_silent()
    assert pipeline.state() is State.SPOOLING
    pipeline.announce()
    assert spooled(pipeline) == 2
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 1
    assert "the broker is away: no acknowledgement for 5 s" in lines[0]


def test_no_silence_where_nothing_waits_or_something_arrives(pipeline: FailoverPipeline) -> None:
    pipeline.be_silent()
    pipeline.announce()
    for _ in range(20):
        pipeline.announce()
        pipeline.producer.deliver(1)
        pipeline.now += 1
        pipeline.transport.look()
    assert pipeline.state() is State.DIRECT


def test_the_first_failure_leads_to_the_spool(pipeline: FailoverPipeline) -> None:
    pipeline.announce()
    pipeline.announce()
    pipeline.producer.fail_all()
    assert eventually(lambda: pipeline.transport.look() or pipeline.state() is State.SPOOLING)
    assert spooled(pipeline) == 2


def test_a_failure_is_noticed_by_those_who_announce(pipeline: FailoverPipeline) -> None:
    pipeline.announce()
    pipeline.producer.fail_all()
    pipeline.producer.is_refused = False
    assert pipeline.producer.calls
    for _ in range(1_000):
        pipeline.announce()
        pipeline.producer.deliver(1)
    assert pipeline.state() is State.SPOOLING


def test_a_queue_that_stays_full_leads_to_the_spool(pipeline: FailoverPipeline) -> None:
    for _ in range(ROOM):
        pipeline.announce()
    assert pipeline.state() is State.DIRECT
    assert pipeline.announce()
    assert pipeline.state() is State.SPOOLING
    assert spooled(pipeline) == ROOM + 1


def test_a_queue_that_is_full_for_a_moment_does_not(pipeline: FailoverPipeline) -> None:
    for _ in range(ROOM):
        pipeline.announce()
    producer = pipeline.producer
    producer.poll = lambda _timeout: producer.deliver(1)  # type: ignore[method-assign]
    assert pipeline.announce()
    assert pipeline.state() is State.DIRECT


def test_a_flush_that_ends_in_time_spools_what_has_not_arrived(pipeline: FailoverPipeline) -> None:
    pipeline.broker.is_up = False
    pipeline.announce()
    pipeline.transport.flush(0)
    assert pipeline.state() is State.SPOOLING
    assert spooled(pipeline) == 1
    pipeline.transport.flush(0)
    assert spooled(pipeline) == 1


def test_the_broker_gets_them_again_once_all_is_marked_and_not_before(pipeline: FailoverPipeline) -> None:
    pipeline.announce()
    pipeline.be_silent()
    pipeline.announce()
    pipeline.shipping.fails_at = 1
    pipeline.ship()
    pipeline.announce()
    assert pipeline.state() is State.SPOOLING, "one is not acknowledged"
    pipeline.shipping.fails_at = None
    pipeline.ship()
    pipeline.announce()
    assert pipeline.state() is State.DIRECT
    assert len(pipeline.producer.queue) == 1
    pipeline.settle()
    pipeline.check()


def test_a_process_that_finds_unshipped_events_begins_with_the_spool(pipeline: FailoverPipeline) -> None:
    pipeline.announce()
    pipeline.be_silent()
    pipeline.begin()
    pipeline.announce()
    assert pipeline.state() is State.SPOOLING
    assert pipeline.background.woken
    pipeline.ship()
    pipeline.announce()
    assert pipeline.state() is State.DIRECT
    pipeline.settle()
    pipeline.check()


def test_a_forked_child_begins_anew_with_what_is_in_the_spool(pipeline: FailoverPipeline) -> None:
    pipeline.announce()
    pipeline.be_silent()
    child = os.fork()
    if child == 0:
        is_well = pipeline.announce("child") and pipeline.state() is State.SPOOLING
        os._exit(0 if is_well else 1)
    assert os.waitpid(child, 0)[1] == 0
    pipeline.ship()
    assert ("t", "child", 0) in pipeline.broker.firsts()


def test_a_child_of_a_process_whose_broker_is_there_has_a_producer_of_its_own(
    pipeline: FailoverPipeline,
) -> None:
    parents = pipeline.producer
    child = os.fork()
    if child == 0:
        pipeline.announce("child")
        os._exit(0 if pipeline.producer is not parents and pipeline.state() is State.DIRECT else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_a_forked_child_destroys_no_producer_of_its_parent(pipeline: FailoverPipeline) -> None:
    """librdkafka's threads are not there; it may wait for them, and for ever."""
    pipeline.announce()
    parents = weakref.ref(pipeline.producer)
    pipeline.transport.close(1)
    child = os.fork()
    if child == 0:
        gc.collect()
        os._exit(0 if parents() is not None else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_each_topic_returns_on_its_own(pipeline: FailoverPipeline) -> None:
    pipeline.announce(topic="u")
    pipeline.be_silent()
    assert (pipeline.state("t"), pipeline.state("u")) == (State.SPOOLING, State.SPOOLING)
    pipeline.ship()
    pipeline.announce(topic="u")
    assert (pipeline.state("t"), pipeline.state("u")) == (State.SPOOLING, State.DIRECT)


def test_a_client_that_is_dead_is_replaced_and_what_it_had_is_spooled(pipeline: FailoverPipeline) -> None:
    pipeline.announce(topic="t")
    pipeline.announce(topic="u")
    pipeline.be_silent()
    pipeline.ship()
    pipeline.announce("b", topic="u")
    dead, outlet = pipeline.producer, pipeline.transport._outlet
    assert outlet is not None
    dead.fail_all()
    dead.is_dead = True
    outlet.serve(0)
    outlet.is_dead = True
    pipeline.announce("a", topic="t")
    assert pipeline.producer is not dead
    assert pipeline.state("t") is State.DIRECT
    assert pipeline.state("u") is State.SPOOLING
    pipeline.settle()
    pipeline.check()


def test_a_full_disk_is_told_at_once_and_what_cannot_be_spooled_is_reported(
    pipeline: FailoverPipeline,
) -> None:
    pipeline.announce()
    pipeline.announce()
    pipeline.is_full = True
    pipeline.be_silent()
    assert pipeline.lost == [("a", 1), ("a", 2)]
    with pytest.raises(
        TransportRefused, match=r"the broker is away, and the spool .*/t: No space left on device"
    ):
        pipeline.transport.send("t", b"a", event("a", 3))
    pipeline.is_full = False
    assert pipeline.announce("b")
    pipeline.settle()
    pipeline.check()


def test_whoever_is_told_of_a_loss_may_announce(pipeline: FailoverPipeline) -> None:
    told: list[bytes] = []

    def announce_again(value: bytes, _reason: str) -> None:
        told.append(value)
        pipeline.is_full = False
        pipeline.announce("b")

    pipeline.transport.report_to(announce_again)
    pipeline.announce()
    pipeline.is_full = True
    pipeline.be_silent()
    assert len(told) == 1
    assert spooled(pipeline) == 1


def test_after_the_end_nothing_is_taken_and_what_was_is_spooled(pipeline: FailoverPipeline) -> None:
    pipeline.broker.is_up = False
    pipeline.announce()
    pipeline.transport.close(0)
    assert pipeline.state() is State.CLOSED
    assert spooled(pipeline) == 1
    with pytest.raises(TransportRefused, match="closed"):
        pipeline.transport.send("t", b"a", event("a", 9))
    with pytest.raises(TransportRefused, match="closed"):
        pipeline.transport.send("new", b"a", event("a", 9))
    pipeline.transport.close(0)


def test_the_end_waits_for_a_broker_that_is_there(pipeline: FailoverPipeline) -> None:
    pipeline.announce()
    pipeline.transport.close(1)
    assert len(pipeline.broker.log) == 2
    assert spooled(pipeline) == 0


def test_no_state_follows_but_those_that_may(pipeline: FailoverPipeline) -> None:
    lane = pipeline.transport._lanes["t"]
    for state in State:
        for wanted in set(State) - NEXT[state]:
            lane.state = state
            with pytest.raises(AssertionError):
                lane.to(wanted)
