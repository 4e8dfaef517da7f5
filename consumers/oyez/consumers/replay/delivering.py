"""Delivering stored events to one handler, as due rows of the retry table: nobody else sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from sqlalchemy import Connection

from oyez.schemas import Undecodable
from oyez.schemas.encoding import CONTENT_TYPE

from ..database import inbox, notices, parked, passing
from ..database.clock import Clock
from ..database.delivery_row import Columns
from ..database.due import at_once
from ..database.engine import Database
from ..database.kept_deliveries import kept_of
from ..execution.decide import Park
from ..execution.delivery import Delivery
from ..execution.reader import Reader, Taken
from ..execution.rows import parked_row
from ..handlers.application import Group
from ..handlers.registry import Handler
from .choosing import Picked
from .identity import Identity, derived

HEADERS = [("content-type", CONTENT_TYPE)]


class Again(NamedTuple):
    """An event's bytes as they are delivered: an `Original`."""

    content: bytes
    message_key: bytes | None

    def value(self) -> bytes:
        return self.content

    def key(self) -> bytes | None:
        return self.message_key

    def headers(self) -> Sequence[tuple[str, bytes]]:
        return HEADERS


@dataclass
class Delivered:
    """Counts of events: ``delivered``; delivered in this run ``before``; left since a delivery of theirs to this
    handler is ``parked`` or ``dead``; and ``undecodable``, with why the last of these was."""

    delivered: int = 0
    before: int = 0
    parked: int = 0
    dead: int = 0
    undecodable: int = 0
    reason: str = ""

    def add(self, more: Delivered) -> None:
        """Add what another step did."""
        for name, value in vars(more).items():
            setattr(self, name, value or self.reason if name == "reason" else getattr(self, name) + value)


class Delivering:
    """Parks events for one handler, each step in a transaction. In a ``run`` each is delivered once: the inbox of the
    handler's group keeps a mark for it. A group without an inbox cannot tell."""

    def __init__(
        self,
        group: Group,
        handler: Handler,
        database: Database,
        clock: Clock,
        *,
        identity: Identity,
        run: str,
    ) -> None:
        self._group = group
        self._handler = handler
        self._reader = Reader(group)
        self._database = database
        self._clock = clock
        self._identity = identity
        self._run = run

    def step(self, some: Sequence[Picked]) -> Delivered:
        """Deliver them, in order, as the last of what waits of their keys; but what the first of these waits for
        goes before it."""
        made = Delivered()
        taken = [one for picked in some if (one := self._taken(picked, made)) is not None]
        made.add(self._database.repeat(partial(self._step, taken=taken)))
        return made

    def _taken(self, picked: Picked, made: Delivered) -> Taken | None:
        value = picked.again(self._identity(picked.event))
        try:
            taken = self._reader.read(Again(value, picked.kept.key))
        except Undecodable as error:
            made.undecodable += 1
            made.reason = f"{picked.kept.where}: {error.reason}"
            return None
        assert taken is not None, "only events of the handler's signal are chosen"
        return taken

    def _step(self, db: Connection, taken: Sequence[Taken]) -> Delivered:
        if not taken:
            return Delivered()
        now = self._clock(db)
        ids = {one.event_id for one in taken}
        waiting, dead = kept_of(db, self._group.app, self._handler.name, ids)
        free = [one for one in taken if one.event_id not in waiting | dead]
        new = self._admitted(db, free, now)
        rows = [self._row(one, now) for one in new]
        parked.park(db, rows)
        passing.place(db, self._group.app, rows, now)
        notices.notify(db, {self._group.name} if rows else ())
        return Delivered(
            delivered=len(new), before=len(free) - len(new), parked=len(waiting), dead=len(dead - waiting)
        )

    def _admitted(self, db: Connection, free: Sequence[Taken], now: float) -> list[Taken]:
        """Those that this run has not delivered yet."""
        if not self._group.is_exact or not free:
            return list(free)
        marks = {self._mark(one): one for one in free}
        new = inbox.admit(db, self._group.name, marks.keys(), now)
        return [one for mark, one in marks.items() if mark in new]

    def _mark(self, taken: Taken) -> inbox.EventId:
        """What stands in the inbox for this delivery: no event has this id."""
        return taken.source, derived("replay to", self._run, self._handler.name, *taken.event_id)

    def _row(self, taken: Taken, now: float) -> Columns:
        delivery = Delivery.of(self._handler, taken, 0)
        is_free = delivery.ordered_key is None
        return parked_row(
            self._group, delivery, now, Park("unrun", at_once(now)) if is_free else Park("behind")
        )
