"""Handing events that are kept elsewhere over to a transport, in order, and knowing which of them it has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from .errors import TransportRefused
from .transport import Lasting, ReportsFailures, Transport


class Outgoing(NamedTuple):
    """An event on its way out, encoded."""

    topic: str
    key: bytes | None
    value: bytes


@dataclass(frozen=True, slots=True)
class Leading:
    """How many of some events, counted from the first, have arrived; `reason` is why the one after them has not, None
    if all have."""

    count: int
    reason: str | None = None

    @property
    def is_refused(self) -> bool:
        """Whether the event at `count` is refused for what it is, and would be again."""
        return isinstance(self.reason, Lasting)


class Sent(NamedTuple):
    """What became of some events, by their indices, ascending: those that have arrived, and those that have not, each
    with the reason. What is in neither was held up, and not sent."""

    arrived: list[int]
    failed: dict[int, str]

    def leading(self) -> Leading:
        """The beginning without a gap."""
        count = next((n for n, index in enumerate(self.arrived) if n != index), len(self.arrived))
        return Leading(count, self.failed.get(count))


class Order(Protocol):
    """Which events are held up by one that has failed."""

    def may_go(self, event: Outgoing) -> bool:
        """Whether nothing holds the event up."""

    def fail(self, event: Outgoing, reason: str) -> None:
        """The transport does not have the event."""


class WholeOrder:
    """Nothing goes after an event that has failed, for whatever reason: that of a log."""

    def __init__(self) -> None:
        self._has_failed = False

    def may_go(self, event: Outgoing) -> bool:
        return not self._has_failed

    def fail(self, event: Outgoing, reason: str) -> None:
        self._has_failed = True


class KeyOrder:
    """An event that has failed holds up what follows of its key in its topic, and nothing else. One that is refused for
    what it is holds up nothing: it will never arrive."""

    def __init__(self) -> None:
        self._held: set[tuple[str, bytes]] = set()

    def may_go(self, event: Outgoing) -> bool:
        return event.key is None or (event.topic, event.key) not in self._held

    def fail(self, event: Outgoing, reason: str) -> None:
        if event.key is not None and not isinstance(reason, Lasting):
            self._held.add((event.topic, event.key))


class OrderedSender:
    """Sends events over a transport that nobody else uses meanwhile."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._late: dict[bytes, str] = {}
        if isinstance(transport, ReportsFailures):
            transport.report_to(self._late.__setitem__)

    def send(self, events: Sequence[Outgoing], order: Order, timeout: float) -> Sent:
        """Send, in this order, the events that `order` lets go, and wait, `timeout` seconds at most, until they have
        arrived or failed.

        `order` is told at once of what the transport does not take, and with the next event of what has failed by then:
        the transport may have another client now, which is not held up by what the one before it has lost. What fails
        later can hold up nothing any more: what comes after it may have arrived all the same.
        """
        self._late.clear()
        failed: dict[int, str] = {}
        taken: list[int] = []
        known = 0
        for index, event in enumerate(events):
            if len(self._late) > known:
                known = self._hold_up([events[one] for one in taken], order)
            if not order.may_go(event):
                continue
            try:
                self._transport.send(*event)
            except TransportRefused as refused:
                failed[index] = refused.reason
                order.fail(event, refused.reason)
            else:
                taken.append(index)
        self._transport.flush(timeout)
        late = {
            index: self._late[events[index].value] for index in taken if events[index].value in self._late
        }
        arrived = [index for index in taken if index not in late]
        return Sent(arrived, dict(sorted({**failed, **late}.items())))

    def _hold_up(self, taken: Sequence[Outgoing], order: Order) -> int:
        """What has failed among those that were taken holds up others from now on; how many have."""
        late = dict(self._late)  # other threads may report
        for event in taken:
            if event.value in late:
                order.fail(event, late[event.value])
        return len(late)

    def close(self, timeout: float) -> None:
        """Let go of the transport, in `timeout` seconds."""
        self._transport.close(timeout)
