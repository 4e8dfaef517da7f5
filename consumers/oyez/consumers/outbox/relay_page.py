"""One way through the outbox: what is sent, what has arrived, and what is held up."""

from __future__ import annotations

from collections.abc import Sequence

from oyez.producers import ReportsFailures, Transport, TransportRefused
from oyez.producers.transport import Lasting

from ..database.outbox import Waiting

Place = tuple[str, str]
"""A topic and a key: what order is kept for."""


class Trip:
    """What became of the events so far. One that failed holds up what follows of its key, and nothing else; one that is
    refused for what it is holds up nothing."""

    def __init__(self, left: float) -> None:
        """``left``: how many may leave."""
        self.left = left
        self.events = 0
        self.problem: str | None = None
        self.arrived: list[int] = []
        self.refused: dict[int, str] = {}
        self.failed = 0
        self._held: set[Place] = set()

    def begin_page(self) -> None:
        """Forget what was settled."""
        self.arrived, self.refused, self.failed = [], {}, 0

    def may_go(self, row: Waiting) -> bool:
        """Whether nothing of the row's key is held up."""
        return row.key is None or (row.topic, row.key) not in self._held

    def arrive(self, row: Waiting) -> None:
        """The transport has it."""
        self.arrived.append(row.id)
        self.events += 1
        self.left -= 1

    def fail(self, row: Waiting, reason: str) -> None:
        """The transport does not have it: the row stays."""
        if isinstance(reason, Lasting):
            self.refused[row.id] = reason
            return
        self.failed += 1
        self.problem = self.problem or reason
        if row.key is not None:
            self._held.add((row.topic, row.key))

    @property
    def is_stuck(self) -> bool:
        """Whether all that was tried of this page has failed."""
        return self.failed > 0 and not self.arrived and not self.refused


class Departures:
    """Sends pages of the outbox over one transport, which nobody else uses."""

    def __init__(self, transport: Transport, patience: float) -> None:
        self._transport = transport
        self._patience = patience
        self._failed: dict[bytes, str] = {}
        if isinstance(transport, ReportsFailures):
            transport.report_to(self._failed.__setitem__)

    def send(self, rows: Sequence[Waiting], trip: Trip) -> None:
        """Send a page, and wait until it has arrived or failed."""
        trip.begin_page()
        failed = self._together(rows, trip)
        for row, reason in failed:
            if isinstance(reason, Lasting):
                # Events travel many at once, and are refused so: perhaps it was another one's fault.
                for one, why in self._together([row], trip):
                    trip.fail(one, why)
            else:
                trip.fail(row, reason)

    def close(self, timeout: float) -> None:
        """Let go of the transport."""
        self._transport.close(timeout)

    def _together(self, rows: Sequence[Waiting], trip: Trip) -> list[tuple[Waiting, str]]:
        """Send rows; those that failed on their way, with the reasons."""
        self._failed.clear()
        sent = [row for row in rows if trip.may_go(row) and self._send(row, trip)]
        if sent:
            self._transport.flush(self._patience)
        for row in sent:
            if row.value not in self._failed:
                trip.arrive(row)
        return [(row, self._failed[row.value]) for row in sent if row.value in self._failed]

    def _send(self, row: Waiting, trip: Trip) -> bool:
        try:
            self._transport.send(row.topic, None if row.key is None else row.key.encode(), row.value)
        except TransportRefused as refused:
            trip.fail(row, refused.reason)
            return False
        return True
