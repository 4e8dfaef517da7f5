"""What workers say of handlers that fail: at once when they begin to, and then a summary once a minute."""

from __future__ import annotations

from collections import Counter

import pytest

from oyez.consumers.core.failure_summary import Faults
from oyez.consumers.core.leaving import Leaving
from oyez.consumers.core.report import Report
from oyez.consumers.instrumentation import events
from oyez.consumers.instrumentation.failure_subscriber import EVERY, FailureSubscriber

GROUP = "shop.placed"


class Told:
    """A subscriber at a time that is set, and what it tells."""

    def __init__(self) -> None:
        self.now = 100.0
        self.events: list[events.InstrumentationEvent] = []
        self.subscriber = FailureSubscriber(self.events.append, lambda: self.now)

    def failed(self, handler: str, error: str, *, dead: int = 0, group: str = GROUP) -> None:
        faults = Faults()
        faults.add(handler, error.partition(":")[0], error)
        report = Report(failures=Counter({handler: 1}), faults=faults, dead=dead)
        self.subscriber.receive(events.RowsRun(group, report))

    def swept(self) -> None:
        self.subscriber.receive(events.Swept(GROUP, lambda: 0.0, Leaving))

    def take(self) -> list[events.InstrumentationEvent]:
        found, self.events[:] = list(self.events), []
        return found


@pytest.fixture
def told() -> Told:
    return Told()


def test_the_first_failure_is_told_at_once_and_the_others_within_a_minute(told: Told) -> None:
    told.failed("charge", "OSError: away")
    assert told.take() == [events.HandlerFailed(GROUP, "charge", "OSError", 1, "OSError: away")]
    for n in range(30):
        told.now += 1.0
        told.failed("charge", f"OSError: {n}")
        told.swept()
    told.failed("ship", "KeyError: 'a'")
    assert told.take() == []
    told.now += EVERY
    told.swept()
    assert told.take() == [
        events.HandlerFailed(GROUP, "charge", "OSError", 30, "OSError: 0"),
        events.HandlerFailed(GROUP, "ship", "KeyError", 1, "KeyError: 'a'"),
    ]
    told.now += EVERY
    told.swept()
    assert told.take() == [], "nothing failed since"
    told.now += 1.0
    told.failed("charge", "OSError: away")
    assert len(told.take()) == 1, "at once again"


def test_dead_letters_are_told_too(told: Told) -> None:
    told.subscriber.receive(events.RowsRun(GROUP, Report(dead=3)))
    assert told.take() == [events.DeliveriesDied(GROUP, 3)]


def test_who_stops_tells_the_rest(told: Told) -> None:
    told.failed("charge", "OSError: away")
    told.failed("charge", "OSError: again", dead=1)
    told.take()
    told.subscriber.receive(events.WorkerStopped(GROUP, 0, 0, 0, 0, 0))
    assert told.take() == [
        events.HandlerFailed(GROUP, "charge", "OSError", 1, "OSError: again"),
        events.DeliveriesDied(GROUP, 1),
    ]


def test_each_group_has_its_own_minute(told: Told) -> None:
    told.failed("charge", "OSError: away")
    told.failed("charge", "OSError: away", group="shop.other")
    assert [event.group for event in told.take()] == [GROUP, "shop.other"]


def test_what_goes_well_is_not_told(told: Told) -> None:
    told.subscriber.receive(events.RowsRun(GROUP, Report(done=9)))
    told.swept()
    assert told.take() == []
