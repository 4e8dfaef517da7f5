"""What is paused is chosen for no lane."""

from __future__ import annotations

from sqlalchemy.orm import Session

from consumers.pipeline import Pipeline, Placed, Play, note
from oyez.consumers import Handlers
from oyez.consumers.admin import Pausing
from oyez.consumers.core.apart import OWN
from oyez.consumers.database import Database
from oyez.consumers.execution.pauses import Pauses
from oyez.consumers.lanes.choosing import Choosing
from oyez.consumers.lanes.unit import Busy, Room


def parked_pipeline(play: Play) -> tuple[Pipeline, Pausing]:
    """Three deliveries of two keys are parked for a handler that runs in lanes, since it is paused."""
    on = Handlers("shop")

    @on(Placed, concurrency=2)
    def slow(event: Placed, db: Session) -> None:
        note(db, "slow", event.n)

    pipeline = play(on)
    pausing = Pausing(pipeline.application, Database(pipeline.engine), pipeline.clock, 86_400.0)
    assert pausing.pause(pausing.scope("slow", None), "me@here", None)
    pipeline.clock.now += 2.0
    pipeline.handle(Placed(k="k1", n=1), Placed(k="k2", n=2), Placed(k="k1", n=3))
    assert [n for _, n, _ in pipeline.parked()] == [1, 2, 3]
    return pipeline, pausing


def choosing_for(pipeline: Pipeline) -> Choosing:
    group, database = pipeline.application.groups["shop.placed"], Database(pipeline.engine)
    pauses = Pauses(database, group, pipeline.clock)
    return Choosing(group, group.by_name["slow"], database, pipeline.clock, OWN, pauses)


def test_a_handler(play: Play) -> None:
    pipeline, pausing = parked_pipeline(play)
    choosing = choosing_for(pipeline)
    assert not choosing.choose(Busy(), Room(4, 1)).units
    assert choosing.due_in() is None
    assert pausing.resume(pausing.scope("slow", None))
    chosen = choosing.choose(Busy(), Room(4, 1)).units
    ids = pipeline.rows("parked", "id")
    assert [unit.ids for unit in chosen] == [(ids[0], ids[2]), (ids[1],)]


def test_a_key(play: Play) -> None:
    pipeline, pausing = parked_pipeline(play)
    choosing = choosing_for(pipeline)
    assert pausing.pause(pausing.scope(None, "k1"), "me@here", None)
    assert pausing.resume(pausing.scope("slow", None))
    chosen = choosing.choose(Busy(), Room(4, 1)).units
    assert [unit.ids for unit in chosen] == [(pipeline.rows("parked", "id")[1],)]
