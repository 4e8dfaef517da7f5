"""A handler that fails now and then is run in parts: what fails is taken out, and the rest runs together again."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, insert
from sqlalchemy.event import listen
from sqlalchemy.orm import Session

from consumers.execution.transaction_handlers import Effect
from consumers.pipeline import Opened, Pipeline, Placed, Play, Viewed, effects, note, placed
from oyez.consumers import Handlers
from oyez.consumers.handlers.registry import Order

MANY = range(1000, 1500)
Fails = Callable[[Session, int], None]


def before_its_effect(db: Session, n: int) -> None:
    raise ValueError("bad")


def after_its_effect(db: Session, n: int) -> None:
    note(db, "see", n)
    raise ValueError("bad")


def in_its_statement(db: Session, n: int) -> None:
    db.execute(insert(effects), {"handler": None, "n": n})


def when_it_is_flushed(db: Session, n: int) -> None:
    """Later, perhaps while the next event is in hand."""
    db.add(Effect(handler=None, n=n))


def see_each(on: Handlers, bad: set[int], fails: Fails, order: Order) -> list[int]:
    """A handler of single events; returns how many it is given at a time."""
    calls: list[int] = []

    @on(Placed, order=order)
    def see(event: Placed, db: Session) -> None:
        calls.append(1)
        if event.n in bad:
            fails(db, event.n)
        note(db, "see", event.n)

    return calls


def see_all(on: Handlers, bad: set[int], fails: Fails, order: Order) -> list[int]:
    """One that takes them all."""
    calls: list[int] = []

    @on(Placed, order=order)
    def see(events: list[Placed], db: Session) -> None:
        calls.append(len(events))
        good = []
        for event in events:
            if event.n in bad:
                fails(db, event.n)
            good.append(event.n)
        note(db, "see", *good)

    return calls


def see_all_at_last(on: Handlers, bad: set[int], fails: Fails, order: Order) -> list[int]:
    """One of which nobody can see what it had in hand."""
    calls: list[int] = []

    @on(Placed, order=order)
    def see(events: list[Placed], db: Session) -> None:
        calls.append(len(events))
        note(db, "see", *(event.n for event in events))
        for n in [event.n for event in events if event.n in bad]:
            fails(db, n)

    return calls


KINDS = [see_each, see_all, see_all_at_last]
FAILS = [before_its_effect, after_its_effect, in_its_statement, when_it_is_flushed]


def expected(events: Sequence[Placed], bad: set[int], order: str) -> tuple[list[int], list[int]]:
    """What is done and what is parked."""
    held: set[str] = set()
    done, parked = [], []
    for event in events:
        if event.n in bad or (order == "key" and event.k in held):
            held.add(event.k)
            parked.append(event.n)
        else:
            done.append(event.n)
    return done, parked


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    kind=st.sampled_from(KINDS),
    fails=st.sampled_from(FAILS),
    order=st.sampled_from(["key", "none"]),
    keys=st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=60),
    bad=st.sets(st.integers(0, 120)),
)
def test_what_fails_parks_and_the_rest_is_done_once_in_order(prepared_sqlite, kind, fails, order, keys, bad):
    """In the first batch, which is run anew, and in those that follow."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{shutil.copy(prepared_sqlite, folder)}"
        on = Handlers("shop")
        kind(on, bad, fails, order)
        pipeline = Pipeline(url, on, sweep_every=1e9)
        try:
            all_events = [Placed(k=key, n=n) for n, key in enumerate(keys)]
            all_events += [Placed(k=f"{key}2", n=n + 60) for n, key in enumerate(keys)]
            [worker] = pipeline.workers.values()
            worker.step()
            for events in (all_events[: len(keys)], all_events[len(keys) :]):
                pipeline.announce(*events)
                worker.step()
            done, parked = expected(all_events, bad, order)
            assert Counter(pipeline.effects()) == Counter(done)
            assert sorted(n for _, n, _ in pipeline.parked()) == parked
            assert sum(1 for _, _, error in pipeline.parked() if error) == (
                len(parked)
                if order == "none"
                else len({event.k for event in all_events if event.n in parked})
            )
            keyed = {event.n: event.k for event in all_events}
            if order == "key":
                for key in set(keyed.values()):
                    mine = [n for n in pipeline.effects() if keyed[n] == key]
                    assert mine == sorted(mine)
        finally:
            pipeline.close()


@pytest.mark.parametrize(
    ("kind", "most"), [(see_each, 500 + 64 + 10), (see_all, 4), (see_all_at_last, 2 * 9 + 2)]
)
def test_one_of_a_batch_costs_little(kind: Callable[..., list[int]], most: int, play: Play) -> None:
    """Its handler is called as often as it has to be, with as many as can be: nothing is done one by one."""
    on = Handlers("shop")
    calls = kind(on, {10, MANY[77], MANY[300]}, before_its_effect, "none")
    pipeline = play(on)
    pipeline.handle(*placed(range(600)))
    calls.clear()
    statements: list[str] = []
    listen(pipeline.engine, "before_cursor_execute", lambda _c, _u, said, *_: statements.append(said))
    pipeline.announce(*placed(MANY[:250]))
    pipeline.announce(*placed(MANY[250:]))
    [worker] = pipeline.workers.values()
    assert worker.step() == len(MANY)
    assert len(calls) <= 2 * most
    assert sum("SAVEPOINT" in said for said in statements) <= 8 * 9 * 2
    assert Counter(pipeline.effects()) == Counter([*range(10), *range(11, 600), *MANY]) - Counter(
        {MANY[77]: 1, MANY[300]: 1}
    )


@pytest.mark.parametrize("takes_list", [True, False])
def test_what_needs_what_failed_waits_and_the_rest_of_its_level_runs_together(
    takes_list: bool, play: Play
) -> None:
    calls: list[int] = []
    bad = {3, 7}
    on = Handlers("shop")

    @on(Opened, group="all")
    def opened(event: Opened, db: Session) -> None:
        note(db, "opened", event.n)
        if event.n in bad:
            raise ValueError("bad")

    def view(event: Viewed, db: Connection) -> None:
        calls.append(1)
        note(db, "viewed", event.n)

    def view_all(events: list[Viewed], db: Connection) -> None:
        calls.append(len(events))
        note(db, "viewed", *(event.n for event in events))

    on(Viewed, group="all", name="viewed")(view_all if takes_list else view)
    pipeline = play(on)
    for first in (0, 20):  # the first batch is run anew
        calls.clear()
        numbers = range(first, first + 20)
        pipeline.handle(
            *(Opened(k=f"k{n}", s=f"s{n}", n=n % 20) for n in numbers),
            *(Viewed(k=f"k{n}", s=f"s{n}", n=n % 20) for n in numbers),
        )
        assert sum(calls) == 18
        assert not takes_list or len(calls) == 1
    good = [n for n in range(20) if n not in bad]
    assert sorted(pipeline.effects("viewed")) == sorted([*good, *good])
    assert sorted((handler, n) for handler, n, _ in pipeline.parked()) == sorted(
        [(handler, n) for n in (3, 7) for handler in ("opened", "viewed")] * 2
    )
    bad.clear()
    pipeline.later()
    assert pipeline.is_clean()
    assert Counter(pipeline.effects("viewed")) == Counter([*range(20), *range(20)])
