"""What is paused of an application that handles at once: it is parked, since there is no log in which it could stay."""

from __future__ import annotations

from consumers.inline.inline_pipeline import Inline, Make, doing, names
from consumers.pipeline import Opened, Placed
from oyez.consumers import Handlers
from oyez.consumers.admin import Pausing
from oyez.consumers.database import Database

HEARD = 2.0


def paused(pipeline: Inline, name: str | None, key: str | None = None) -> Pausing:
    pausing = Pausing(pipeline.application, Database(pipeline.engine), pipeline.clock, 86_400.0)
    assert pausing.pause(pausing.scope(name, key), "me@here", None)
    return pausing


def test_a_handler_is_parked_and_the_others_run(inline: Make) -> None:
    on = Handlers("shop")
    doing(on, Placed, "one")
    doing(on, Placed, "two")
    pipeline = inline(on)
    pausing = paused(pipeline, "two")
    for n in range(3):
        pipeline.announce(Placed(n=n))
    pipeline.sweep()
    assert names(pipeline) == ["one"] * 3
    assert [row[1] for row in pipeline.parked()] == [0, 1, 2]
    assert pausing.resume(pausing.paused("two", None))
    pipeline.sweep()
    assert pipeline.effects("two") == [0, 1, 2]


def test_a_group_is_parked_as_a_whole(inline: Make) -> None:
    on = Handlers("shop")
    doing(on, Placed, "one")
    doing(on, Opened, "other")
    pipeline = inline(on)
    pausing = paused(pipeline, "placed")
    pipeline.announce(Placed(n=1), Opened(n=2))
    assert names(pipeline) == ["other"]
    with pipeline.engine.begin() as db:
        pipeline.announcer.announce(Placed(n=3), db=db)
    pipeline.sweep()
    assert names(pipeline) == ["other"]
    assert pausing.resume(pausing.paused("placed", None))
    pipeline.sweep()
    assert pipeline.effects("one") == [1, 3]
