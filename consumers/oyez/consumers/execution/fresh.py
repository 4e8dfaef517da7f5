"""Rows that a batch has just put into the retry table for lanes: what it knows of them need not be read back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..database.delivery_row import Columns
from ..database.parked_row import ParkedRow, Standing
from .decide import Counted, Park
from .delivery import Delivery

FOR_LANES: frozenset[Counted] = frozenset({"queued", "behind"})


class Fresh(NamedTuple):
    """One of them: its id, the delivery, and its columns as they were written."""

    id: int
    delivery: Delivery
    columns: Columns

    @property
    def is_due(self) -> bool:
        """Whether it is to be run now; otherwise it is behind another one of its key."""
        return self.columns["due_at"] is not None

    def row(self, now: Standing) -> ParkedRow:
        """The row as it is in the table, of which only that was read which may have changed."""
        given = self.columns
        return ParkedRow(
            (
                self.id,
                given["group_name"],
                given["handler"],
                given["signal"],
                given["source"],
                given["event_id"],
                given["key"],
                given["subject"],
                now.rank,
                given["ordered"],
                None,
                None,
                now.attempts,
                now.starts,
                now.due_at,
                now.head_since,
                given["parked_at"],
                now.error,
                given["value"],
                given["headers"],
                now.first_attempt,
            )
        )


def is_for_lane(delivery: Delivery, to: Park) -> bool:
    """Whether a new delivery waits for nothing but a lane, and its turn there."""
    return delivery.handler.concurrency is not None and to.counts in FOR_LANES


def fresh_rows(
    ids: Sequence[int], new: Sequence[Columns], for_lanes: Sequence[tuple[int, Delivery]]
) -> Sequence[Fresh]:
    """Those of the ``new`` rows, with these ids, that lanes are to run: each by its place. None if the ids are not
    known."""
    return [Fresh(ids[at], delivery, new[at]) for at, delivery in for_lanes] if ids else ()
