"""Events reach their subscribers, and are logged as a line each."""

from __future__ import annotations

import dataclasses
import logging
from asyncio import CancelledError
from typing import Any

import pytest

from oyez.consumers.core.leaving import Leaving
from oyez.consumers.core.report import Report
from oyez.consumers.instrumentation import Instrument, InstrumentationEvent, LogSubscriber, events
from oyez.consumers.instrumentation.log_subscriber import LINES

ERROR = ValueError("as told")
GIVEN: dict[str, Any] = {
    "str": "said {twice}",
    "bool": True,
    "tuple[str, ...]": ("said",),
    "int": 2,
    "float": 0.5,
    "BaseException": ERROR,
    "Report": Report(),
    "Mapping[tuple[str, int], int]": {},
    "Callable[[], float]": lambda: 0.0,
    "Callable[[], Leaving]": lambda: Leaving(0, 0.0, 0, 0, 0.0),
}
KINDS = [
    kind for kind in vars(events).values() if isinstance(kind, type) and kind.__base__ is InstrumentationEvent
]


class Collecting:
    """Keeps what it receives."""

    def __init__(self) -> None:
        self.received: list[InstrumentationEvent] = []

    def receive(self, event: InstrumentationEvent) -> None:
        self.received.append(event)


class Failing:
    """Raises."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def receive(self, event: InstrumentationEvent) -> None:
        raise self._error


def made(kind: type[InstrumentationEvent]) -> InstrumentationEvent:
    return kind(**{field.name: GIVEN[str(field.type)] for field in dataclasses.fields(kind)})


@pytest.mark.parametrize("error", [ERROR, CancelledError("as told"), SystemExit("as told")])
def test_every_subscriber_is_told_though_one_fails(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    first, last = Collecting(), Collecting()
    instrument = Instrument(first, Failing(error), last)
    said = [events.WorkerStarted("g"), events.DatabaseBack("g")]
    for event in said:
        instrument.emit(event)
    assert first.received == last.received == said
    assert caplog.messages == [f"Failing failed and goes on: {type(error).__name__}: as told"], (
        "once, not each time"
    )


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_event_is_a_line_at_most(
    kind: type[InstrumentationEvent], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    LogSubscriber().receive(made(kind))
    assert len(caplog.records) == (kind in LINES)
    for record in caplog.records:
        assert "\n" not in record.getMessage()
        assert vars(record)["group"] == "said {twice}"


def test_what_comes_for_every_batch_is_no_line() -> None:
    batches = {events.BatchHandled, events.RowsRun, events.EventsMisplaced}
    sweeps = {events.Swept, events.ClockCompared}
    looks = {events.Lagging, events.LanesSeen, events.LogJoined, events.LogAsked}
    assert set(KINDS) - set(LINES) == {*batches, *sweeps, *looks}


def test_a_record_has_the_fields(caplog: pytest.LogCaptureFixture) -> None:
    LogSubscriber().receive(events.WorkerDied("shop.viewed", "shop.viewed[0]", "signal SIGKILL", 0.5))
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("oyez.supervisor", "ERROR")
    assert record.getMessage() == "shop.viewed[0] ended with signal SIGKILL; starting it again in 0.5 s"
    said = vars(record)
    assert (said["happened"], said["worker"], said["how"]) == (
        "worker_died",
        "shop.viewed[0]",
        "signal SIGKILL",
    )
    assert said["delay_seconds"] == 0.5


def test_a_traceback_only_for_whoever_wants_more(caplog: pytest.LogCaptureFixture) -> None:
    failed = events.WorkerFailed("g", "ValueError: as told", ERROR)
    caplog.set_level(logging.INFO)
    LogSubscriber().receive(failed)
    assert [record.exc_info for record in caplog.records] == [None]
    caplog.set_level(logging.DEBUG)
    LogSubscriber().receive(failed)
    assert caplog.records[-1].exc_info
