"""Deploys while something is parked: handlers and requirements that come and go, versions side by side."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection

from consumers.pipeline import Opened, Placed, Play, Viewed, note
from consumers.upkeep.deploys import next_version, stopped
from oyez.consumers import Handlers, NotReady
from oyez.consumers.database import Database
from oyez.consumers.handlers.recorded_handlers import UNREGISTERED_AFTER, register
from oyez.producers.partitioning import partition_of

DAY = 86_400.0


def visits(*extra: str, requires: dict[Any, str] | None = None, broken: set[str] | None = None) -> Handlers:
    """`open_` completes sessions, and ``extra`` handlers do so too; `view` requires what is said."""
    on = Handlers("shop")
    broken = broken if broken is not None else set()

    def make(name: str, signal: Any) -> None:
        def handle(event: Any, db: Connection) -> None:
            if name in broken:
                raise ValueError("as told")
            note(db, name, event.n)

        handle.__annotations__["event"] = signal
        on(
            signal, name=name, **({"requires": requires} if signal is Viewed and requires is not None else {})
        )(handle)

    for name in ("open_", *extra):
        make(name, Opened)
    make("view", Viewed)
    return on


def test_rows_of_an_unregistered_handler_stay_and_break_nothing(play: Play) -> None:
    first = play(visits("greet", broken={"greet"}))
    first.handle(Opened(n=1), Opened(n=2))
    second = next_version(play, stopped(first), visits(), seconds=UNREGISTERED_AFTER + 1)
    second.later(DAY * 2)
    second.handle(Opened(n=3))
    assert [(handler, n) for handler, n, _ in second.parked()] == [("greet", 1), ("greet", 2)]
    assert second.effects("open_") == [1, 2, 3]


@pytest.mark.parametrize("is_dead", [False, True], ids=["parked", "dead"])
def test_a_prerequisite_that_only_they_stood_in_the_way_of_is_met(play: Play, is_dead: bool) -> None:
    first = play(visits("greet", broken={"greet"}))
    first.handle(Opened(n=1), Viewed(k="v", n=7))
    if is_dead:
        first.later(2 * DAY)
        assert ("greet", 1) in [(handler, n) for handler, n, _ in first.dead()]
    assert first.effects("view") == []
    second = next_version(play, stopped(first), visits(), seconds=UNREGISTERED_AFTER + 1)
    second.later(5.0)
    assert second.effects("view") == [7]
    third = next_version(play, stopped(second), visits("greet"), seconds=1.0)
    third.later(DAY)
    assert third.effects("greet") == ([] if is_dead else [1])


def test_what_another_delivery_of_the_event_holds_up_is_still_held_up(play: Play) -> None:
    broken = {"greet", "open_"}
    first = play(visits("greet", broken=broken))
    first.handle(Opened(n=1), Viewed(k="v", n=7))
    second = next_version(play, stopped(first), visits(broken=broken), seconds=UNREGISTERED_AFTER + 1)
    second.later(100.0)
    assert second.effects("view") == []
    broken.clear()
    second.later(4_000.0)
    assert second.effects("view") == [7]


def test_a_handler_that_another_version_still_has_is_not_unregistered(play: Play) -> None:
    """The older version does not meet what the newer one's handler has yet to do, nor the other way round."""
    broken = {"greet"}
    newer = play(visits("greet", broken=broken), max_attempts=100)
    newer.handle(Opened(n=1), Viewed(k="v", n=7))
    older = next_version(play, newer, visits(broken=broken), max_attempts=100)
    for _ in range(30):
        older.clock.now += 61.0
        older.run()
        newer.run()
    assert older.effects("view") == []
    broken.clear()
    newer.later(4_000.0)
    assert newer.effects("view") == [7]


def test_a_handler_is_seen_when_its_application_starts(play: Play) -> None:
    """An application that announces inline has no workers."""
    pipeline = play(visits("greet"))
    Database(pipeline.engine).repeat(lambda db: register(db, pipeline.application, 77.0))
    Database(pipeline.engine).repeat(lambda db: register(db, pipeline.application, 99.0))
    assert pipeline.rows("handler", "handler", "seen_at") == [
        ("greet", 99.0),
        ("open_", 99.0),
        ("view", 99.0),
    ]


def test_a_row_whose_handler_requires_nothing_any_more_runs(play: Play) -> None:
    first = play(visits())
    first.handle(Viewed(n=1), Viewed(n=2))
    second = next_version(play, stopped(first), visits(requires={}))
    second.run()
    assert second.effects("view") == [1, 2]


def test_that_is_seen_while_two_versions_run(play: Play) -> None:
    """The older version parks it again; the newer one looks again."""
    older = play(visits())
    older.handle(Viewed(n=1))
    newer = next_version(play, older, visits(requires={}))
    newer.run()
    newer.handle(Viewed(k="k2", s="s2", n=2))
    older.run()
    stopped(older)
    newer.later(61.0)
    newer.later(61.0)
    assert sorted(newer.effects("view")) == [1, 2]


def test_what_a_handler_asked_for_itself_it_still_waits_for(play: Play) -> None:
    calls: list[int] = []
    on = visits()

    @on(Placed)
    def place(event: Placed, db: Connection) -> None:
        calls.append(event.n)
        raise NotReady(Opened, "s1")

    pipeline = play(on)
    pipeline.handle(Placed(n=1))
    before = len(calls)
    for _ in range(5):
        pipeline.later(61.0)
    assert len(calls) == before


def test_a_requirement_that_is_new_holds_up_what_is_parked(play: Play) -> None:
    """It is checked from the start when it is due."""
    broken = {"view"}
    first = play(visits(requires={}, broken=broken))
    first.handle(Viewed(n=1), Viewed(n=2))
    broken.clear()
    second = next_version(play, stopped(first), visits())
    second.later(100.0)
    assert second.effects("view") == []
    second.handle(Opened(k="x"))
    assert second.effects("view") == [1, 2]


def test_a_handler_that_is_new_meets_prerequisites_with_the_others(play: Play) -> None:
    """It has no delivery of what was taken before it came."""
    broken = {"open_", "greet"}
    first = play(visits(broken=broken))
    first.handle(Opened(n=1), Viewed(k="v", n=7))
    second = next_version(play, stopped(first), visits("greet", broken=broken))
    second.handle(Opened(s="s2", n=2), Viewed(k="w", s="s2", n=8))
    broken.remove("open_")
    second.later(100.0)
    assert second.effects("view") == [7]
    broken.clear()
    second.later(4_000.0)
    assert second.effects("view") == [7, 8]


def test_later_events_of_a_key_stay_behind_though_they_come_from_a_new_partition(play: Play) -> None:
    """A topic gets more partitions while an event is parked: its key's next ones are in another one."""
    broken = {"view"}
    pipeline = play(visits(requires={}, broken=broken))
    pipeline.handle(Viewed(k="k1", n=1))
    partitions = pipeline.broker._topics["pipeline"].partitions
    while partition_of(b"k1", len(partitions)) == 0:
        partitions.append([])
    pipeline.handle(Viewed(k="k1", n=2), Viewed(k="k1", n=3))
    assert len(partitions[0]) == 1
    assert [n for _, n, _ in pipeline.parked()] == [1, 2, 3]
    broken.clear()
    pipeline.later(100.0)
    assert pipeline.effects("view") == [1, 2, 3]
