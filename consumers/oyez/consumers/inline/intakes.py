"""What the inline transport takes: one event, or rows released in the announcer's own transaction.

Prerequisites are asked for in that transaction, and the answers are not kept: it may see what it has itself
completed, and then be rolled back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from ..database.claims_of_released import claim_released
from ..database.mark_met import go_on
from ..database.parked_row import ParkedRow
from ..execution.ask_met_by import answered
from ..execution.batch import Batch
from ..execution.intake import Load
from ..execution.pauses import Pauses
from ..execution.reader import Reader
from ..execution.readiness import Known, MetPrerequisites, ask
from ..handlers.application import Group
from ..retry.claim import Claim


class InlineRecord:
    """The record that an event announced inline is."""

    __slots__ = ("_key", "_value")

    def __init__(self, key: bytes | None, value: bytes) -> None:
        self._key = key
        self._value = value

    def value(self) -> bytes:
        return self._value

    def key(self) -> bytes | None:
        return self._key

    def headers(self) -> Sequence[tuple[str, bytes]]:
        return ()


class InlineBatch(Batch):
    """One event."""

    def known(self, db: Connection, load: Load, met: MetPrerequisites) -> Known:
        """What the event waits for, asked now."""
        found = MetPrerequisites()
        unmet = ask(db, self.group.app, load.works, found)
        return replace(super().known(db, load, found), answered=answered(db, self.group, unmet))


class InlineClaim(Claim):
    """Rows that an event released in the transaction in which it was announced. What was due before is none of that
    transaction's: it is left to whoever runs the retry table."""

    def __init__(self, group: Group, reader: Reader, limit: int, pauses: Pauses, since: float) -> None:
        """``since``: a time before anything was released."""
        super().__init__(group, reader, limit, pauses)
        self._since = since

    def take(self, db: Connection, now: float) -> Load:
        """More of what the event has released becomes due in this transaction, too."""
        go_on(db, self._group.app, self._group.name, now)
        return super().take(db, now)

    def _found(self, db: Connection, now: float) -> list[ParkedRow]:
        group, handlers = self._group, self._handlers()
        return claim_released(
            db, group.app, group.name, handlers, self._since, now, self._limit, self._left()
        )

    def known(self, db: Connection, load: Load, met: MetPrerequisites) -> Known:
        """What each row waits for, asked now."""
        return super().known(db, load, MetPrerequisites())
