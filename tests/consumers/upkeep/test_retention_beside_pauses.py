"""What a paused handler requires is not forgotten, however long the pause takes."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection

from consumers.pipeline import Pipeline, Play, note
from oyez.consumers import Handlers
from oyez.consumers.admin import Pausing
from oyez.consumers.database import Database
from oyez.schemas import Catalogue, Signal

DAY = 86_400.0
remembering = Catalogue()


class Seen(Signal, name="seen.once", subject="s", remember=timedelta(days=1), catalogue=remembering):
    s: str
    n: int = 0


class Asked(Signal, name="asked.later", requires={Seen: "s"}, catalogue=remembering):
    s: str
    n: int = 0


def remember() -> Handlers:
    on = Handlers("memory")

    @on(Seen)
    def see(event: Seen, db: Connection) -> None:
        note(db, "see", event.n)

    @on(Asked)
    def ask(event: Asked, db: Connection) -> None:
        note(db, "ask", event.n)

    return on


def minutes_pass(pipeline: Pipeline) -> None:
    for _ in range(8):
        pipeline.later(61.0)


def test_what_a_paused_handler_requires_is_kept_until_it_has_gone_on(play: Play) -> None:
    pipeline = play(remember(), signals=remembering)
    pausing = Pausing(pipeline.application, Database(pipeline.engine), pipeline.clock, DAY)
    pipeline.handle(Seen(s="s1"))
    assert pausing.pause(pausing.scope("ask", None), "me@here", None)
    pipeline.clock.now += 2.0
    pipeline.handle(Asked(s="s1", n=1))
    pipeline.later(100 * DAY)
    minutes_pass(pipeline)
    assert pipeline.rows("prerequisite", "subject") == ["s1"]
    assert pausing.resume(pausing.scope("ask", None))
    minutes_pass(pipeline)
    assert pipeline.effects("ask") == [1]
    pipeline.later(2 * DAY)
    minutes_pass(pipeline)
    assert pipeline.rows("prerequisite", "subject") == []
