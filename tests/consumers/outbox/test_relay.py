"""Relaying the outbox: in order, and nothing is deleted that has not arrived."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from consumers.outbox.outbox_pipeline import Died, OutboxPipeline, Rough, Sailed, firsts
from oyez.consumers.database import outbox
from oyez.consumers.outbox.lease import LEASE
from oyez.consumers.outbox.relay import Relayed
from oyez.producers import SettingsError, Transport


@pytest.fixture
def outbox_pipeline(pipeline_database: str) -> Iterator[OutboxPipeline]:
    made = OutboxPipeline(pipeline_database)
    yield made
    made.close()


def test_what_stands_in_the_outbox_leaves_in_order(outbox_pipeline: OutboxPipeline) -> None:
    outbox_pipeline.announce(*(Sailed(k=f"k{n % 3}", n=n) for n in range(25)), Sailed(k=None, n=25))
    told: list[int] = []
    assert outbox_pipeline.relay(batch=10).run(tell=told.append) == Relayed(26)
    assert outbox_pipeline.arrived() == list(range(26))
    assert outbox_pipeline.left() == []
    assert told == [10, 20, 26]
    record = outbox_pipeline.broker.read("sea", 0, 0, 1)[0]
    assert (record.key(), record.headers()) == (b"k0", [("content-type", b"application/cloudevents+json")])
    assert outbox_pipeline.broker.read("sea", 0, 25, 1)[0].key() is None


def test_an_empty_outbox_needs_no_transport(outbox_pipeline: OutboxPipeline) -> None:
    def none() -> Transport:
        raise AssertionError("nobody needs one")

    relay = outbox_pipeline.relay()
    relay._make = none
    assert relay.run() == Relayed()
    relay.close(1)


def test_what_has_not_arrived_stays_and_holds_up_its_key_alone(outbox_pipeline: OutboxPipeline) -> None:
    rough = Rough(outbox_pipeline.broker, {1: "fail", 5: "refuse"}.get)
    relay = outbox_pipeline.relay(rough, batch=3)
    outbox_pipeline.announce(*(Sailed(k="abc"[n % 3], n=n) for n in range(9)), Sailed(k=None, n=9))
    # 1 and 5 are the first of b and c that fail; 0, 3, 6 are of a, 2 of c before 5.
    assert relay.run() == Relayed(5, "it failed")
    assert outbox_pipeline.arrived() == [0, 2, 3, 6, 9]
    assert outbox_pipeline.left() == [1, 4, 5, 7, 8]
    rough.does = lambda _n: None
    assert relay.run() == Relayed(5)
    assert outbox_pipeline.left() == []
    assert [n for n in outbox_pipeline.arrived() if n % 3 == 1] == [1, 4, 7]
    assert [n for n in outbox_pipeline.arrived() if n % 3 == 2] == [2, 5, 8]


def test_one_without_a_key_that_fails_holds_up_nothing(outbox_pipeline: OutboxPipeline) -> None:
    rough = Rough(outbox_pipeline.broker, {0: "refuse", 1: "fail"}.get)
    outbox_pipeline.announce(*(Sailed(k=None, n=n) for n in range(4)))
    assert outbox_pipeline.relay(rough).run().events == 2
    assert (outbox_pipeline.arrived(), outbox_pipeline.left()) == ([2, 3], [0, 1])


def test_when_nothing_gets_through_it_ends(outbox_pipeline: OutboxPipeline) -> None:
    """A broker that is away is not asked for a million events."""
    rough = Rough(outbox_pipeline.broker, lambda _n: "refuse")
    outbox_pipeline.announce(*(Sailed(k=f"k{n}", n=n) for n in range(10)))
    assert outbox_pipeline.relay(rough, batch=3).run() == Relayed(0, "0 is refused")
    assert rough.sends == [0, 1, 2]
    assert outbox_pipeline.left() == list(range(10))


def test_a_page_of_what_is_held_up_does_not_end_it(outbox_pipeline: OutboxPipeline) -> None:
    rough = Rough(outbox_pipeline.broker, {0: "refuse"}.get)
    outbox_pipeline.announce(*(Sailed(k="a", n=n) for n in range(7)), Sailed(k="b", n=7))
    outbox_pipeline.announce(Sailed(k="b", n=8))
    relay = outbox_pipeline.relay(rough, batch=2)
    assert relay.run().events == 0, "the first page has nothing else"
    rough.does = {1: "refuse"}.get
    assert relay.run().events == 3
    assert (outbox_pipeline.arrived(), outbox_pipeline.left()) == ([0, 7, 8], [1, 2, 3, 4, 5, 6])


def test_a_limit_and_a_stop_are_kept(outbox_pipeline: OutboxPipeline) -> None:
    outbox_pipeline.announce(*(Sailed(n=n) for n in range(10)))
    relay = outbox_pipeline.relay(batch=4)
    assert relay.run(limit=5) == Relayed(5)
    assert outbox_pipeline.arrived() == list(range(5))
    stops = iter([False, False, True, True])
    assert relay.run(lambda: next(stops)).events == 4
    outbox_pipeline.clock.now += 1
    assert relay.run(seconds=-1).events == 0
    assert outbox_pipeline.left() == [9]


def test_what_commits_late_with_a_lower_number_is_not_deleted_unsent(pipeline_postgres: str) -> None:
    """Numbers are given before the commit: rows appear among those that were read. (SQLite has one writer.)"""
    outbox_pipeline = OutboxPipeline(pipeline_postgres)
    with outbox_pipeline.engine.connect() as early:
        outbox_pipeline.announce(Sailed(k="a", n=0))
        outbox_pipeline._announcer.announce(Sailed(k="b", n=1), db=early)
        outbox_pipeline.announce(Sailed(k="c", n=2))
        rough = Rough(outbox_pipeline.broker, lambda n: early.commit() if n == 2 else None)
        assert outbox_pipeline.relay(rough).run() == Relayed(3)
    assert outbox_pipeline.arrived() == [0, 2, 1]
    outbox_pipeline.close()


def test_what_commits_late_leaves_before_what_its_key_announces_next(pipeline_postgres: str) -> None:
    """Two applications at once: the page behind the last number would have the second of a key, not its first."""
    outbox_pipeline = OutboxPipeline(pipeline_postgres)
    with outbox_pipeline.engine.connect() as early:
        outbox_pipeline._announcer.announce(Sailed(k="b", n=1), db=early)
        outbox_pipeline.announce(Sailed(k="c", n=0))

        def meanwhile(n: int) -> None:
            if n == 0 and early.in_transaction():
                early.commit()
                outbox_pipeline.announce(Sailed(k="b", n=2))

        rough = Rough(outbox_pipeline.broker, meanwhile)
        assert outbox_pipeline.relay(rough, batch=1).run() == Relayed(3)
    assert outbox_pipeline.arrived() == [0, 1, 2]
    outbox_pipeline.close()


@pytest.mark.parametrize("at", range(6))
def test_whoever_dies_while_shipping_loses_nothing(outbox_pipeline: OutboxPipeline, at: int) -> None:
    outbox_pipeline.announce(*(Sailed(n=n) for n in range(6)))
    with pytest.raises(Died):
        outbox_pipeline.relay(Rough(outbox_pipeline.broker, {at: "die"}.get), batch=2).run()
    assert outbox_pipeline.relay().run().problem is None
    assert (firsts(outbox_pipeline.arrived()), outbox_pipeline.left()) == ([0, 1, 2, 3, 4, 5], [])


def test_what_arrived_and_was_not_deleted_is_sent_again(outbox_pipeline: OutboxPipeline) -> None:
    outbox_pipeline.announce(*(Sailed(n=n) for n in range(3)))
    rough = Rough(outbox_pipeline.broker)
    relay = outbox_pipeline.relay(rough)
    rough.flush_was = rough.flush  # type: ignore[attr-defined]

    def die_after(timeout: float) -> None:
        Rough.flush(rough, timeout)
        raise Died

    rough.flush = die_after  # type: ignore[method-assign]
    with pytest.raises(Died):
        relay.run()
    assert outbox_pipeline.left() == [0, 1, 2]
    outbox_pipeline.relay().run()
    assert outbox_pipeline.arrived() == [0, 1, 2, 0, 1, 2]


def test_a_transport_that_cannot_be_made_is_a_problem(outbox_pipeline: OutboxPipeline) -> None:
    def none() -> Transport:
        raise SettingsError("no such transport")

    relay = outbox_pipeline.relay()
    relay._make = none
    outbox_pipeline.announce(Sailed())
    assert relay.run() == Relayed(0, "no such transport")
    assert outbox_pipeline.note().error == "no such transport"


def test_the_problem_is_written_down_until_it_is_over(outbox_pipeline: OutboxPipeline) -> None:
    outbox_pipeline.announce(Sailed(n=0))
    outbox_pipeline.relay(Rough(outbox_pipeline.broker, {0: "refuse"}.get), outbox_pipeline.lease("a")).run()
    assert (outbox_pipeline.note().error, outbox_pipeline.note().failed_at) == ("0 is refused", 1_000.0)
    outbox_pipeline.relay(lease=outbox_pipeline.lease("b")).run()
    assert (outbox_pipeline.note().error, outbox_pipeline.note().failed_at) == (None, None)


def test_one_relays_at_a_time(outbox_pipeline: OutboxPipeline) -> None:
    outbox_pipeline.announce(*(Sailed(n=n) for n in range(3)))
    other = outbox_pipeline.relay(lease=outbox_pipeline.lease("b"))
    seen: list[Relayed] = []
    rough = Rough(outbox_pipeline.broker, lambda _n: seen.append(other.run()))
    assert outbox_pipeline.relay(rough, outbox_pipeline.lease("a"), batch=1).run() == Relayed(3)
    assert set(seen) == {Relayed(0, busy=True)}
    assert outbox_pipeline.arrived() == [0, 1, 2]
    outbox_pipeline.announce(Sailed(n=3))
    assert other.run() == Relayed(1), "it was given back"


def test_one_that_died_is_waited_for_only_so_long(outbox_pipeline: OutboxPipeline) -> None:
    outbox_pipeline.announce(Sailed(n=0))
    dead, other = outbox_pipeline.lease("a"), outbox_pipeline.relay(lease=outbox_pipeline.lease("b"))
    assert dead.take()
    assert other.run().busy
    outbox_pipeline.clock.now += LEASE
    assert other.run() == Relayed(1)


def test_a_clock_that_is_wrong_does_not_hold_it_for_ever(outbox_pipeline: OutboxPipeline) -> None:
    outbox_pipeline.announce(Sailed(n=0))
    outbox_pipeline.clock.now += 1_000_000
    assert outbox_pipeline.lease("fast").take()
    outbox_pipeline.clock.now -= 1_000_000
    assert outbox_pipeline.relay(lease=outbox_pipeline.lease("b")).run() == Relayed(1)


def test_what_was_announced_while_somebody_shipped_is_shipped_by_him(outbox_pipeline: OutboxPipeline) -> None:
    """Whoever finds the lease taken goes away: its holder looks once more after giving it back."""
    outbox_pipeline.announce(Sailed(n=0))
    lease, other = outbox_pipeline.lease("a"), outbox_pipeline.relay(lease=outbox_pipeline.lease("b"))
    release = lease.release

    def release_late() -> None:
        if outbox_pipeline.arrived() == [0]:
            outbox_pipeline.announce(Sailed(n=1))
            assert other.run().busy
        release()

    lease.release = release_late  # type: ignore[method-assign]
    assert outbox_pipeline.relay(lease=lease).run() == Relayed(2)
    assert outbox_pipeline.arrived() == [0, 1]


@pytest.mark.parametrize("how", ["lasting", "spoil"])
def test_what_will_never_be_taken_is_quarantined_and_the_rest_goes_on(
    outbox_pipeline: OutboxPipeline, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    rough = Rough(outbox_pipeline.broker, {1: how}.get)
    outbox_pipeline.announce(*(Sailed(n=n) for n in range(4)))
    assert outbox_pipeline.relay(rough).run() == Relayed(3)
    assert (outbox_pipeline.arrived(), outbox_pipeline.left()) == ([0, 2, 3], [1])
    (line,) = caplog.messages
    assert "too large; it is quarantined" in line
    rough.sends.clear()
    assert outbox_pipeline.relay(rough).run() == Relayed()
    assert rough.sends == [], "nobody tries again by himself"
    with outbox_pipeline.engine.begin() as db:
        found = outbox.state(db)
        assert (found.backlog, found.oldest, found.refused) == (0, None, 1)
        assert not outbox.look(db).waits
        assert outbox.try_again(db) == 1
    assert outbox_pipeline.relay().run() == Relayed(1)
    assert outbox_pipeline.left() == []


def test_of_two_that_ask_at_the_same_moment_one_gets_it(
    outbox_pipeline: OutboxPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "is_taken", lambda *_: False)  # both have looked before either took it
    one, other = outbox_pipeline.lease("a"), outbox_pipeline.lease("b")
    assert [one.take(), other.take()] == [True, False]
