"""What a transaction will write of its deliveries: collected first, then one statement a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from oyez.schemas.declaration import Prerequisite

from ..core.backoff import RetryPolicy
from ..core.report import Report
from ..database import dead_letters as dead
from ..database import parked
from ..database.parked import Attempt, HandlerKey
from ..handlers.application import Group
from .delivery import Delivery, Result
from .rows import dead_row, parked_row


class Writes:
    """The state changes of deliveries. A delivery without a row is new to the retry table; one with a row was
    claimed."""

    def __init__(self, group: Group, limits: RetryPolicy, now: float, report: Report) -> None:
        self._group = group
        self._policy = limits
        self._now = now
        self._report = report
        self._removed: list[int] = []
        self._new: list[dict[str, Any]] = []
        self._changed: list[Attempt] = []
        self._dead: list[dict[str, Any]] = []
        self._needed: list[tuple[str, str, Prerequisite, int]] = []
        self._freed: set[HandlerKey] = set()
        self._passing: list[tuple[HandlerKey, Prerequisite]] = []

    def done(self, results: Sequence[Result]) -> None:
        """These deliveries are finished."""
        self._report.done += len(results)
        for delivery, _ in results:
            if delivery.row is not None:
                self._remove(delivery)

    def behind(self, delivery: Delivery) -> None:
        """The delivery waits behind an earlier one of its key; one that is parked already stays as it is."""
        self._report.behind += 1
        if delivery.row is None:
            self._new.append(
                parked_row(self._group, delivery, self._now, due_at=None, waits=None, head_since=None)
            )
            if delivery.ordered_key is not None and delivery.prerequisite is not None:
                self._passing.append((delivery.ordered_key, delivery.prerequisite))

    def wait(self, delivery: Delivery, prerequisite: Prerequisite, raised: bool = False) -> None:
        """The delivery waits for a prerequisite; ``raised``: it is its handler that said so. What would meet it may
        be parked behind it; that one goes before it."""
        self._report.waiting += 1
        self._park(delivery, None, prerequisite, raised=raised)
        key = delivery.ordered_key
        if key is not None and prerequisite.signal == delivery.taken.declaration.name:
            self._needed.append((*key, prerequisite, delivery.rank - 1))
            self._freed.add(key)

    def again_now(self, delivery: Delivery) -> None:
        """What the delivery would wait for has been met in the meantime."""
        self._report.waiting += 1
        self._park(delivery, self._now, None)

    def later(self, delivery: Delivery) -> None:
        """There was no time to run the delivery."""
        self._report.unrun += 1
        self._park(delivery, self._now, None)

    def retry(self, delivery: Delivery, error: str, kind: str | None = None) -> None:
        """The delivery failed: another attempt later, or a dead letter after too many or too long. ``kind`` is the type
        of what its handler raised, unless that asked for it."""
        row, limits = delivery.row, self._policy
        self._report.failures[delivery.handler.name] += 1
        if kind is not None:
            self._report.faults.add(delivery.handler.name, kind, error)
        attempts = 1 if row is None else row.attempts + 1
        age = 0.0 if row is None or row.head_since is None else self._now - row.head_since
        if attempts >= limits.max_attempts:
            self.bury(delivery, f"failed {attempts} times", error, attempts=attempts)
        elif age > limits.max_age:
            self.bury(delivery, f"failed for {age:.0f} s", error, attempts=attempts)
        else:
            self._report.retried += 1
            self._park(delivery, self._now + limits.delay(attempts), None, attempts, error)

    def reject(self, delivery: Delivery, reason: str, error: str | None) -> None:
        """The handler has given the delivery up."""
        self._report.failures[delivery.handler.name] += 1
        self.bury(delivery, reason, error)

    def bury(
        self,
        delivery: Delivery,
        reason: str,
        error: str | None,
        waits: Prerequisite | None = None,
        attempts: int | None = None,
    ) -> None:
        """The delivery is given up: a dead letter."""
        self._report.dead += 1
        row = dead_row(self._group, delivery, self._now, reason=reason, error=error, waits=waits)
        self._dead.append(row if attempts is None else {**row, "attempts": attempts})
        self._remove(delivery)

    def remove_done(self, db: Connection) -> None:
        """Delete the rows of deliveries that are finished, before anybody is asked what is still parked."""
        parked.remove(db, self._removed)
        self._removed.clear()

    def write(self, db: Connection) -> None:
        """Everything else; the prerequisites that are waited for are locked.

        The dead come first: their places are before those of what is parked behind them.
        """
        parked.remove(db, self._removed)
        dead.bury(db, self._dead)
        parked.park(db, self._new)
        parked.change(db, self._changed)

    def make_due(self, db: Connection) -> None:
        """Rows that go before their head, and those that have become heads."""
        self._pass_heads(db)
        parked.bring_forward(db, self._group.app, self._needed)
        self._report.promoted = parked.promote(db, self._group.app, self._freed, self._now)
        if self._report.promoted or self._group.name in self._report.released:
            self._report.due(self._now)

    def _pass_heads(self, db: Connection) -> None:
        """New rows whose head has begun to wait for what they would meet since they were put behind it."""
        heads = parked.heads(db, self._group.app, {key for key, _ in self._passing})
        for key, prerequisite in self._passing:
            head = heads.get(key)
            if head is not None and head.waits == prerequisite:
                self._needed.append((*key, prerequisite, head.rank - 1))
                self._freed.add(key)

    def _remove(self, delivery: Delivery) -> None:
        if delivery.row is not None:
            self._removed.append(delivery.row.id)
        if delivery.ordered_key is not None:
            self._freed.add(delivery.ordered_key)

    def _park(
        self,
        delivery: Delivery,
        due_at: float | None,
        waits: Prerequisite | None,
        attempts: int | None = None,
        error: str | None = None,
        raised: bool = False,
    ) -> None:
        row, now = delivery.row, self._now
        if due_at is not None:
            self._report.due(due_at)
        if row is None:
            new = parked_row(self._group, delivery, now, due_at=due_at, waits=waits, head_since=now)
            self._new.append({**new, "attempts": attempts or 0, "error": error, "raised": raised})
            return
        attempts = row.attempts if attempts is None else attempts
        since = row.head_since or now
        error = error or row.error
        self._changed.append(Attempt(row.id, delivery.rank, attempts, due_at, waits, error, since, raised))
