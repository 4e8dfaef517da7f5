"""A worker that dies on an event: the event is found, run alone, and at last given up. Nothing else is."""

from __future__ import annotations

import random

import pytest
from sqlalchemy.orm import Session

from consumers.pipeline import Opened, Pipeline, Placed, Play, Viewed, note, placed
from oyez.consumers import Handlers, Reject
from oyez.consumers.core.stop_signals import Terminated


class Killed(Terminated):
    """What a kill is to the code that it hits: no handler's failure, and nothing after it runs."""


GROUP = "shop.placed"
KILLED = "killed its worker"


def shop(*poison: int) -> Handlers:
    on = Handlers("shop")

    @on(Placed, name="place")
    def place(event: Placed, db: Session) -> None:
        note(db, "place", event.n)
        if event.n in poison:
            raise Killed

    return on


def live_and_die(pipeline: Pipeline, group: str = GROUP, most: int = 200) -> int:
    """Run the group with a new worker after each death, until it gets through; returns the number of deaths."""
    for deaths in range(most):
        try:
            pipeline.run()
        except Killed:
            pipeline.replace(group)
        else:
            return deaths
    raise AssertionError("its workers never got through")


def test_an_event_that_kills_is_given_up_and_everything_else_is_handled(play: Play) -> None:
    pipeline = play(shop(7))
    pipeline.announce(*placed(range(20)))
    deaths = live_and_die(pipeline)
    assert pipeline.effects() == [n for n in range(20) if n != 7]
    assert pipeline.dead() == [("place", 7, KILLED)]
    assert deaths == 6, "three together, three alone"


def test_the_key_of_what_was_given_up_goes_on(play: Play) -> None:
    pipeline = play(shop(1))
    pipeline.announce(*placed(range(4), key="k1"))
    live_and_die(pipeline)
    assert pipeline.effects() == [0, 2, 3]
    pipeline.handle(*placed([4], key="k1"))
    assert pipeline.effects() == [0, 2, 3, 4]


def test_two_that_kill_are_both_found(play: Play) -> None:
    pipeline = play(shop(3, 11))
    pipeline.announce(*placed(range(15)))
    live_and_die(pipeline)
    assert sorted(pipeline.effects()) == [n for n in range(15) if n not in (3, 11)]
    assert sorted(n for _, n, _ in pipeline.dead()) == [3, 11]


def test_a_prerequisite_that_a_killer_would_meet_is_not_met(play: Play) -> None:
    on = Handlers("shop")

    @on(Opened, group="all")
    def opened(event: Opened, db: Session) -> None:
        raise Killed

    @on(Viewed, group="all")
    def viewed(event: Viewed, db: Session) -> None:
        note(db, "viewed", event.n)

    pipeline = play(on)
    pipeline.announce(Opened(s="s1"), Viewed(s="s1", n=1))
    live_and_die(pipeline, "shop.all")
    assert pipeline.effects() == []
    assert [name for name, _, _ in pipeline.dead()] == ["opened"]
    assert [name for name, _, _ in pipeline.parked()] == ["viewed"]


def five_parked_of_which_one_kills(play: Play) -> Pipeline:
    """They have failed, and will not fail again; the one numbered 2 kills its worker."""
    fails = [True]
    on = Handlers("shop")

    @on(Placed, name="place")
    def place(event: Placed, db: Session) -> None:
        if fails[0]:
            raise ValueError("not yet")
        note(db, "place", event.n)
        if event.n == 2:
            raise Killed

    pipeline = play(on)
    pipeline.handle(*placed(range(5)))
    fails[0] = False
    return pipeline


def test_a_parked_delivery_that_kills_is_given_up_and_the_others_run(play: Play) -> None:
    pipeline = five_parked_of_which_one_kills(play)
    deaths = 0
    for _ in range(40):
        pipeline.clock.now += 10.0
        try:
            pipeline.run()
        except Killed:
            deaths += 1
            pipeline.replace(GROUP)
    assert sorted(pipeline.effects()) == [0, 1, 3, 4]
    assert pipeline.dead() == [("place", 2, KILLED)]
    assert deaths == 6, "three together, three alone"
    assert pipeline.rows("start", "id") == []


