"""One handler is given stored events again: all of them, once, in order; and nobody else notices."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import Connection

from consumers.pipeline import Opened, Pipeline, Placed, Play, Viewed, note
from consumers.replay.replayed import deliver, in_parts, picked, with_events
from oyez.consumers import Handlers, Reject
from oyez.consumers.replay.choosing import Wanted
from oyez.consumers.replay.identity import new_in


def of_key(numbers: list[int], key: int, keys: int = 3) -> list[int]:
    return [n for n in numbers if n % keys == key]


def test_the_handler_runs_again_and_nobody_else(play: Play) -> None:
    pipeline = with_events(play, 7)
    assert deliver(pipeline, picked(pipeline)).delivered == 7
    pipeline.run()
    again = pipeline.effects("place")[7:]
    assert sorted(again) == list(range(7))
    for key in range(3):
        assert of_key(again, key) == list(range(key, 7, 3))
    assert sorted(pipeline.effects("beside")) == sorted(pipeline.effects("other")) == list(range(7))
    assert pipeline.is_clean()


@pytest.mark.parametrize("seed", range(4))
def test_live_events_keep_coming_while_it_is_given_them(play: Play, seed: int) -> None:
    """Whatever comes first, each event is handled once more, in the order of its key; and each live one once."""
    chance = random.Random(seed)
    pipeline = with_events(play, 12)
    live = 12
    for part in in_parts(chance, picked(pipeline)):
        if chance.random() < 0.5:
            pipeline.announce(Placed(k=f"k{live % 3}", n=live))
            live += 1
        if chance.random() < 0.3:
            pipeline.replace("shop.placed")
        assert deliver(pipeline, part).delivered == len(part)
        if (
            chance.random() < 0.3
        ):  # the command has been killed before it heard of its commit, and is run again
            assert deliver(pipeline, part).parked == len(part)
        if chance.random() < 0.6:
            pipeline.run()
            assert deliver(pipeline, part).before == len(part)
    pipeline.run()
    done = pipeline.effects("place")[12:]
    assert sorted(done) == list(range(live))
    for key in range(3):
        old, new = of_key([n for n in done if n < 12], key), of_key([n for n in done if n >= 12], key)
        assert (old, new) == (sorted(old), sorted(new))
    for name in ("beside", "other"):
        assert sorted(pipeline.effects(name)) == list(range(live))
    assert pipeline.is_clean()


def test_another_run_gives_them_again(play: Play) -> None:
    pipeline = with_events(play, 2)
    for run in ("r1", "r2", "r1"):
        deliver(pipeline, picked(pipeline), run=run)
        pipeline.run()
    assert sorted(pipeline.effects("place")) == [0, 0, 0, 1, 1, 1]


def test_new_ids_are_delivered_beside_what_waits_under_the_old_ones(play: Play) -> None:
    broken = {0, 1}

    def failing(n: int) -> None:
        if n in broken:
            raise Reject("as told") if n else ValueError("as told")

    pipeline = with_events(play, 3, failing=failing)
    assert (len(pipeline.parked()), len(pipeline.dead())) == (1, 1)
    made = deliver(pipeline, picked(pipeline))
    assert (made.delivered, made.parked, made.dead) == (1, 1, 1)
    broken.clear()
    made = deliver(pipeline, picked(pipeline), identity=new_in("r2"), run="r2")
    assert (made.delivered, made.parked, made.dead) == (3, 0, 0)
    assert deliver(pipeline, picked(pipeline), identity=new_in("r2"), run="r2").parked == 3
    pipeline.later()
    assert sorted(pipeline.effects("place")) == [0, 0, 1, 2, 2, 2]


def test_it_waits_for_what_it_requires(play: Play) -> None:
    on = Handlers("shop")

    @on(Opened)
    def opened(event: Opened, db: Connection) -> None:
        note(db, "opened", event.n)

    @on(Viewed)
    def viewed(event: Viewed, db: Connection) -> None:
        note(db, "viewed", event.n)

    pipeline = play(on)
    pipeline.handle(Viewed(k="a", s="s1", n=1))
    (event,) = picked(pipeline)
    assert deliver(pipeline, [event], name="viewed").parked == 1
    assert deliver(pipeline, [event], name="viewed", identity=new_in("x"), run="x").delivered == 1
    pipeline.run()
    assert pipeline.effects() == []
    pipeline.handle(Opened(k="b", s="s1", n=0))
    assert pipeline.effects() == [0, 1, 1]
    assert pipeline.is_clean()


def test_what_cannot_be_decoded_is_counted_and_the_rest_is_delivered(play: Play) -> None:
    pipeline = with_events(play, 2)
    bad = b'{"specversion":"1.0","type":"placed","source":"w","id":"x","data":{"n":"no"}}'
    pipeline.broker.append("pipeline", b"k", bad)
    made = deliver(pipeline, picked(pipeline, Wanted(signals=frozenset({"placed"}))))
    assert (made.delivered, made.undecodable) == (2, 1)
    assert made.reason.startswith("pipeline at 2: ")
    assert "n" in made.reason


def test_an_at_least_once_group_has_no_inbox_and_gets_them_whenever_told(play: Play) -> None:
    on = Handlers("shop", promises={"placed": "at-least-once"})
    seen: list[int] = []

    @on(Placed)
    def place(event: Placed) -> None:
        seen.append(event.n)

    pipeline: Pipeline = play(on)
    pipeline.handle(Placed(k="a", n=1))
    for _ in range(2):
        assert deliver(pipeline, picked(pipeline)).delivered == 1
        pipeline.run()
    assert seen == [1, 1, 1]
