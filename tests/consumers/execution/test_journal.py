"""The journal: a row for what became of each delivery, written with its effects or not at all."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, event

from consumers.pipeline import TOPIC, Opened, Pipeline, Placed, Play, Viewed, note, placed
from oyez.consumers import Handlers, NotReady, Reject
from oyez.consumers.database.journal import is_in_share
from oyez.producers import MemoryBroker


def outcomes(pipeline: Pipeline, key: str | None = None) -> list[tuple[str, str]]:
    """Handler and outcome of each row, in order; of one key if it is named."""
    rows = pipeline.rows("journal", "handler", "outcome", "key")
    return [(handler, outcome) for handler, outcome, of in rows if key in (None, of)]


def placing() -> Handlers:
    on = Handlers("shop")

    @on(Placed)
    def place(event: Placed, db: Connection) -> None:
        note(db, "place", event.n)

    return on


def test_a_row_for_each_delivery_with_its_times(play: Play) -> None:
    pipeline = play(placing(), journal="all")
    pipeline.handle(*placed(range(3)))
    rows = pipeline.rows(
        "journal",
        "app",
        "group_name",
        "handler",
        "signal",
        "source",
        "key",
        "outcome",
        "attempts",
        "together",
    )
    assert rows == [
        ("shop", "shop.placed", "place", "placed", "web", f"k{n}", "done", 1, 3) for n in range(3)
    ]
    for at, arrived, announced, seconds in pipeline.rows(
        "journal", "at", "arrived_at", "announced_at", "seconds"
    ):
        assert at == arrived
        assert announced is None  # the event's id says it
        assert seconds >= 0.0


def test_when_an_event_was_announced_is_kept_where_its_id_does_not_say(play: Play) -> None:
    pipeline = play(placing(), journal="all")
    other = "of-an-orders-n7-abc"  # has a 7 where a UUIDv7 has one
    times = ('"time":"2026-07-01T12:00:00Z",', '"time":"soon",', "", '"time":"2026-07-01T12:00:01Z",')
    for n, (name, said) in enumerate(zip(("0", "1", "2", other), times, strict=True)):
        head = f'{{"specversion":"1.0","type":"placed","source":"other","id":"{name}",{said}'
        event = f'{head}"partitionkey":"k","data":{{"n":{n}}}}}'
        pipeline.announcer._transport.send(TOPIC, b"k", event.encode())
    pipeline.run()
    assert pipeline.rows("journal", "event_id", "announced_at") == [
        ("0", 1_782_907_200.0),
        ("1", None),
        ("2", None),
        (other, 1_782_907_201.0),
    ]


def listening_to(pipeline: Pipeline) -> list[str]:
    """What is executed from now on."""
    heard: list[str] = []
    event.listen(pipeline.engine, "before_cursor_execute", lambda _c, _u, text, *_: heard.append(text))
    return heard


def test_what_is_done_at_once_takes_no_statement_more(play: Play) -> None:
    counts, broker = [], MemoryBroker(partitions=1)
    for said in ({}, {"journal": "off"}, {"journal": "parked"}, {"journal": 0}, {"journal": "all"}):
        pipeline = play(placing(), broker=broker, **said)
        heard = listening_to(pipeline)
        pipeline.handle(*placed([1]))
        counts.append(sum("oyez_journal" in text for text in heard if "INSERT" in text))
    assert counts == [0, 0, 0, 0, 1]


def test_what_waits_fails_and_dies_is_written_each_time(play: Play) -> None:
    on = Handlers("shop")
    broken = {1}

    @on(Opened)
    def open_(event: Opened, db: Connection) -> None:
        note(db, "open", event.n)

    @on(Viewed)
    def view(event: Viewed, db: Connection) -> None:
        if event.n in broken:
            raise ValueError("not yet")
        if event.n == 2:
            raise Reject("never")

    pipeline = play(on, journal="all")
    pipeline.handle(Viewed(n=1), Viewed(n=2))
    pipeline.clock.now += 60
    pipeline.handle(Opened())
    broken.clear()
    pipeline.later(10.0)
    assert [outcome for handler, outcome in outcomes(pipeline) if handler == "view"] == [
        "waiting",
        "behind",
        "retried",
        "done",
        "dead",
    ]
    rows = pipeline.rows(
        "journal", "outcome", "wait_signal", "wait_subject", "attempts", "reason", "error", "due_at"
    )
    assert ("waiting", "opened", "s1", 0, None, None, None) in rows
    assert ("behind", None, None, 0, None, None, None) in rows
    (retried,) = [row for row in rows if row[0] == "retried"]
    assert retried[3] == 1
    assert retried[5].startswith("ValueError: not yet")
    assert retried[6] > 1_000_060
    assert ("done", None, None, 2, None, None, None) in rows
    (dead,) = [row for row in rows if row[0] == "dead"]
    assert dead[4:6] == ("rejected by its handler", "never")
    arrived = {
        at for outcome, at in pipeline.rows("journal", "outcome", "arrived_at") if outcome in ("done", "dead")
    }
    assert len(arrived) == 2  # those that waited came a minute before


def test_it_is_undone_with_the_effects(play: Play) -> None:
    """The database refuses the batch as it is committed: nothing has happened, and it is done once at the end."""
    pipeline = play(placing(), journal="all")
    refused: list[bool] = []

    @event.listens_for(pipeline.engine, "commit")
    def refuse(_connection: Connection) -> None:
        if not refused and outcomes_in(_connection):
            refused.append(True)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pipeline.handle(*placed(range(3)))
    assert refused
    assert pipeline.rows("journal", "id") == []
    assert pipeline.effects() == []
    pipeline.replace("shop.placed")
    pipeline.later()
    assert pipeline.effects() == [0, 1, 2]
    assert outcomes(pipeline) == [("place", "done")] * 3


def outcomes_in(db: Connection) -> bool:
    return bool(db.exec_driver_sql("SELECT count(*) FROM oyez_journal").scalar())


def test_a_key_is_in_it_as_a_whole_or_not_at_all(play: Play) -> None:
    on = placing()

    @on(Placed, requires={})
    def again(event: Placed, db: Connection) -> None:
        if event.n % 3 == 0:
            raise NotReady

    pipeline = play(on, journal=0.5)
    keys = [f"k{n}" for n in range(40)]
    pipeline.handle(*(Placed(k=key, n=n) for n, key in enumerate(keys)))
    pipeline.handle(*(Placed(k=key, n=n + 1) for n, key in enumerate(keys)))
    kept = [key for key in keys if is_in_share(key, 0.5)]
    assert 10 < len(kept) < 30
    assert set(pipeline.rows("journal", "key")) == set(kept)
    handled = [len(outcomes(pipeline, key)) for key in kept]
    assert min(handled) >= 4


def test_it_may_have_what_was_parked_and_no_more(play: Play) -> None:
    broken = {1}
    on = Handlers("shop")

    @on(Opened)
    def open_(event: Opened, db: Connection) -> None:
        note(db, "open", event.n)

    @on(Viewed)
    def view(event: Viewed, db: Connection) -> None:
        if event.n in broken:
            raise ValueError("not yet")

    pipeline = play(on, journal="parked")
    pipeline.handle(Opened(k="k0", s="s0"), Viewed(k="k0", s="s0", n=0))
    assert outcomes(pipeline) == []
    pipeline.handle(Viewed(n=1), Viewed(n=2))
    pipeline.handle(Opened())
    assert outcomes(pipeline) == [("view", "waiting"), ("view", "behind"), ("view", "retried")]
    broken.clear()
    pipeline.later(10.0)
    assert outcomes(pipeline)[3:] == [("view", "done"), ("view", "done")]