def test_deaths_that_follow_one_another_at_once_bury_nobody_else(play: Play) -> None:
    """What a dead worker had claimed is free at once, and kills the next ones before the first death is counted. Who
    was beside the killer each time is no more suspect for that: it is run alone before it is given up."""
    pipeline = five_parked_of_which_one_kills(play)
    pipeline.clock.now += 10.0
    for _ in range(9):
        with pytest.raises(Killed):
            pipeline.run()
        pipeline.replace(GROUP)
    for _ in range(60):
        pipeline.clock.now += 10.0
        try:
            pipeline.run()
        except Killed:
            pipeline.replace(GROUP)
    assert sorted(pipeline.effects()) == [0, 1, 3, 4]
    assert pipeline.dead() == [("place", 2, KILLED)]


def test_an_at_least_once_group_finds_it_too(play: Play) -> None:
    seen: list[int] = []
    on = Handlers("shop", promises={"placed": "at-least-once"})

    @on(Placed, name="place")
    def place(event: Placed) -> None:
        if event.n == 2:
            raise Killed
        seen.append(event.n)

    pipeline = play(on)
    pipeline.announce(*placed(range(6)))
    live_and_die(pipeline)
    assert set(seen) == {0, 1, 3, 4, 5}
    assert pipeline.dead() == [("place", 2, KILLED)]


@pytest.mark.parametrize("seed", range(6))
def test_random_kills_bury_nobody(play: Play, seed: int) -> None:
    """Killed at any statement, again and again, whatever runs then; but never three times in a row while an event is
    run alone, by which one that kills is known."""
    dice = random.Random(seed)
    failing = {3, 8}
    on = Handlers("shop")

    @on(Placed, name="place")
    def place(event: Placed, db: Session) -> None:
        if event.n in failing:
            failing.discard(event.n)
            raise ValueError("once")
        note(db, "place", event.n)

    pipeline = play(on, batch=5)
    pipeline.announce(*placed(range(25)))
    from sqlalchemy import event as hook

    armed, alone = [True], [0]

    @hook.listens_for(pipeline.engine, "before_cursor_execute")
    def kill(*_: object) -> None:
        is_alone = bool(pipeline.workers[GROUP]._reading._alone.left)
        if armed[0] and dice.random() < 0.03 and not (is_alone and alone[0] == 2):
            alone[0] += is_alone
            raise Killed

    for _ in range(60):
        pipeline.clock.now += 3.0
        try:
            pipeline.run()
            alone[0] = 0
        except Killed:
            armed[0] = False
            pipeline.replace(GROUP)
            armed[0] = True
    armed[0] = False
    pipeline.later(100.0)
    pipeline.later(100.0)
    assert sorted(pipeline.effects()) == list(range(25))
    assert pipeline.is_clean()


def test_a_worker_that_leaves_as_it_should_is_no_death(play: Play) -> None:
    pipeline = play(shop())
    for _ in range(7):
        pipeline.run()
        pipeline.workers[GROUP].run(lambda: True)
        pipeline.workers[GROUP] = pipeline.worker(GROUP)
    assert pipeline.rows("position", "acquisitions") == [0]
    pipeline.run()
    assert not pipeline.workers[GROUP]._reading._alone.left


def test_a_note_of_a_worker_that_lives_is_not_counted(play: Play) -> None:
    """A handler that fails is not one that kills, however often."""
    on = Handlers("shop")

    @on(Placed, name="place")
    def place(event: Placed, db: Session) -> None:
        if event.n == 0:
            raise Reject("no")
        raise ValueError("not yet")

    pipeline = play(on, max_attempts=25)
    pipeline.handle(*placed(range(3)))
    for _ in range(12):
        pipeline.later(4000.0)
    assert pipeline.rows("parked", "starts") == [0, 0]
    assert pipeline.rows("start", "id") == []


def test_who_runs_alone_waits_for_nothing(play: Play) -> None:
    """What an event requires may arrive meanwhile; but a batch of one is as full as it will be."""
    on = Handlers("shop")

    @on(Viewed)
    def view(event: Viewed, db: Session) -> None:
        note(db, "view", event.n)

    @on(Opened)
    def open_it(event: Opened, db: Session) -> None:
        note(db, "open", event.n)

    pipeline = play(on)
    pipeline.run()
    worker = pipeline.workers["shop.viewed"]
    worker._reading._alone.begin(worker._ownership.held)
    before = pipeline.clock.sleeps
    pipeline.announce(*(Viewed(s=f"s{n}", n=n) for n in range(5)))
    while worker.step():
        pass
    assert len(pipeline.parked()) == 5
    assert pipeline.clock.sleeps == before
