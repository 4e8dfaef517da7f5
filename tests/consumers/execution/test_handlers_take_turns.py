"""What is due for one handler is run beside what is due for another, however much that is."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from consumers.pipeline import Pipeline, Placed, Play, effects, note, placed
from oyez.consumers import Handlers
from oyez.consumers.database.due import at_once
from oyez.consumers.database.tables import parked

MANY, LONE = 40, 39


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
