"""Events that cannot be decoded are dead letters, and hold nothing up."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from consumers.pipeline import Known, Play, note
from oyez.consumers import Handlers


class Measured(Known, name="measured"):
    n: int = 0
    sizes: dict[str, int] | None = None


@pytest.mark.parametrize("group", [None, "loose"])
def test_events_that_cannot_be_decoded(group: str | None, play: Play) -> None:
    """Each is one dead letter, with the reason and the original bytes; the partition goes on."""
    on = Handlers("shop", promises={"loose": "at-least-once"} if group else {})

    @on(Measured, group=group)
    def measure(event: Measured, db: Session) -> None:
        note(db, "measure", event.n)

    pipeline = play(on)
    head = b'{"specversion":"1.0","type":"measured","source":"web","id":"%d","time":"2026-01-01T00:00:00Z","data":'
    bodies = [
        b'{"n":1}}',
        b'{"n":"x"}}',
        b'{"sizes":{"\\u0000":"x"}}}',
        b'{"sizes":{"\\ud800":"x"}}}',
        b"{",
        b'{"n":2}}',
    ]
    for number, body in enumerate(bodies):
        pipeline.broker.append("pipeline", None, head % number + body)
    pipeline.broker.append("pipeline", None, None)
    pipeline.broker.append("pipeline", None, b"\xff\x00")
    pipeline.run()
    assert pipeline.effects("measure") == [1, 2]
    assert pipeline.parked() == []
    assert pipeline.rows("dead", "position") == [1, 2, 3, 4, 6, 7]
    for error in pipeline.rows("dead", "error"):
        assert error
        assert "\n" not in error
    assert pipeline.rows("dead", "value")[0] == head % 1 + bodies[1]
