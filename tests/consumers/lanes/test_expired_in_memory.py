"""What has expired when it is read gets no lane in memory, and does not hold up what is committed."""

from __future__ import annotations

from datetime import timedelta

from consumers.lanes.gated_handlers import BOTH, Gates, Hold, loose, offsets, step_until
from consumers.pipeline import TOPIC, Placed, Play, known
from oyez.producers import Announcer, MemoryTransport


@BOTH
def test_what_has_expired_gets_no_lane(play: Play, register: Hold) -> None:
    on, gates = loose(), Gates()
    register(on, gates)
    pipeline = play(on)
    transport = MemoryTransport(pipeline.broker)
    with Announcer(
        transport,
        source="web",
        topic=TOPIC,
        catalogue=known,
        clock=lambda: round(pipeline.clock.now * 1e9),
    ) as web:
        for n in range(6):
            web.announce(Placed(k=f"k{n}", n=n), expires=timedelta(seconds=1) if n % 2 else None)
    pipeline.clock.now += 1
    gates.let(*range(6))
    step_until(pipeline, lambda: offsets(pipeline) == [6])
    assert sorted(gates.ended) == [0, 2, 4]
    tally = pipeline.workers["shop.loose"].tally
    assert (tally.expired, tally.expired_events, tally.handled) == (3, 3, 3)
    assert pipeline.is_clean()
