"""Retrying records that could not be decoded: with the signals of today they may be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from ..database import delivery_filter, delivery_moves, inbox, notices, parked, passing
from ..database.clock import Clock
from ..database.delivery_filter import Filter
from ..database.delivery_row import headers_of
from ..database.due import at_once
from ..database.free_heads import busy_keys
from ..database.key_heads import HandlerKey
from ..database.tables import dead
from ..execution.decide import Park
from ..execution.delivery import Delivery
from ..execution.reader import Reader, Taken
from ..execution.rows import parked_row
from ..handlers.application import Application, Group
from .bulk import Step, Tally, busy, in_order


class Letter:
    """A dead letter as the record that it was; see `Record`."""

    def __init__(self, row: Any) -> None:
        self._row = row
        self.id: int = row.id
        self.parked_at: float = row.parked_at

    def value(self) -> bytes | None:
        value: bytes | None = self._row.value
        return value

    def key(self) -> bytes | None:
        return None if self._row.key is None else self._row.key.encode()

    def headers(self) -> list[tuple[str, bytes]]:
        return headers_of(self._row.headers)

    def topic(self) -> str:
        return str(self._row.topic)

    def partition(self) -> int:
        return int(self._row.partition)

    def offset(self) -> int:
        return int(self._row.position)


Decoded = tuple[Letter, Group, Taken]
"""A letter that one group could decode."""


class Decode:
    """Decodes dead records again, each for every group. What is decoded is parked for its handlers, unless its group
    has taken the event meanwhile; before whatever of its key was parked since. The rest stays dead.
    """

    table = dead

    def __init__(self, application: Application, clock: Clock) -> None:
        self._app = application.name
        self._readers = [(group, Reader(group)) for group in application.groups.values()]
        self._clock = clock
        self._held: set[HandlerKey] = set()

    def begin(self) -> None:
        """Keys that were held back are tried again."""
        self._held.clear()

    def step(self, db: Connection, ids: Sequence[int], wanted: Filter) -> Step:
        """Lock the rows (no prerequisite can depend on what nobody could read); park what is decoded now."""
        now = self._clock(db)
        letters = [Letter(row) for row in delivery_filter.lock(db, dead, ids, wanted)]
        decoded, reasons = self._decode(letters)
        keys = {
            key
            for one in decoded
            for delivery in _deliveries(one)
            if (key := delivery.ordered_key) is not None
        }
        self._held |= busy_keys(db, self._app, keys)
        held = {
            one[0].id
            for one in decoded
            if any(delivery.ordered_key in self._held for delivery in _deliveries(one))
        }
        kept = held | reasons.keys()
        self._park(db, [one for one in decoded if one[0].id not in kept], now)
        delivery_moves.discard(db, dead, [letter.id for letter in letters if letter.id not in kept])
        delivery_moves.die_again(db, reasons, now)
        left = held | set(busy(db, dead, ids, [letter.id for letter in letters], wanted))
        tally = Tally(done=len(letters) - len(kept), undecodable=len(reasons))
        return Step(tally, in_order(left, ids))

    def _decode(self, letters: Sequence[Letter]) -> tuple[list[Decoded], dict[int, str]]:
        """What could be decoded, and why the other letters could not."""
        reasons: dict[int, str] = {}
        decoded: list[Decoded] = []
        by_record: dict[Any, Letter] = {letter: letter for letter in letters}

        for group, reader in self._readers:
            found, refused = reader.read_all(letters)
            decoded += [(by_record[taken.record], group, taken) for taken in found.events]
            reasons |= {by_record[record].id: reason for record, reason in refused}
        known = {letter.id for letter, _, _ in decoded} | reasons.keys()
        reasons |= {one.id: f"no handler of {self._app} handles it" for one in letters if one.id not in known}
        return [one for one in decoded if one[0].id not in reasons], reasons

    def _park(self, db: Connection, decoded: Sequence[Decoded], now: float) -> None:
        rows = []
        for group in {group.name: group for _, group, _ in decoded}.values():
            ours = [one for one in decoded if one[1] is group]
            if group.is_exact:
                new = inbox.admit(db, group.name, {taken.event_id for _, _, taken in ours}, now)
                ours = [one for one in ours if one[2].event_id in new]
            rows += _rows(db, ours, now)
        parked.park(db, rows)
        passing.place(db, self._app, rows, now)
        notices.notify(db, {row["group_name"] for row in rows})


def _deliveries(decoded: Decoded) -> list[Delivery]:
    _, group, taken = decoded
    return [Delivery.of(handler, taken, 0) for handler in group.by_signal[taken.declaration.name]]


def _rows(db: Connection, decoded: Sequence[Decoded], now: float) -> list[dict[str, Any]]:
    """New rows of the retry table, as if they had been parked when they arrived."""
    deliveries = [(one[0], one[1], delivery) for one in decoded for delivery in _deliveries(one)]
    asked = {(*key, letter.parked_at) for letter, _, delivery in deliveries if (key := delivery.ordered_key)}
    ranks = delivery_moves.ranks_since(db, decoded[0][1].app, asked) if decoded else {}
    rows = []
    for letter, group, delivery in deliveries:
        key, before = delivery.ordered_key, None
        if key is not None:
            before = ranks.get((*key, letter.parked_at))
        ranked = delivery if before is None else delivery.with_rank(before - 1)
        row = parked_row(group, ranked, now, Park("unrun", at_once(now)) if key is None else Park("behind"))
        # A little earlier, so that the next letter of the same moment does not go before this one.
        rows.append({**row, "parked_at": math.nextafter(letter.parked_at, 0.0)})
    return rows
