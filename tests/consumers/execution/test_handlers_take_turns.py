"""What is due for one handler is run beside what is due for another, however much that is."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, select, update

from consumers.pipeline import Pipeline, Placed, Play, effects, note, placed
from oyez.consumers import Handlers
from oyez.consumers.database.due import at_once
from oyez.consumers.database.tables import parked

MANY, LONE = 40, 39
LATE = 30
SLOW = 0.06  # s; a slice of 0.2 s has time for four


def handlers(pipeline: Pipeline) -> list[str]:
    """The handlers of the effects, in their order."""
    with pipeline.engine.connect() as db:
        return list(db.execute(select(effects.c.handler).order_by(effects.c.seq)).scalars())


def test_a_retry_runs_beside_what_was_released(play: Play) -> None:
    on = Handlers("shop")
    down = ["a service"]

    @on(Placed, order="key")
    def busy(event: Placed, db: Connection) -> None:
        if down:
            raise ValueError("down")
        note(db, "busy", event.n)

    @on(Placed, order="key")
    def lone(event: Placed, db: Connection) -> None:
        if down and event.n == LONE:
            raise ValueError("down")
        note(db, "lone", event.n)

    pipeline = play(on, batch=5)
    pipeline.handle(*placed(range(MANY)))
    assert pipeline.effects("lone") == list(range(LONE))
    with pipeline.engine.begin() as db:
        now = pipeline.clock.now
        busy_rows = update(parked).where(parked.c.handler == "busy")
        db.execute(busy_rows.values(due_at=at_once(now)))
        db.execute(update(parked).where(parked.c.handler == "lone").values(due_at=now - 3_600.0))
    down.clear()
    pipeline.run()
    assert pipeline.effects("busy") == list(range(MANY))
    assert pipeline.is_clean()
    assert handlers(pipeline)[LONE:].index("lone") < 5


@pytest.mark.parametrize("kind", ["one by one", "list", "outside"])
def test_one_that_time_was_up_for_has_its_turn_next(play: Play, kind: str) -> None:
    """A slice has time for a few events of the busy handler, whose rows come first."""
    on = Handlers("shop")
    down = ["a service"]
    turns: list[str] = []

    def ran(handler: str, *events: Placed) -> None:
        if down and (handler == "busy" or events[-1].n >= LATE):
            raise ValueError("down")
        if not down:
            turns.append(handler)
            pipeline.clock.now += SLOW * len(events)

    @on(Placed, order="key")
    def busy(event: Placed, db: Connection) -> None:
        ran("busy", event)

    if kind == "outside":

        @on(Placed, order="key")
        def lone(event: Placed) -> None:
            ran("lone", event)
    elif kind == "list":

        @on(Placed, order="key")
        def lone(events: list[Placed], db: Connection) -> None:
            ran("lone", *events)
    else:

        @on(Placed, order="key")
        def lone(event: Placed, db: Connection) -> None:
            ran("lone", event)

    pipeline = play(on, batch=50)
    pipeline.handle(*placed(range(MANY)))
    pipeline.clock.now += 3_600.0
    down.clear()
    pipeline.run()
    assert pipeline.is_clean()
    assert turns.count("busy") == MANY
    first, second = turns.index("lone"), len(turns) - turns[::-1].index("busy")
    assert first < 10, "soon after the first slice"
    assert kind == "list" or turns[:second].count("lone") > 1, "again and again"


def test_a_retry_runs_soon_beside_what_was_released_of_its_own_handler(play: Play) -> None:
    """There is time for a few of them in a slice, and the retry was parked last."""
    on = Handlers("shop")
    down = ["a service"]

    @on(Placed, order="key")
    def busy(event: Placed, db: Connection) -> None:
        if down:
            raise ValueError("down")
        note(db, "busy", event.n)
        pipeline.clock.now += SLOW

    pipeline = play(on, batch=50)
    pipeline.handle(*placed(range(MANY)))
    with pipeline.engine.begin() as db:
        now, last = pipeline.clock.now, max(pipeline.rows("parked", "id"))
        db.execute(update(parked).where(parked.c.id < last).values(due_at=at_once(now - 60.0)))
        db.execute(update(parked).where(parked.c.id == last).values(due_at=now - 1.0))
    down.clear()
    pipeline.run()
    ran = pipeline.effects("busy")
    assert ran.index(MANY - 1) == 1
    assert [n for n in ran if n < MANY - 1] == list(range(MANY - 1)), "of one queue in their order"
    assert pipeline.is_clean()
