"""The journal: what became of deliveries, written in the transaction in which it did.

It has those of a share of the keys, by a number that each process makes of a key in the same way: so a session is in it
as a whole, or not at all. What has expired it always has: nothing else is kept of that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zlib import crc32

from sqlalchemy import Connection

from oyez.schemas import Undecodable
from oyez.schemas.decoding import expiry_of, time_of

from ..core.outcomes import DONE
from ..database import journal
from ..database.delivery_row import waits_columns
from ..database.due import due_since
from ..database.event_times import made_at
from ..database.journal import ALL, DoneAtOnce, Transaction, number_of
from ..handlers.application import Group
from .decide import Bury, Decision, Drop, Park
from .delivery import Delivery, Result
from .reader import Taken

BY_TIME = "7"
"""What stands in the id of an event of ours that has the time at which it was made (a UUIDv7). It may stand in others
too, but whoever has none is known by this sooner."""
LEAST = 0.001
"""Seconds: what was due sooner after it was parked has not waited. The time of what is due at once is not exact."""
SOON = ("unrun", "queued")
"""Nothing has become of these yet: they are run at once, by others."""

Decided = tuple[Delivery, Decision]


class Journal:
    """The journal of one group."""

    has_done = True
    """Whether it is asked about what is done."""

    def __init__(self, group: Group, share: float) -> None:
        """``share``: of how many of the keys, from 0 to 1."""
        self._group = group
        self._below = int(share * ALL)

    def write(
        self,
        db: Connection,
        results: Sequence[Result],
        decided: Sequence[Decided],
        now: float,
        seconds: float | None,
    ) -> None:
        """Write of ``results`` those that are done, and what was ``decided`` of the others, in one statement.
        ``seconds`` is what their handlers took, if that is known."""
        done = self._done(results)
        others = [one for one in decided if self._has(*one)]
        if not (done or others):
            return
        together = sum(outcome.has_run for _, outcome in results) if decided else len(results)
        transaction = Transaction(self._group.app, self._group.name, now, seconds, together)
        if others or any(delivery.row is not None for delivery in done):
            rows = [_done_row(one, transaction) for one in done]
            journal.note(db, rows + [row for one in others if (row := _row(*one, transaction)) is not None])
        else:
            journal.note_done(db, transaction, [_done_at_once(one) for one in done])

    def _done(self, results: Sequence[Result]) -> list[Delivery]:
        """Those that are done, of the keys that it has."""
        below, done = self._below, []
        for result in results:  # each event passes here: nothing is called that need not be
            delivery, outcome = result
            envelope = delivery.taken.envelope
            key = envelope.get("partitionkey") or envelope["id"]
            if crc32(key.encode()) < below and outcome is DONE:
                done.append(delivery)
        return done

    def _has(self, delivery: Delivery, decision: Decision) -> bool:
        envelope = delivery.taken.envelope
        return (
            isinstance(decision, Drop)
            or number_of(envelope.get("partitionkey") or envelope["id"]) < self._below
        )


class ExpiredJournal(Journal):
    """The journal that is off: it has what has expired, and nothing else."""

    has_done = False

    def __init__(self, group: Group) -> None:
        super().__init__(group, 0.0)

    def _done(self, results: Sequence[Result]) -> list[Delivery]:
        return []

    def _has(self, delivery: Delivery, decision: Decision) -> bool:
        return isinstance(decision, Drop)


class ParkedJournal(Journal):
    """The journal of what had to wait, has failed or has died, of all keys: of what is done at once it has nothing."""

    def __init__(self, group: Group) -> None:
        super().__init__(group, 1.0)

    def _done(self, results: Sequence[Result]) -> list[Delivery]:
        if not results or results[0][0].row is None:
            return []
        return [one for one, outcome in results if outcome is DONE and _has_waited(one)]


def _has_waited(delivery: Delivery) -> bool:
    """Whether it was parked for more than to be run by others at once."""
    row = delivery.row
    if row is None or row.due_at is None:
        return row is not None
    return row.attempts > 0 or due_since(row.due_at) - row.parked_at > LEAST


def _done_at_once(delivery: Delivery) -> DoneAtOnce:
    taken = delivery.taken
    return (
        delivery.handler.name,
        taken.declaration.name,
        taken.source,
        taken.id,
        taken.key,
        taken.declaration.subject_of(taken.data),
        _announced_at(taken),
    )


def _announced_at(taken: Taken) -> float | None:
    """What the event says, if its id does not; nothing if that is no time."""
    by_id = taken.id[14:15] == BY_TIME and made_at(taken.id) is not None
    said = None if by_id else taken.envelope.get("time")
    try:
        return None if said is None else time_of(said).timestamp()
    except (Undecodable, OverflowError):
        return None


def _done_row(delivery: Delivery, transaction: Transaction) -> dict[str, Any]:
    attempts = 1 if delivery.row is None else delivery.row.attempts + 1
    return _columns(delivery, transaction, "done", attempts=attempts)


def _row(delivery: Delivery, decision: Decision, transaction: Transaction) -> dict[str, Any] | None:
    """None where nothing new has become of a delivery."""
    before = 0 if delivery.row is None else delivery.row.attempts
    match decision:
        case Park():
            if decision.counts in SOON or (decision.counts == "waiting" and decision.waits is None):
                return None
            return _columns(
                delivery,
                transaction,
                decision.counts,
                attempts=before if decision.attempts is None else decision.attempts,
                waits=waits_columns(decision.waits),
                due_at=decision.due_at if decision.counts == "retried" else None,
                error=decision.error,
            )
        case Bury():
            return _columns(
                delivery,
                transaction,
                "dead",
                attempts=before if decision.attempts is None else decision.attempts,
                waits=waits_columns(decision.waits),
                reason=decision.reason,
                error=decision.error,
            )
        case Drop():
            return _columns(delivery, transaction, "expired", attempts=before, reason=_expiry(delivery.taken))
    return None


def _expiry(taken: Taken) -> str | None:
    moment = expiry_of(taken.envelope)
    return None if moment is None else f"expired at {moment.isoformat(timespec='seconds')}"


def _columns(
    delivery: Delivery,
    transaction: Transaction,
    outcome: str,
    *,
    attempts: int,
    waits: dict[str, Any] | None = None,
    due_at: float | None = None,
    reason: str | None = None,
    error: str | None = None,
) -> dict[str, Any]:
    handler, signal, source, event_id, key, subject, announced_at = _done_at_once(delivery)
    return {
        **transaction._asdict(),
        "handler": handler,
        "signal": signal,
        "source": source,
        "event_id": event_id,
        "key": key,
        "subject": subject,
        "outcome": outcome,
        "announced_at": announced_at,
        "arrived_at": transaction.at if delivery.row is None else delivery.row.parked_at,
        "attempts": attempts,
        **(waits or waits_columns(None)),
        "due_at": due_at,
        "reason": reason,
        "error": error,
    }
