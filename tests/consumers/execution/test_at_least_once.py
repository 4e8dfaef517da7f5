"""At-least-once groups: offsets in the log, the database only when something fails."""

from __future__ import annotations

from asyncio import CancelledError
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.event import listen
from sqlalchemy.orm import Session

from consumers.pipeline import Opened, Pipeline, Placed, Play, Ticked, note, placed
from oyez.consumers import Handlers, NotReady, Reject
from oyez.consumers.core.deadline import NO_DEADLINE
from oyez.consumers.execution.at_least_once import run_in_place
from oyez.consumers.handlers.signature import Form
from oyez.schemas import Event

EVENTS = range(20)


def at_least_once() -> Handlers:
    return Handlers("shop", promises={"loose": "at-least-once"})


def offset(pipeline: Pipeline) -> list[tuple[int, str]]:
    return list(pipeline.logs["shop.loose"].offsets.values())


def test_without_a_failure_the_database_is_not_touched(play: Play) -> None:
    seen: list[int] = []
    on = at_least_once()

    @on(Placed, group="loose")
    def see(event: Placed) -> None:
        seen.append(event.n)

    @on(Ticked, group="loose")
    def see_all(events: list[Event[Ticked]]) -> None:
        seen.extend(event.data.n for event in events)

    pipeline = play(on)
    pipeline.handle(Placed(n=-1))  # the first batch after a partition was taken says that nobody died on it
    seen.clear()
    statements: list[str] = []
    listen(
        pipeline.engine, "before_cursor_execute", lambda _c, _u, statement, *_: statements.append(statement)
    )
    pipeline.announce(*placed(EVENTS), Ticked(n=99))
    [worker] = pipeline.workers.values()
    assert worker.step() == len(EVENTS) + 1
    assert seen == [*EVENTS, 99]
    assert [s for s in statements if "oyez_parked.due_at)" not in " ".join(s.split())] == []
    assert pipeline.rows("inbox") == []
    assert offset(pipeline) == [(len(EVENTS) + 2, "at-least-once")]
    assert worker.tally.done == len(EVENTS) + 2


FORMS: list[Callable[[Callable[[int], None]], Callable[..., None]]] = []


def form(make: Callable[[Callable[[int], None]], Callable[..., None]]) -> Callable[..., Any]:
    FORMS.append(make)
    return make


@form
def each(act: Callable[[int], None]) -> Callable[..., None]:
    def handle(event: Placed) -> None:
        act(event.n)

    return handle


@form
def each_event(act: Callable[[int], None]) -> Callable[..., None]:
    def handle(event: Event[Placed]) -> None:
        act(event.data.n)

    return handle


@form
def batch(act: Callable[[int], None]) -> Callable[..., None]:
    def handle(events: list[Placed]) -> None:
        for event in events:
            act(event.n)

    return handle


@form
def with_session(act: Callable[[int], None]) -> Callable[..., None]:
    def handle(event: Placed, db: Session) -> None:
        note(db, "effect", event.n)
        act(event.n)

    return handle


@form
def batch_with_connection(act: Callable[[int], None]) -> Callable[..., None]:
    def handle(events: list[Event[Placed]], db: Connection) -> None:
        note(db, "effect", *(event.data.n for event in events))
        for event in events:
            act(event.data.n)

    return handle


@pytest.mark.parametrize("make", FORMS)
def test_what_fails_parks_alone_and_is_tried_again(make: Callable[..., Any], play: Play) -> None:
    bad = {3, 4, 19}
    done: Counter[int] = Counter()
    others: list[int] = []

    def act(n: int) -> None:
        if n in bad:
            raise ValueError(f"bad {n}")
        done[n] += 1

    on = at_least_once()
    on(Placed, group="loose", name="acting")(make(act))

    @on(Placed, group="loose")
    def other(event: Placed) -> None:
        others.append(event.n)

    pipeline = play(on)
    pipeline.handle(*placed(EVENTS, key="one"))
    assert [(n, error) for _, n, error in pipeline.parked()] == [
        (n, f"ValueError: bad {n}") for n in sorted(bad)
    ]
    assert set(done) == set(EVENTS) - bad
    assert others == list(EVENTS)
    assert offset(pipeline) == [(len(EVENTS), "at-least-once")]
    assert pipeline.rows("inbox") == pipeline.dead() == []
    assert pipeline.workers["shop.loose"].tally.done == 2 * len(EVENTS) - len(bad)
    bad.clear()
    pipeline.later()
    assert set(done) == set(EVENTS)
    assert others == list(EVENTS)
    assert pipeline.is_clean()
    if pipeline.effects("effect"):
        assert sorted(pipeline.effects("effect")) == list(EVENTS)


