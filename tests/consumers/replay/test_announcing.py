"""Stored events are announced to all again: under their ids nothing is handled twice, under new ones all is, once."""

from __future__ import annotations

import json

import pytest

from consumers.pipeline import TOPIC, Pipeline, Placed, Play
from consumers.replay.replayed import Stored, announce_again, handlers, picked, with_events
from oyez.consumers.replay.announcing import Announcing, NotAnnouncedAgain
from oyez.consumers.replay.choosing import Wanted, look
from oyez.consumers.replay.identity import kept, new_in
from oyez.producers.errors import TransportRefused
from oyez.producers.memory import MemoryTransport
from oyez.producers.ordered_sender import OrderedSender


def test_under_their_ids_they_are_handled_by_whoever_has_not_handled_them(play: Play) -> None:
    pipeline = with_events(play, 6)
    assert announce_again(pipeline) == 6
    assert sorted(pipeline.effects("place")) == sorted(pipeline.effects("other")) == list(range(6))
    pipeline.engine.dispose()
    with pipeline.engine.begin() as db:
        db.exec_driver_sql(
            "DELETE FROM oyez_inbox WHERE group_name = 'shop.other'"
        )  # that group has never been
    assert announce_again(pipeline) == 6
    assert sorted(pipeline.effects("place")) == list(range(6))
    assert pipeline.effects("other")[6:] == list(range(6))


def test_under_new_ids_they_are_handled_anew_once_a_run(play: Play) -> None:
    pipeline = with_events(play, 5)
    for run in ("r1", "r1", "r2", "r1"):
        assert announce_again(pipeline, new_in(run)) == 5  # an event and its replays are one
    for name in ("place", "other"):
        done = pipeline.effects(name)
        assert [done.count(n) for n in range(5)] == [3] * 5
        for key in range(3):
            assert [n for n in done[-5:] if n % 3 == key] == list(range(key, 5, 3))


def test_what_is_announced_again_and_again_is_left_out(play: Play) -> None:
    pipeline = with_events(play, 2)
    for _ in range(3):
        announce_again(pipeline)
    values = [json.loads(one.value or b"") for one in Stored(pipeline).read(None)]
    ends = [one["oyezreplays"] for one in values if "oyezreplays" in one]
    assert ends == [1, 1, 2, 2, 3, 3]
    wanted = Wanted(most=3)
    assert look(Stored(pipeline), wanted).looped(3) == 2
    assert picked(pipeline, wanted) == []
    assert len(picked(pipeline, Wanted(most=4))) == 2


def test_what_is_meant(play: Play) -> None:
    pipeline: Pipeline = play(handlers())
    pipeline.announce(*(Placed(k=f"k{n % 2}", n=n) for n in range(4)))
    pipeline.broker.append(TOPIC, None, b"no event")
    pipeline.broker.append(TOPIC, None, None)
    ids = [one.event.id for one in picked(pipeline)]
    times = [one.event.time for one in picked(pipeline)]
    other = b'{"specversion":"1.0","type":"else","source":"s2","id":"%d"%s}'
    pipeline.broker.append(TOPIC, None, other % (1, b',"time":"2020-01-01T00:00:00Z"'))
    pipeline.broker.append(TOPIC, None, other % (2, b""))

    def found(**said: object) -> list[str]:
        return [one.event.id for one in picked(pipeline, Wanted(**said))]  # type: ignore[arg-type] # any of its fields

    assert found() == [*ids, "1", "2"]
    assert found(keys={"k1"}) == ids[1::2]
    assert found(signals={"else"}) == ["1", "2"]
    assert found(sources={"s2"}, since=0.0) == ["1"]
    assert found(ids={ids[2], "2"}) == [ids[2], "2"]
    assert found(until=1_600_000_000.0) == ["1"]
    assert found(since=1_600_000_000.0) == ids
    assert len(times) == 4
    seen = look(Stored(pipeline), Wanted())
    assert (seen.unreadable, len(seen.reasons)) == (2, 2)
    assert seen.reasons[0].startswith(f"{TOPIC} at 4: ")


def test_nothing_goes_after_what_the_transport_refuses(play: Play) -> None:
    pipeline = with_events(play, 5)
    before = pipeline.broker.end(TOPIC, 0)

    class Full(MemoryTransport):
        def send(self, topic: str, key: bytes | None, value: bytes) -> None:
            if b'"n":3' in value:
                raise TransportRefused("it is full")
            super().send(topic, key, value)

    announcing = Announcing(OrderedSender(Full(pipeline.broker)), lambda _one: TOPIC, kept, timeout=1.0)
    with pytest.raises(NotAnnouncedAgain, match="it is full") as caught:
        announcing.step(picked(pipeline))
    assert caught.value.arrived == 3
    assert pipeline.broker.end(TOPIC, 0) == before + 3
