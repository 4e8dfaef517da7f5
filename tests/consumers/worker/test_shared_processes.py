"""A worker whose process others share, and whose events end it: nothing of this one is given up for that."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from sqlalchemy.orm import Session

from consumers.partitions.test_dying_workers import GROUP, Killed
from consumers.pipeline import Pipeline, Placed, Play, note, placed
from oyez.consumers import Handlers
from oyez.consumers.core.apart import MovesApart, SharedProcess

LIVES = 30
COUNTED = 10.0  # s after which a note of somebody who died is counted


class Beside:
    """The group's worker beside another one, whose event ends the process now and then: at whatever event this one has
    in hand. Each life after that is beside such a one too, as on another machine."""

    def __init__(self, play: Play, seed: int, promises: dict[str, str]) -> None:
        self.dice = random.Random(seed)
        self.is_shared = True
        self.done: list[int] = []
        tried: Counter[int] = Counter()
        on = Handlers("shop", promises=promises)

        def handle(event: Placed) -> None:
            if self.is_shared and self.dice.random() < 0.5:
                raise Killed
            tried[event.n] += 1
            if event.n % 3 == 0 and tried[event.n] <= 2:
                raise ValueError("it is parked")  # the second time in the careful run
            self.done.append(event.n)

        if promises:
            on(Placed, name="place")(handle)
        else:

            @on(Placed, name="place")
            def place(event: Placed, db: Session) -> None:
                note(db, "place", event.n)
                handle(event)

        self.pipeline: Pipeline = play(on, batch=4)
        self.moves = 0

    def live(self) -> bool:
        """One life beside the other; whether it was ended by it."""
        self.pipeline.replace(GROUP, SharedProcess())
        try:
            self.pipeline.run()
        except Killed:
            self.pipeline.clock.now += self.dice.choice([0.0, COUNTED, 4_000.0])
            return True
        except MovesApart:
            self.live_apart()
        return False

    def live_apart(self) -> None:
        """It has a process of its own until nothing is left, and is put beside the other again."""
        self.moves += 1
        self.is_shared = False
        self.pipeline.replace(GROUP)
        for _ in range(3):
            self.pipeline.clock.now += 4_000.0
            self.pipeline.run()
        self.is_shared = True


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("promises", [{}, {"placed": "at-least-once"}], ids=["exactly-once", "at-least-once"])
def test_nothing_is_given_up_however_often_another_ends_it(
    play: Play, seed: int, promises: dict[str, str]
) -> None:
    beside = Beside(play, seed, promises)
    announced = 0
    deaths = 0
    for _ in range(LIVES):
        some = beside.dice.randrange(3)
        beside.pipeline.announce(*placed(range(announced, announced + some)))
        announced += some
        deaths += beside.live()
    beside.live_apart()
    assert beside.pipeline.dead() == []
    assert deaths > 6
    assert beside.moves > 1
    done = beside.done if promises else beside.pipeline.effects()
    assert (set(done) if promises else sorted(done)) == (
        set(range(announced)) if promises else list(range(announced))
    )


def test_one_row_that_many_processes_died_beside_before_anybody_counted(play: Play) -> None:
    """Alone in its note it was not alone in its process."""
    beside = Beside(play, 0, {})
    beside.is_shared = False
    beside.pipeline.announce(*placed([0]))
    while not beside.pipeline.workers[GROUP].step():
        pass
    assert beside.pipeline.rows("parked", "starts") == [0]
    beside.is_shared = True
    beside.pipeline.clock.now += 4_000.0
    deaths = 0
    beside.dice.random = lambda: 0.0  # type: ignore[method-assign]
    for _ in range(9):
        worker = beside.pipeline.replace(GROUP, SharedProcess())
        try:
            worker.run_due(lambda: False, lambda: 9)
        except Killed:
            deaths += 1
    assert deaths == 9
    beside.pipeline.clock.now += COUNTED
    beside.live_apart()
    assert beside.pipeline.dead() == []
    assert beside.pipeline.effects() == [0]
