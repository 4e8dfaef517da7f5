"""Events that arrive before what they require, in the same batch or in one before, beside the same in order."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

from accounts import Loop, Notes
from bed import Row, Services, fill, new_topic
from listening import Ours, fresh
from signals import Started, Waited, encoded
from sqlalchemy import Connection

from oyez.consumers import Handlers

BLOCK = 1_000


def rows(services: Services, count: int, turns: int) -> Iterator[Row]:
    """One event in ten, or in two, arrives before the session that it requires: some events before, mostly in the same
    batch; or at least a batch before, so that it is parked and released."""
    count = max(1, count // BLOCK) * BLOCK
    with tempfile.TemporaryDirectory() as folder:
        for name, url in (("PostgreSQL", services.postgres), ("SQLite", f"sqlite:///{folder}/order.db")):
            for delay, where in ((0, ""), (BLOCK, ", by a batch")):
                for share, goal in ((10, 0.85), (50, 0.6)):
                    row = Row(f"{share} % out of order{where}, {name}", "in order", goal)
                    for _ in range(turns):
                        late, none = _stream(count, share, delay), _stream(count, 0, 0)
                        row.turn(count, _handled(services, url, late), _handled(services, url, none))
                    yield row


def _stream(count: int, late: int, delay: int) -> list[Started | Waited]:
    """Sessions with their nine views each. Of ``late`` in a hundred the start comes after their views, and as many
    events later as ``delay`` says."""
    stream: list[Started | Waited] = []
    due: list[tuple[int, Started]] = []
    for at in range(0, count, BLOCK):
        sessions = [f"s{at + n}" for n in range(BLOCK // 10)]
        early = set(sessions[: len(sessions) * late // 100])
        stream += [Started(session_id=s) for s in sessions if s not in early]
        stream += [Waited(session_id=s, n=n) for n in range(9) for s in sessions if s not in early]
        stream += [Waited(session_id=s, n=n) for n in range(9) for s in sessions if s in early]
        due += [(at + delay, Started(session_id=s)) for s in sessions if s in early]
        stream += [start for moment, start in due if moment <= at]
        due = [(moment, start) for moment, start in due if moment > at]
    return stream + [start for _, start in due]


def _handled(services: Services, url: str, stream: list[Started | Waited]) -> Loop:
    on, notes = Handlers("order"), Notes()

    @on(Started, group="all")
    def start(events: list[Started], db: Connection) -> None:
        notes.numbers += [event.session_id for event in events]

    @on(Waited, group="all", order="none")
    def wait(events: list[Waited], db: Connection) -> None:
        notes.numbers += [(event.session_id, event.n) for event in events]

    topic = new_topic(services.kafka)
    fill(services.kafka, topic, encoded(stream))
    total = len(stream)

    def run() -> None:
        engine = fresh(url)
        ours = Ours(on, "all", services, topic, engine)
        ours.until_done(total)
        ours.close()
        engine.dispose()

    return Loop(run, notes.take)
