"""What a batch makes of repeats, of texts that no database takes, and of an outage while it is settled."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from consumers.pipeline import Opened, Pipeline, Placed, Play, Ticked, known, note
from oyez.consumers import Application, Handlers, NotReady
from oyez.consumers.database import metadata
from oyez.consumers.database.engine import DatabaseAway
from oyez.consumers.execution.batch import Batch
from oyez.consumers.execution.reader import Decoded, Reader, Taken
from oyez.consumers.handlers.application import Group
from oyez.schemas import Event, Signal
from oyez.schemas.encoding import Encoder
from support.tables import knowing_the_tables


class Linked(Signal, name="batches.linked", key="k", catalogue=known):
    k: str = "k1"
    n: int = 0
    ref: str = "s1"


class Raw:
    def __init__(self, value: bytes, key: bytes | None = None) -> None:
        self._value, self._key = value, key

    def value(self) -> bytes:
        return self._value

    def key(self) -> bytes | None:
        return self._key

    def headers(self) -> list[tuple[str, bytes]]:
        return []


def shop(handler: Callable[..., None]) -> Handlers:
    on = Handlers("shop")
    on(Placed, name="place")(handler)
    return on


def counted(event: Placed, db: Session) -> None:
    note(db, "place", event.n)


def placed(group: Group, numbers: list[int]) -> list[Taken]:
    """Events with these numbers, as read from a log; the same number is the same event."""
    reader, encode = Reader(group), Encoder("web", known).encode
    taken: list[Taken] = []
    for n in numbers:
        value = encode(Placed(n=n), id=f"id-{n}", time="2026-01-01T00:00:00Z", key="k1", subject=None)
        event = reader.read(Raw(value))
        assert event is not None
        taken.append(event)
    return taken


@given(st.lists(st.integers(0, 4), max_size=12))
def test_repeats_in_a_batch_are_dropped_and_the_first_keep_their_order(numbers: list[int]):
    group = Application(shop(counted), known).groups["shop.placed"]
    taken = placed(group, numbers)
    engine = knowing_the_tables(create_engine("sqlite://"))
    metadata.create_all(engine)
    with engine.begin() as db:
        works = Batch(group, Decoded.of(taken)).take(db, 0.0).works
    engine.dispose()
    assert [event.data.n for event, _ in works] == list(dict.fromkeys(numbers))


@given(st.lists(st.integers(0, 3), max_size=5), st.lists(st.integers(0, 4), max_size=8))
def test_what_was_prepared_is_taken_unless_the_inbox_has_some_of_it(earlier: list[int], numbers: list[int]):
    group = Application(shop(counted), known).groups["shop.placed"]
    engine = knowing_the_tables(create_engine("sqlite://"))
    metadata.create_all(engine)
    with engine.begin() as db:
        Batch(group, Decoded.of(placed(group, earlier))).take(db, 0.0)
        prepared = Batch(group, Decoded.of(placed(group, numbers))).prepare()
        works = prepared.take(db, 1.0).works
    engine.dispose()
    expected = [n for n in dict.fromkeys(numbers) if n not in earlier]
    assert [event.data.n for event, _ in works] == expected
    assert [delivery.at for _, (delivery,) in works] == list(range(len(expected)))
    assert (works is prepared.prepared) == (0 < len(expected) == len(numbers))


@pytest.mark.parametrize("ref", ["x\0y", "x" * 6000])
def test_a_text_that_a_handler_requires_and_no_database_takes(play: Play, ref: str):
    on = shop(counted)

    @on(Opened)
    def opened(event: Opened, db: Session) -> None:
        note(db, "opened", event.n)

    @on(Linked, requires={Opened: "ref"})
    def linked(event: Linked, db: Session) -> None:
        note(db, "linked", event.n)

    pipeline = play(on)
    pipeline.handle(Linked(n=1, ref=ref), Linked(n=2), Opened())
    assert pipeline.effects("linked") == [2]
    assert [(n, reason) for _, n, reason in pipeline.dead()] == [(1, "undecodable")]


def test_a_message_key_that_is_no_text(play: Play):
    """The key that is in the data counts then. Where none is, nobody can say in which order the event is."""
    on = Handlers("shop")
    keys: list[str | None] = []

    @on(Placed, group="all")
    def place(event: Event[Placed], db: Session) -> None:
        keys.append(event.key)
        note(db, "place", event.data.n)

    @on(Ticked, group="all")
    def tick(event: Ticked, db: Session) -> None:
        note(db, "tick", event.n)

    pipeline = play(on)
    encode = Encoder("web", known).encode
    for number, key in enumerate([b"\0\0\0\0\0\0\0\7", b"\xff", b"k" * 5000, b"fine"]):
        for signal in (Placed(n=number), Ticked(n=number)):
            name = f"{type(signal).__name__}-{number}"
            value = encode(signal, id=name, time="2026-01-01T00:00:00Z", key=None, subject=None)
            pipeline.broker.append("pipeline", key, value)
    pipeline.run()
    assert pipeline.effects("place") == [0, 1, 2, 3]
    assert keys == ["k1", "k1", "k1", "fine"]
    assert pipeline.effects("tick") == [3]
    assert [n for _, n, _ in pipeline.dead()] == [0, 1, 2]


@pytest.mark.parametrize("promise", ["exactly-once", "at-least-once"])
def test_a_time_that_is_none_is_a_dead_letter_at_once(play: Play, promise: Any):
    on = Handlers("shop", promises={"timed": promise})
    seen: list[str | None] = []

    @on(Placed, group="timed", order="none")
    def timed(event: Event[Placed]) -> None:
        seen.append(event.key)

    pipeline = play(on)
    pipeline.announce(Placed(n=1, k="k9"))
    (record,) = pipeline.broker.read("pipeline", 0, 0, 1)
    broken = json.loads(record.value()) | {"time": "yesterday", "id": "other"}
    pipeline.broker.append("pipeline", record.key(), json.dumps(broken, separators=(",", ":")).encode())
    pipeline.run()
    assert seen == ["k9"]
    assert pipeline.rows("dead", "reason") == ["undecodable"]


def test_waiting_for_a_subject_that_no_database_takes_is_the_handler_s_mistake(play: Play):
    def place(event: Placed, db: Session) -> None:
        raise NotReady(Opened, "x\0y")

    pipeline = play(shop(place))
    pipeline.handle(Placed(n=1))
    [(_, _, error)] = pipeline.parked()
    assert error.startswith("HandlerMisuse: NotReady(opened, …): the subject must not contain a NUL")


def test_what_ran_is_not_run_again_while_the_database_is_away(pipeline_sqlite: str):
    on = Handlers("shop", promises={"mails": "at-least-once"})
    sent: list[int] = []

    @on(Placed, group="mails")
    def mail(event: Placed) -> None:
        sent.append(event.n)
        if event.n == 1:
            raise ValueError("no such address")

    pipeline = Pipeline(pipeline_sqlite, on)
    worker = pipeline.workers["shop.mails"]
    settle, failures = (
        worker._reading._in_place.settle,
        iter([DatabaseAway("gone"), DatabaseAway("gone")]),
    )

    def away_twice(*given: Any, **named: Any) -> Any:
        for error in failures:
            raise error
        return settle(*given, **named)

    worker._reading._in_place.settle = away_twice  # type: ignore[method-assign] # the outage, where it matters
    pipeline.handle(*[Placed(n=n, k=f"k{n}") for n in range(3)])
    assert sent == [0, 1, 2]
    assert [n for _, n, _ in pipeline.parked()] == [1]
    pipeline.close()
