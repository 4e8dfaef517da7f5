"""What workers say has happened, counted for whoever waits for the command."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...instrumentation.emitter import Instrument, logging_instrument
from ...instrumentation.events import BatchHandled, InstrumentationEvent, RowsRun


@dataclass(frozen=True)
class EventCounter:
    """Tells how many more events were taken in hand."""

    advance: Callable[[int], None]

    def receive(self, event: InstrumentationEvent) -> None:
        if isinstance(event, BatchHandled | RowsRun):
            self.advance(event.report.events)


def counting_into(advance: Callable[[int], None]) -> Callable[[], Instrument]:
    """Makes instruments that log as usual, and count."""
    return lambda: logging_instrument().with_subscriber(EventCounter(advance))
