"""One page of the outbox: what is sent, what has arrived, and what stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from oyez.producers.ordered_sender import KeyOrder, OrderedSender, Outgoing
from oyez.producers.transport import Lasting

from ..database.outbox import Waiting


@dataclass(frozen=True, slots=True)
class Page:
    """What became of a page, by the rows' ids: those whose events have arrived; those that are refused for what they
    are, and those that have failed, each with the reason. The others were held up."""

    arrived: list[int]
    refused: dict[int, str]
    failed: dict[int, str]

    @property
    def problem(self) -> str | None:
        """Why the first that failed did, None if none has."""
        return next(iter(self.failed.values()), None)

    @property
    def is_stuck(self) -> bool:
        """Whether all that was tried of it has failed."""
        return bool(self.failed) and not self.arrived and not self.refused


def relay_page(sender: OrderedSender, rows: Sequence[Waiting], order: KeyOrder, timeout: float) -> Page:
    """Send a page, and wait until it has arrived or failed, ``timeout`` seconds at most for each try.

    What failed late and holds up its key is noted in ``order``, for the pages that follow.
    """
    events = [_outgoing(row) for row in rows]
    arrived, failed = sender.send(events, _PageOrder(order), timeout)
    page = Page([rows[index].id for index in arrived], {}, {})
    last = {_key(events[index]): index for index in arrived}
    for index, reason in failed.items():
        if not isinstance(reason, Lasting):
            order.fail(events[index], reason)
            page.failed[rows[index].id] = reason
        elif events[index].key is not None and last.get(_key(events[index]), -1) > index:
            # It was found out too late to hold them up: sent again, it would come behind them.
            page.refused[rows[index].id] = f"{reason}, and a later event of its key has arrived"
        else:
            # Events travel many at once, and are refused so: perhaps it was another one's fault.
            _send_alone(sender, rows[index], order, timeout, page)
    return page


class _PageOrder:
    """What is refused for what it is holds up its key within the page: it is sent alone before what follows."""

    def __init__(self, order: KeyOrder) -> None:
        self._order = order
        self._refused = KeyOrder()

    def may_go(self, event: Outgoing) -> bool:
        return self._order.may_go(event) and self._refused.may_go(event)

    def fail(self, event: Outgoing, reason: str) -> None:
        self._order.fail(event, reason)
        self._refused.fail(event, str(reason))  # no longer `Lasting`


def _send_alone(sender: OrderedSender, row: Waiting, order: KeyOrder, timeout: float, page: Page) -> None:
    event = _outgoing(row)
    arrived, failed = sender.send([event], order, timeout)
    if arrived:
        page.arrived.append(row.id)
    for reason in failed.values():
        order.fail(event, reason)
        (page.refused if isinstance(reason, Lasting) else page.failed)[row.id] = reason


def _key(event: Outgoing) -> tuple[str, bytes | None]:
    return event.topic, event.key


def _outgoing(row: Waiting) -> Outgoing:
    return Outgoing(row.topic, None if row.key is None else row.key.encode(), row.value)
