"""A web server: what it announces, when, and what it notes."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest

from oyez.producers import Announcer, MemoryBroker, MemoryTransport, NotAnnounced, TransportRefused
from oyez.schemas import Event, catalogue, decode
from visits import accesslog
from visits.server import Pace, announce_all
from visits.sessions import Step, steps_of
from visits.work import Work, read_announced, read_steps, write_steps


@pytest.fixture
def steps(small_log: Path) -> list[Step]:
    """The steps of the small log."""
    return steps_of(accesslog.read(small_log).views)


def announced(broker: MemoryBroker) -> list[Event[object]]:
    """Everything in the broker, in the order of announcing."""
    numbers = range(broker.partitions("oyez.events"))
    records = [r for n in numbers for r in broker.read("oyez.events", n, 0, 1000)]
    events = [decode(r.value(), r.headers(), r.key(), catalogue) for r in records]
    return sorted(events, key=lambda event: event.id)


def test_a_visit_is_announced_before_its_first_view(steps: list[Step]) -> None:
    broker, notes, due = MemoryBroker(), StringIO(), list[int]()
    with Announcer(MemoryTransport(broker), source="web-7") as announcer:
        announce_all(announcer, steps, notes, due.append)
    events = announced(broker)
    assert [event.signal for event in events] == [
        *("session.started", "page.viewed", "page.viewed", "page.viewed"),
        *("session.started", "page.viewed", "session.started", "page.viewed"),
    ]
    assert {event.source for event in events} == {"web-7"}
    assert due == [step.view.line for step in steps]
    assert [json.loads(line) for line in notes.getvalue().splitlines()] == [
        {"signal": event.signal, "id": event.id, "session": event.key} for event in events
    ]


def test_what_was_not_announced_is_not_noted(steps: list[Step]) -> None:
    notes = StringIO()
    with Announcer(_Refusing(), source="web-7") as announcer, pytest.raises(NotAnnounced, match="no room"):
        announce_all(announcer, steps, notes, lambda line: None)
    assert notes.getvalue() == ""


class _Refusing(MemoryTransport):
    def __init__(self) -> None:
        super().__init__(MemoryBroker())

    def send(self, topic: str, key: bytes | None, value: bytes) -> None:
        raise TransportRefused("no room")


def test_lines_are_announced_when_they_are_due() -> None:
    slept: list[float] = []
    now = [100.0]
    pace = Pace(0.5, 2.0, clock=lambda: now[0], sleep=slept.append)
    for line, moment in [(0, 100.0), (3, 102.5), (4, 110.0)]:
        now[0] = moment
        pace.wait(line)
    assert slept == [2.0, 1.0]


def test_steps_and_notes_survive_their_files(steps: list[Step], tmp_path: Path) -> None:
    work = Work(tmp_path)
    write_steps(work.dealt("web-0"), steps)
    assert list(read_steps(work.dealt("web-0"))) == steps
    work.announced("web-0").write_text('{"signal": "page.viewed", "id": "1", "session": "s"}\n')
    assert [note.id for note in read_announced(work.announced("web-0"))] == ["1"]