@pytest.mark.parametrize("make", FORMS)
def test_read_again_before_its_offset_was_told(make: Callable[..., Any], play: Play) -> None:
    """The events run again; a delivery that is parked or dead already stays as it is, one row."""

    def act(n: int) -> None:
        if n == 3:
            raise ValueError("bad")
        if n == 4:
            raise Reject("never")

    on = at_least_once()
    on(Placed, group="loose", name="acting")(make(act))
    pipeline = play(on)
    pipeline.announce(*placed(EVENTS))
    pipeline.run()
    before = pipeline.rows("parked", "id"), pipeline.rows("dead", "id")
    for _ in range(2):
        pipeline.logs["shop.loose"].offsets.clear()
        pipeline.workers["shop.loose"]._log.close()
        pipeline.workers["shop.loose"] = pipeline.worker("shop.loose")
        pipeline.run()
    assert (pipeline.rows("parked", "id"), pipeline.rows("dead", "id")) == before
    assert [n for _, n, _ in pipeline.parked()] == [3]
    assert [(n, reason) for _, n, reason in pipeline.dead()] == [(4, "rejected by its handler")]
    assert offset(pipeline) == [(len(EVENTS), "at-least-once")]


@pytest.mark.parametrize("make", FORMS)
def test_the_same_event_twice_in_a_batch(make: Callable[..., Any], play: Play) -> None:
    def act(n: int) -> None:
        raise ValueError("bad")

    on = at_least_once()
    on(Placed, group="loose", name="acting")(make(act))
    pipeline = play(on)
    pipeline.announce(Placed(n=1))
    [record] = pipeline.broker.read("pipeline", 0, 0, 1)
    pipeline.broker.append("pipeline", record.key(), record.value())
    pipeline.run()
    assert [n for _, n, _ in pipeline.parked()] == [1]
    assert offset(pipeline) == [(2, "at-least-once")]


def test_outcomes(play: Play) -> None:
    ends: dict[int, BaseException] = {
        1: NotReady(),
        2: Reject("no"),
        3: SystemExit(2),
        4: NotReady(Opened, "s1"),
        5: CancelledError("stopped"),
        6: GeneratorExit(),
    }
    on = at_least_once()

    @on(Placed, group="loose")
    def ending(event: Placed) -> None:
        if event.n in ends:
            raise ends[event.n]

    @on(Opened)
    def opened(event: Opened, db: Session) -> None:
        note(db, "opened", event.n)

    pipeline = play(on)
    pipeline.handle(*placed(range(8)))
    assert {n: error for _, n, error in pipeline.parked()} == {
        1: "not ready",
        3: "SystemExit: 2",
        4: "",
        5: "CancelledError: stopped",
        6: "GeneratorExit: ",
    }
    assert pipeline.rows("parked", "wait_signal") == [None, None, "opened", None, None]
    assert [n for _, n, _ in pipeline.dead()] == [2]
    ends.clear()
    pipeline.handle(Opened(s="s1"))
    # 1 and 3 may have become due as well, while the notice of the release was on its way.
    assert 4 not in [n for _, n, _ in pipeline.parked()]


def test_many_signals_are_counted_by_their_handlers(play: Play) -> None:
    on = at_least_once()

    @on(Placed, group="loose")
    def one(event: Placed) -> None:
        if event.n == 1:
            raise ValueError("bad")

    @on(Ticked, group="loose")
    def two(event: Ticked) -> None: ...

    @on(Ticked, group="loose")
    def three(event: Ticked) -> None: ...

    pipeline = play(on)
    pipeline.handle(*placed([0, 1]), Ticked())
    assert pipeline.workers["shop.loose"].tally.done == 3


def test_a_database_that_is_away_keeps_the_offset(play: Play) -> None:
    """What failed cannot be parked: the offset stays, and the same batch is tried again."""
    on = at_least_once()
    runs: list[int] = []

    @on(Placed, group="loose")
    def failing(event: Placed) -> None:
        runs.append(event.n)
        raise ValueError("bad")

    pipeline = play(on)
    pipeline.run()
    pipeline.announce(*placed([1]))
    [worker] = pipeline.workers.values()

    def refuse(*_: Any) -> None:
        raise KeyboardInterrupt  # whatever stops the process before the commit

    listen(pipeline.engine, "commit", refuse)
    with pytest.raises(KeyboardInterrupt):
        worker.step()
    assert offset(pipeline) == []
    assert pipeline.parked() == []


def test_in_place_a_failure_does_not_stop_the_rest() -> None:
    on = at_least_once()
    seen: list[int] = []

    @on(Placed, group="loose")
    def failing(event: Placed) -> None:
        seen.append(event.n)
        if event.n % 3 == 0:
            raise ValueError(event.n)

    [handler] = on
    assert handler.signature.form is Form.MODEL
    failures, ran = run_in_place(handler, placed(range(7)), NO_DEADLINE)
    assert ran == 7
    assert [(at, str(error)) for at, error in failures] == [(0, "0"), (3, "3"), (6, "6")]
    assert seen == list(range(7))
    assert run_in_place(handler, [], NO_DEADLINE) == ([], 0)
