"""Cancelling what is to be announced later."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from ..database import scheduled
from ..database.scheduled import ScheduledFilter
from . import Step, Tally


class Cancel:
    """Deletes scheduled events, in steps: see `oyez.consumers.admin.Steps`. What was released meanwhile is not there
    any more, and is not counted."""

    def begin(self) -> None:
        """Nothing is remembered from one step to the next."""

    def step(self, db: Connection, ids: Sequence[int], wanted: ScheduledFilter) -> Step:
        """Delete these: what a filter has found it finds always, since nothing in a row changes."""
        return Step(Tally(done=scheduled.remove(db, ids)))
