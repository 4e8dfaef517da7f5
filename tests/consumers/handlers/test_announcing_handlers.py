"""Handlers that announce: in their transaction, and under the same ids whenever they run again."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from consumers.pipeline import TOPIC, Known, Pipeline, Placed, Play, note, one_line, placed, unique
from oyez.consumers import HandlerAnnouncer, HandlerMisuse, Handlers, RegistrationError
from oyez.consumers.handlers.announcer import event_id
from oyez.schemas import Event


class Shipped(Known, name="shipped", number=77, key="k"):
    k: str
    n: int = 0


class Billed(Known, name="billed", topic="bills"):
    n: int = 0


def written(pipeline: Pipeline) -> list[dict[str, Any]]:
    """The events in the outbox, in order."""
    return [json.loads(value) for value in pipeline.rows("outbox", "value")]


def numbers(pipeline: Pipeline) -> list[int]:
    return [event["data"]["n"] for event in written(pipeline)]


def expected(pipeline: Pipeline, handler: str, signal: str, *counted: tuple[int, int]) -> list[str]:
    """The ids for the causing event at an offset of the log, and the count for it."""
    records = pipeline.broker.read(TOPIC, 0, 0, 1_000)
    causes = [json.loads(record.value() or b"") for record in records]
    return [
        event_id("shop", handler, (causes[at]["source"], causes[at]["id"]), signal, n) for at, n in counted
    ]


def test_an_id_is_what_it_always_was() -> None:
    """Ids are in inboxes: they must not change from one release to the next."""
    made = event_id("shop", "ship", ("web", "0190"), "parcel.due", 0)
    assert made == "ce20436d-e747-87c0-bf84-9866ed76052f"
    assert (UUID(made).version, UUID(made).variant) == (8, "specified in RFC 4122")
    others = [
        event_id("shop", "ship", ("web", "0190"), "parcel.due", 1),
        event_id("shop", "ship", ("web", "0190"), "parcel", 0),
        event_id("shop", "ship", ("web", "019"), "parcel.due", 0),
        event_id("shop", "ship", ("we", "b0190"), "parcel.due", 0),
        event_id("shop", "shi", ("pweb", "0190"), "parcel.due", 0),
        event_id("sho", "ship", ("web", "0190"), "parcel.due", 0),
    ]
    assert len({made, *others}) == 7


@pytest.mark.parametrize("form", [Placed, Event[Placed]])
def test_what_a_handler_announces_is_its_own(play: Play, form: Any) -> None:
    on = Handlers("shop")

    def ship(event: Any, announcer: HandlerAnnouncer) -> None:
        data = event if form is Placed else event.data
        said = [
            announcer.announce(Shipped(k=data.k, n=data.n)),
            announcer.announce("billed", {"n": data.n}, key="other"),
            announcer.announce(77, {"n": data.n + 1}, key=data.k),
            announcer.announce(Shipped, {"k": "x"}, cause=event),
        ]
        ids.extend(said)

    ids: list[str] = []
    ship.__annotations__["event"] = form
    on(Placed)(ship)
    pipeline = play(on)
    pipeline.handle(*placed([5, 6]))
    found = written(pipeline)
    assert [event["id"] for event in found] == ids
    ours = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    assert [e["id"] for e in found if e["type"] == "shipped"] == expected(pipeline, "ship", "shipped", *ours)
    assert [e["id"] for e in found if e["type"] == "billed"] == expected(
        pipeline, "ship", "billed", (0, 0), (1, 0)
    )
    assert {event["source"] for event in found} == {"shop/ship"}
    assert pipeline.rows("outbox", "topic", "key")[:4] == [
        (TOPIC, "k5"),
        ("bills", "other"),
        (TOPIC, "k5"),
        (TOPIC, "x"),
    ]
    assert found[0]["time"].startswith("1970-01-12T13:46:")
    assert pipeline.rows("outbox", "announced_at")[0] == pytest.approx(1_000_000, abs=10)


@pytest.mark.parametrize("together", [True, False])
def test_one_that_fails_after_announcing_is_retried_and_its_event_is_there_once(
    play: Play, together: bool
) -> None:
    on = Handlers("shop")
    failures = {1: 2}

    @on(Placed)
    def ship(event: Placed, db: Session, announcer: HandlerAnnouncer) -> None:
        announcer.announce(Shipped(k=event.k, n=event.n))
        note(db, "ship", event.n)
        announcer.announce(Shipped(k=event.k, n=event.n + 100))
        if failures.get(event.n, 0):
            failures[event.n] -= 1
            raise ValueError("after announcing")

    pipeline = play(on, batch=500 if together else 1)
    pipeline.handle(*placed(range(3)))
    assert numbers(pipeline) == [0, 100, 2, 102]
    pipeline.later()
    pipeline.later()
    assert pipeline.is_clean()
    assert numbers(pipeline) == [0, 100, 2, 102, 1, 101]
    assert [event["id"] for event in written(pipeline)[-2:]] == expected(
        pipeline, "ship", "shipped", (1, 0), (1, 1)
    )
    assert sorted(pipeline.effects()) == [0, 1, 2]


def test_its_batch_rolled_back_it_announces_the_same_ids(play: Play) -> None:
    """Another handler fails: the batch is taken again, and each announcement has the id that it had."""
    on = Handlers("shop")
    ids: list[list[str]] = []

    @on(Placed, name="ship", group="all")
    def ship(events: list[Placed], announcer: HandlerAnnouncer) -> None:
        ids.append([announcer.announce(Shipped(k=one.k, n=one.n), cause=one) for one in events])

    @on(Placed, group="all")
    def fail(event: Placed, db: Connection) -> None:
        if event.n == 1:
            raise ValueError("no")

    pipeline = play(on)
    pipeline.handle(*placed(range(3)))
    assert [len(run) for run in ids] == [3, 3]
    assert ids[0] == ids[1]
    assert [event["id"] for event in written(pipeline)] == ids[0]


@pytest.mark.parametrize("form", [list[Placed], list[Event[Placed]]])
def test_a_batch_names_the_cause(play: Play, form: Any) -> None:
    on = Handlers("shop")

    def ship(events: Any, announcer: HandlerAnnouncer) -> None:
        for one in events:
            data = one if form == list[Placed] else one.data
            announcer.announce(Shipped(k=data.k, n=data.n), cause=one)
            announcer.announce(Shipped(k=data.k, n=data.n), cause=data)

    ship.__annotations__["events"] = form
    on(Placed)(ship)
    pipeline = play(on)
    pipeline.handle(*placed([7, 8]))
    assert [event["id"] for event in written(pipeline)] == expected(
        pipeline, "ship", "shipped", (0, 0), (0, 1), (1, 0), (1, 1)
    )


def test_a_batch_without_a_cause_and_a_cause_that_is_none_are_misuse(play: Play) -> None:
    on = Handlers("shop")
    said: list[str] = []

    @on(Placed)
    def ship(events: list[Placed], announcer: HandlerAnnouncer) -> None:
        for cause in (None, Placed(n=events[0].n, k=events[0].k)):
            with pytest.raises(HandlerMisuse) as caught:
                announcer.announce(Shipped(k="x"), cause=cause)
            said.append(str(caught.value))

    @on(Placed, name="single")
    def single(event: Placed, announcer: HandlerAnnouncer) -> None:
        with pytest.raises(HandlerMisuse, match="one of the events that the handler was given"):
            announcer.announce(Shipped(k="x"), cause=Placed(n=event.n))

    pipeline = play(on)
    pipeline.handle(*placed([1]))
    assert pipeline.is_clean()
    assert written(pipeline) == []
    assert "ship takes a batch" in said[0]
    assert "announce(…, cause=event)" in said[0]
    assert "one of the events that the handler was given" in said[1]


def test_what_goes_with_the_handlers_own_savepoint(play: Play) -> None:
    on = Handlers("shop")

    @on(Placed)
    def ship(event: Placed, db: Session, announcer: HandlerAnnouncer) -> None:
        announcer.announce(Shipped(k=event.k, n=0))
        try:
            with db.begin_nested():
                announcer.announce(Shipped(k=event.k, n=1))
                db.execute(insert(unique), [{"n": 1}, {"n": 1}])
        except IntegrityError:
            announcer.announce(Shipped(k=event.k, n=2))
        with db.begin_nested():
            announcer.announce(Shipped(k=event.k, n=3))
        if event.n:
            raise ValueError("on the slow path too")

    pipeline = play(on)
    pipeline.handle(*placed([0]))
    assert numbers(pipeline) == [0, 2, 3]
    pipeline.handle(*placed([1, 0]))
    assert numbers(pipeline) == [0, 2, 3, 0, 2, 3]


def test_two_parameters_are_one_announcer(play: Play) -> None:
    on = Handlers("shop")

    @on(Placed)
    def ship(event: Placed, one: HandlerAnnouncer, other: HandlerAnnouncer) -> None:
        one.announce(Shipped(k=event.k))
        other.announce(Shipped(k=event.k))

    pipeline = play(on)
    pipeline.handle(*placed([1]))
    assert [e["id"] for e in written(pipeline)] == expected(pipeline, "ship", "shipped", (0, 0), (0, 1))


def test_it_counts_as_a_database_parameter(play: Play) -> None:
    """In an at-least-once group such handlers run in the transaction that parks what fails."""
    on = Handlers("shop", promises={"placed": "at-least-once"})

    @on(Placed)
    def ship(event: Placed, announcer: HandlerAnnouncer) -> None:
        announcer.announce(Shipped(k=event.k, n=event.n))
        if event.n == 1:
            raise ValueError("after announcing")

    assert next(iter(on)).uses_database
    pipeline = play(on)
    pipeline.handle(*placed(range(3)))
    assert numbers(pipeline) == [0, 2]


def test_a_source_that_would_be_too_long_is_refused() -> None:
    def ship(event: Placed, announcer: HandlerAnnouncer) -> None: ...

    with pytest.raises(RegistrationError) as caught:
        Handlers("a" * 100)(Placed, name="n" * 160)(ship)
    one_line(caught.value, "has 261 characters, 250 are allowed", "shorter name=")
