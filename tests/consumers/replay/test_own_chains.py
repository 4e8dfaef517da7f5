"""Rows are put back behind a head that waits for them, by whatever puts rows back: they go before it."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, delete, update

from consumers.admin.admin_pipeline import DEAD, PARKED, Operator
from consumers.pipeline import TOPIC, Pipeline, Play, note
from consumers.replay.replayed import deliver, picked
from oyez.consumers import Handlers
from oyez.consumers.database.tables import prerequisite
from oyez.schemas import Catalogue, Signal

ours = Catalogue()


class Answered(
    Signal, catalogue=ours, name="answered", key="k", subject="s", requires={"answered": "parent"}
):
    k: str = "k1"
    s: str
    parent: str | None = None
    n: int = 0


PARENT = Answered(s="a", n=1)
CHILD = Answered(s="b", parent="a", n=2)


class Failing:
    """What the handler raises, by number."""

    def __init__(self, play: Play) -> None:
        self.errors: dict[int, BaseException] = {}
        on = Handlers("shop")

        @on(Answered)
        def place(event: Answered, db: Connection) -> None:
            if event.n in self.errors:
                raise self.errors[event.n]
            note(db, "place", event.n)

        self.pipeline: Pipeline = play(on, signals=ours)


def test_replayed_to_the_handler(play: Play) -> None:
    """The parent was handled, which is remembered no more; a child waits for it."""
    pipeline = Failing(play).pipeline
    pipeline.handle(PARENT)
    with pipeline.engine.begin() as db:
        db.execute(delete(prerequisite))
    pipeline.replace("shop.answered")
    pipeline.handle(CHILD)
    assert deliver(pipeline, picked(pipeline)[:1]).delivered == 1
    pipeline.run()
    assert pipeline.effects() == [1, 1, 2]
    assert pipeline.is_clean()


def test_a_dead_letter_is_retried(play: Play) -> None:
    """The parent stood behind its child, and could not be decoded when it was claimed."""
    failing = Failing(play)
    pipeline = failing.pipeline
    failing.errors[0] = ValueError("as told")
    pipeline.handle(Answered(s="first", n=0), CHILD, PARENT)
    last = max(pipeline.rows("parked", "id"))
    value = change(pipeline, PARKED, last, b"{")
    failing.errors.clear()
    pipeline.later(60.0)
    ((letter, parked_id),) = pipeline.rows("dead", "id", "parked_id")
    assert (pipeline.effects(), parked_id) == ([0], last)
    change(pipeline, DEAD, letter, value)
    assert Operator(pipeline).retry().done == 1
    pipeline.run()
    assert pipeline.effects() == [0, 1, 2]
    assert pipeline.is_clean()


def test_a_record_can_be_decoded_again(play: Play) -> None:
    """Its child has arrived before it, as far as the clocks say, and waits."""
    pipeline = Failing(play).pipeline
    pipeline.handle(CHILD)
    pipeline.clock.now += 10
    pipeline.announce(PARENT)
    (record,) = pipeline.broker.read(TOPIC, 0, 1, 1)
    value = record.value()
    assert value is not None
    broken = json.loads(value)
    broken["data"]["n"] = "none"
    record._value = json.dumps(broken).encode()
    pipeline.run()
    ((letter, reason),) = pipeline.rows("dead", "id", "reason")
    assert reason == "undecodable"
    change(pipeline, DEAD, letter, value)
    assert Operator(pipeline).decode().done == 1
    pipeline.run()
    assert pipeline.effects() == [1, 2]
    assert pipeline.is_clean()


def change(pipeline: Pipeline, table: Any, row: int, value: bytes) -> bytes:
    """Put another value into a row; the one before."""
    name = table.name.removeprefix("oyez_")
    (before,) = [value for number, value in pipeline.rows(name, "id", "value") if number == row]
    with pipeline.engine.begin() as db:
        db.execute(update(table).where(table.c.id == row).values(value=value))
    return bytes(before)
